"""The forms: which fields there are and what each takes. Labels and hints are the templates'; errors are msgids."""

from __future__ import annotations

from typing import Any

from email_validator import EmailNotValidError, validate_email
from wtforms import BooleanField, PasswordField, SelectField, StringField

from kit.pages.forms import Form, Takes, Ticked
from kit.pages.languages import N_
from kit.rights import LEVELS
from kit.typed_text import customer_number, day, fo_nummer, line, plain, without_format
from registration.accounts.names import looks_like_another, taken_user_name

NO_COMPANY = N_("Enter the company name.")
NO_FO_NUMMER = N_("Check the Business ID. It has seven digits, a hyphen and a check digit.")
NO_CUSTOMER_NUMBER = N_("Enter the customer number as it appears on the electricity invoice.")
NO_EMAIL = N_("Enter the e-mail address in the form name@example.com.")
NO_USER_NAME = N_("Enter a username of 3 to 254 characters.")
LOOKS_LIKE_ANOTHER = N_(
    "This username looks like another name. Use letters of one alphabet, such as a to z, and the digits 0 to 9."
)
NO_PASSWORD = N_("Choose a password.")
NO_GIVEN_NAME = N_("Enter your given names.")
NO_FAMILY_NAME = N_("Enter your family name.")
NO_TERMS = N_("Accept the terms of use to register.")
NO_NEW_TERMS = N_("Accept the terms of use to continue.")
NO_RIGHT = N_("Confirm that you have the right to see the company's data.")
NO_DATE = N_("Enter a date in the future, such as 31.12.2030, or leave the field empty.")
TAKEN = N_("This username is already in use. Choose another.")
NOT_TOGETHER = N_("The company name, Business ID and customer number do not match. Check them on the invoice.")
NO_CODE = N_("Enter the code.")
NO_MATCH = N_("The username and password do not match.")


def name_line(value: Any) -> str:
    """A user name as a line; letters of it that are not drawn stay, to be refused and not left out."""
    return " ".join(without_format(value or "").split())


def unlike_others(user_name: str) -> str:
    """A user name as it is. Raises ValueError for one that looks like another."""
    if looks_like_another(user_name):
        raise ValueError("looks like another name")
    return user_name


def email_address(text: str) -> str:
    """An e-mail address in its normal form. No DNS is asked. Raises ValueError if it is none."""
    try:
        found = validate_email(plain(text), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValueError("no e-mail address") from error
    return found.normalized


class CompanyForm(Form):
    """Step 3. Names are asked only if the identification gave none: see `without_names`."""

    given_name = StringField(filters=[line], validators=[Takes(NO_GIVEN_NAME)])
    family_name = StringField(filters=[line], validators=[Takes(NO_FAMILY_NAME)])
    company_name = StringField(filters=[line], validators=[Takes(NO_COMPANY)])
    fo_nummer = StringField(filters=[line], validators=[Takes(NO_FO_NUMMER, fo_nummer)])
    customer_number = StringField(filters=[line], validators=[Takes(NO_CUSTOMER_NUMBER, customer_number)])
    email = StringField(filters=[line], validators=[Takes(NO_EMAIL, email_address)])
    user_name = StringField(
        filters=[name_line],
        validators=[
            Takes(NO_USER_NAME, least=3),
            Takes(LOOKS_LIKE_ANOTHER, unlike_others),
            Takes(NO_USER_NAME, taken_user_name),
        ],
    )
    password = PasswordField()
    terms = BooleanField(validators=[Ticked(NO_TERMS)])
    right = BooleanField(validators=[Ticked(NO_RIGHT)])

    def without_names(self) -> None:
        """Leave out the fields of the person's name: the identification gave it."""
        del self.given_name, self.family_name


class SignInForm(Form):
    """User name and password; what is wrong with them is one and the same error."""

    user_name = StringField(filters=[name_line])
    password = PasswordField()


class NewPasswordForm(Form):
    """A new password."""

    password = PasswordField()


class NewEmailForm(Form):
    """A new e-mail address."""

    email = CompanyForm.email


class TermsForm(Form):
    """New terms of use."""

    terms = BooleanField(validators=[Ticked(NO_NEW_TERMS)])


class LevelsForm(Form):
    """What a person may see and do for a company."""

    consumption = SelectField(choices=LEVELS, default="none")
    contracts = SelectField(choices=LEVELS, default="none")
    invoices = SelectField(choices=LEVELS, default="none")
    users = SelectField(choices=LEVELS, default="none")


class ShareForm(LevelsForm):
    """Whom to let see a company's data, until which day: an existing user, named by user name and e-mail address."""

    user_name = StringField(filters=[name_line], validators=[Takes(NO_USER_NAME, least=3)])
    email = StringField(filters=[line], validators=[Takes(NO_EMAIL, email_address)])
    ends = StringField(filters=[line], validators=[Takes(NO_DATE, day, least=0)])


class RemovalForm(Form):
    """Whether what the user has given to others stays."""

    keep = BooleanField()


class DisputeForm(Form):
    """Whose company it is, by the three details of its bill."""

    company_name = CompanyForm.company_name
    fo_nummer = CompanyForm.fo_nummer
    customer_number = CompanyForm.customer_number


class CodeForm(Form):
    """An activation code."""

    code = StringField(filters=[line], validators=[Takes(NO_CODE)])


class ConfirmForm(Form):
    """Nothing but the CSRF token: a button that changes something."""
