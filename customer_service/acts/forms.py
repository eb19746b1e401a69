"""The forms of the acts. Every one asks for a reason and a text. Labels and hints are the templates'; errors msgids."""

from __future__ import annotations

import re
from typing import Any

from wtforms import BooleanField, Field, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import StopValidation

from kit.logs.withheld import withhold
from kit.pages.forms import Form, Takes
from kit.pages.languages import N_
from kit.rights import LEVELS
from kit.typed_text import customer_number, fo_nummer, line, number

MOST_TEXT = 200
"""Characters of the text of a reason, as registration takes it."""
MOST_NUMBERS = 100
"""Customer numbers of one act."""
LONGEST_TYPED = 16_384
"""Characters of a list of numbers that are looked at."""
NO_REASON = N_("Choose a reason.")
NO_TEXT = N_("Write in a few words why: 3 to 200 characters.")
NO_NUMBERS = N_("Enter at least one customer number.")
BAD_NUMBERS = N_("Check the customer numbers. Write one on each line.")
MANY_NUMBERS = N_("Enter at most 100 customer numbers at a time.")
NO_FO_NUMMER = N_("Check the Business ID. It has seven digits, a hyphen and a check digit.")
NO_CODE = N_("Enter the code of eight characters that the person reads from the page.")
NO_DECISION = N_("Choose what to decide.")
BAD_NAME = N_("Check the company name.")
BAD_NEW_NAME = N_("Check the new name.")
HOLDS_A_CODE = N_("Remove the personal identity code: the text is kept.")


def several_lines(value: Any) -> str:
    """A text of several lines, each as it looks."""
    return "\n".join(filter(None, (line(part) for part in str(value or "")[:LONGEST_TYPED].splitlines())))


def numbers_in(text: str) -> list[str]:
    """Customer numbers, each once: one on a line, or with commas or semicolons between them."""
    return list(dict.fromkeys(filter(None, (number(part) for part in re.split(r"[\n,;]", text)))))


def _code(text: str) -> str:
    found = number(text).lower()
    if not re.fullmatch("[0-9a-f]{8}", found):
        raise ValueError("no code")
    return found


def _numbers(form: Any, field: Field) -> None:
    try:
        found = [customer_number(one) for one in numbers_in(field.data or "")]
    except ValueError as error:
        raise StopValidation(BAD_NUMBERS) from error
    if len(found) > MOST_NUMBERS:
        raise StopValidation(MANY_NUMBERS)


def _some_numbers(form: Any, field: Field) -> None:
    _numbers(form, field)
    if not numbers_in(field.data or ""):
        raise StopValidation(NO_NUMBERS)


def _text(form: Any, field: Field) -> None:
    if not 3 <= len(field.data or "") <= MOST_TEXT:
        raise StopValidation(NO_TEXT)
    if withhold(field.data) != field.data:
        raise StopValidation(HOLDS_A_CODE)


def _chosen(message: str) -> Any:
    def check(form: Any, field: Field) -> None:
        if field.data not in [value for value, *_ in field.iter_choices()]:
            raise StopValidation(message)

    return check


class ActForm(Form):
    """Why: a reason of registration's list, and a text. Fields of an act's own stand before them."""

    reason = SelectField(validate_choice=False, validators=[_chosen(NO_REASON)])
    text = TextAreaField(filters=[line], validators=[_text])

    def offer(self, reasons: tuple[str, ...]) -> None:
        """The reasons that may be chosen."""
        self.reason.choices = list(reasons)

    def problems(self) -> list[tuple[str, str]]:
        """As of every form, but what is an act's own first, as on the page."""
        found = super().problems()
        return [one for one in found if one[0] not in ("reason", "text")] + [
            one for one in found if one[0] in ("reason", "text")
        ]


class RightsForm(ActForm):
    """What a person may see and do for a company."""

    administrator = BooleanField()
    consumption = SelectField(choices=LEVELS, default="read")
    contracts = SelectField(choices=LEVELS, default="none")
    invoices = SelectField(choices=LEVELS, default="none")
    users = SelectField(choices=LEVELS, default="none")


class GrantForm(RightsForm):
    """Rights in a company that the person has none in."""

    fo_nummer = StringField(filters=[line], validators=[Takes(NO_FO_NUMMER, fo_nummer)])
    company_name = StringField(filters=[line], validators=[Takes(BAD_NAME, least=0)])
    customer_numbers = TextAreaField(filters=[several_lines], validators=[_some_numbers])


class NumbersForm(ActForm):
    """Further customer numbers."""

    customer_numbers = TextAreaField(filters=[several_lines], validators=[_some_numbers])


class RevokeForm(ActForm):
    """What ends: some customer numbers, or, if none is named, all of a person's rights in a company."""

    customer_numbers = TextAreaField(filters=[several_lines], validators=[_numbers])
    leave_without_administrator = BooleanField()


class RelinkForm(ActForm):
    """To whom an account belongs now: the code of somebody who has identified anew, and their name if it is new."""

    code = StringField(filters=[line], validators=[Takes(NO_CODE, _code)])
    name_changed_to = StringField(filters=[line], validators=[Takes(BAD_NEW_NAME, least=0)])


class DecideCaseForm(ActForm):
    """A case: whether it is granted. ending: administrators who then are none any more."""

    decision = SelectField(choices=["grant", "refuse"], validate_choice=False, validators=[_chosen(NO_DECISION)])
    ending = SelectMultipleField(validate_choice=True)


class DecideActForm(ActForm):
    """Another's act: whether it is done."""

    decision = SelectField(choices=["confirm", "refuse"], validate_choice=False, validators=[_chosen(NO_DECISION)])
