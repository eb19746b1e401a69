"""Texts that code chooses: problems with their status, names of sections and levels. All are msgids."""

from __future__ import annotations

from collections.abc import Mapping

from kit.pages.form_pages import Problem
from kit.pages.languages import N_
from registration.accounts.choosing import TOO_OFTEN, WINDOW
from registration.accounts.limits import DAY

AGAIN = (N_("Start again"), "/start")
IDENTIFY = (N_("Identify yourself"), "/start")
TRY_AGAIN = (N_("Try again"), "/start")
HOME = (N_("Go to the start of registration"), "/")
SIGN_IN = (N_("Sign in"), "/sign-in")
RIGHTS = (N_("My access rights"), "/rights")
FORM = (N_("Back to the form"), "/form")
REVIEW = (N_("Try again"), "/review")

PROBLEMS: Mapping[str, Problem] = {
    "not_found": Problem(404, N_("Page not found"), (N_("The address does not lead to a page."),), (HOME,)),
    "bad_request": Problem(
        400,
        N_("This did not work"),
        (N_("We could not read what your browser sent. Go to the start of registration."),),
        (HOME,),
    ),
    "fault": Problem(
        500,
        N_("There is a fault in our service"),
        (N_("Nothing you have filled in is lost. Try again in a moment."),),
        (FORM, HOME),
    ),
    "unavailable": Problem(
        503,
        N_("The service is not available right now"),
        (N_("Nothing you have filled in is lost. Try again in a moment."),),
        (HOME,),
        30,
    ),
    "cancelled": Problem(
        200,
        N_("Identification was cancelled"),
        (N_("You can try again. Your name was not passed to us."),),
        (TRY_AGAIN, HOME),
    ),
    "failed": Problem(
        502,
        N_("Identification did not succeed"),
        (N_("The identification could not be completed."),),
        (TRY_AGAIN, HOME),
    ),
    "not_verified": Problem(
        502,
        N_("The identification could not be verified"),
        (N_("The reply we received could not be verified, so we rejected it."),),
        (TRY_AGAIN, HOME),
    ),
    "broker_unavailable": Problem(
        503,
        N_("Identification is not available right now"),
        (N_("The identification service cannot be reached. Try again in a moment."),),
        (TRY_AGAIN, HOME),
        30,
    ),
    "expired": Problem(
        410,
        N_("The time for identification ended"),
        (N_("You can start again. What you filled in earlier is kept."),),
        (AGAIN,),
    ),
    "lost_cookie": Problem(
        400,
        N_("The identification you started was not found"),
        (
            N_(
                "This can happen if you changed browsers on the way or if cookies are blocked. "
                "Allow cookies and start again in the same browser."
            ),
        ),
        (AGAIN,),
    ),
    "interrupted": Problem(
        503,
        N_("Identification was interrupted"),
        (N_("The connection broke on our side. Identify yourself again."),),
        (IDENTIFY,),
    ),
    "under_age": Problem(
        403,
        N_("You cannot continue with this identification"),
        (N_("Only people aged %(least_age)s or over can use the service."),),
        (HOME,),
    ),
    "identify_first": Problem(
        401,
        N_("Identify yourself to continue"),
        (N_("Your identification is no longer valid here. What you filled in is kept: identify yourself again."),),
        (IDENTIFY,),
    ),
    "sign_in_first": Problem(
        401, N_("Sign in to continue"), (N_("You are not signed in, or you have been signed out."),), (SIGN_IN,)
    ),
    "already_registered": Problem(
        200,
        N_("You have already registered"),
        (
            N_("You have a username and a password for the Online service. You can sign in with them."),
            N_("Customer service can add more customer numbers to your username."),
        ),
        (SIGN_IN, (N_("Choose a new password"), "/new-password")),
    ),
    "not_registered": Problem(
        200,
        N_("You have not registered yet"),
        (N_("You do not have a username for the Online service. You can register now."),),
        ((N_("Continue to registration"), "/form"),),
    ),
    "register_unavailable": Problem(
        503,
        N_("The company's details cannot be checked right now"),
        (N_("Our customer register cannot be reached. Nothing you have filled in is lost: try again in a moment."),),
        (REVIEW, FORM),
        30,
    ),
    "company_ended": Problem(
        403,
        N_("You cannot register for this company"),
        (
            N_(
                "According to the Business Information System, the company has ceased to operate. "
                "Contact customer service."
            ),
        ),
        (FORM,),
    ),
    "company_bankrupt": Problem(
        403,
        N_("You cannot register for this company"),
        (N_("According to the Business Information System, the company is bankrupt. Contact customer service."),),
        (FORM,),
    ),
    "too_many_tries": Problem(
        429,
        N_("Too many attempts"),
        (
            N_("You have entered details that do not match too many times. You can try again tomorrow."),
            N_("What you filled in is kept. Customer service can help you find the right numbers."),
        ),
        (FORM,),
        DAY,
    ),
    "too_many_forms": Problem(
        429, N_("Too many attempts"), (TOO_OFTEN, N_("What you filled in is kept.")), (REVIEW, FORM), WINDOW
    ),
    "too_many_starts": Problem(
        429,
        N_("Too many attempts"),
        (N_("Identification was started too many times from your network. Try again in a quarter of an hour."),),
        (HOME,),
        900,
    ),
    "too_many_names": Problem(
        429,
        N_("Too many attempts"),
        (
            N_("Too many of the usernames you chose were already in use. You can try again tomorrow."),
            N_("What you filled in is kept."),
        ),
        (FORM,),
        DAY,
    ),
    "other_person": Problem(
        403,
        N_("You are signed in with somebody else's username"),
        (N_("Identify yourself as the person whose username it is. Nothing was changed."),),
        (IDENTIFY, RIGHTS),
    ),
    "too_many_caller_codes": Problem(
        429,
        N_("Too many attempts"),
        (N_("Too many codes were entered that are not right. Try again in a quarter of an hour."),),
        (HOME,),
        900,
    ),
    "too_many_codes": Problem(
        429,
        N_("We have sent several codes already"),
        (N_("Use the code in the latest letter or e-mail, or contact customer service."),),
        (RIGHTS,),
        DAY,
    ),
    "already_decided": Problem(
        409, N_("The request was decided already"), (N_("Somebody else decided it first."),), (RIGHTS,)
    ),
    "stale_form": Problem(
        400,
        N_("The page has been open for too long"),
        (N_("Nothing was changed. Open the page again and try once more."),),
        (RIGHTS, HOME),
    ),
    "forbidden": Problem(
        403,
        N_("You do not have access to this page"),
        (N_("The company's administrator can give you access rights."),),
        (RIGHTS,),
    ),
}

EVENT_NAMES: Mapping[str, str] = {
    "registered": N_("You registered"),
    "email_confirmed": N_("E-mail address confirmed"),
    "email_changed": N_("E-mail address changed"),
    "signed_in:password": N_("Signed in with username and password"),
    "signed_in:identification": N_("Signed in by identifying"),
    "signed_in:online_service": N_("Signed in to the Online service"),
    "identified": N_("Identified to confirm a change"),
    "refused": N_("Somebody else identified while you were signed in; nothing was changed"),
    "password_changed": N_("Password changed"),
    "terms_accepted": N_("Terms of use accepted"),
    "sessions_ended": N_("Signed out of all other browsers"),
    "rights_given": N_("Access rights received"),
    "rights_changed": N_("Access rights changed"),
    "administrator_handed_over": N_("Administrator rights received"),
    "user_removed": N_("Access rights ended"),
    "right_ended": N_("Access rights ended: their end date came, or the rights of whoever gave them ended"),
    "granted": N_("Access rights given"),
    "revoked": N_("Access rights taken away"),
    "case_opened": N_("You asked to act for a company"),
    "case_decided": N_("Your request to act for a company was decided"),
    "confirmation_sent": N_("E-mail to confirm the address sent again"),
    "caller_asked": N_("You were asked to identify on the phone"),
    "caller_identified": N_("Identified for a phone call"),
    "caller_shown": N_("Name shown to customer service during a phone call"),
    "relinked": N_("Username linked to a new personal identity code"),
    "exported": N_("Copy made of everything that is held on you"),
    "listed": N_("Your access rights looked up"),
}
"""What the events of the audit trail are called for the person they are about; those left out are not shown."""
TELLS = N_("We tell you by e-mail what was decided. Until then you do not see the company's data.")
REQUESTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "email": (
        N_("Enter the activation code"),
        (
            N_("We send an activation code to the e-mail address that we have for the company, not to yours."),
            N_("Ask the company for it. Once you have entered it, you are the company's administrator."),
        ),
    ),
    "letter": (
        N_("Enter the activation code"),
        (
            N_("We send a letter with an activation code to the address that we have for the company."),
            N_("Ask the company for it. Once you have entered it, you are the company's administrator."),
        ),
    ),
    "approval": (
        N_("Your request waits for customer service"),
        (N_("Customer service decides whether you become the company's administrator."), TELLS),
    ),
    "joining": (
        N_("Your request waits for approval"),
        (N_("The company's administrator or customer service decides whether you may see its data."), TELLS),
    ),
    "disputed": (
        N_("Customer service looks into who may act for the company"),
        (
            N_("We have told the company's administrators of your request. Nothing changes until it is decided."),
            N_("We tell you by e-mail what was decided. Customer service may ask you for more."),
        ),
    ),
    "granted": (N_("Your request was approved"), (N_("You can now act for the company in the Online service."),)),
    "refused": (
        N_("Your request was not approved"),
        (N_("If you believe that this is wrong, contact customer service."),),
    ),
    "withdrawn": (N_("Your request was withdrawn"), (N_("You can make a new one."),)),
}
"""How a request stands: title and paragraphs, by its state; if it is open, by its way or else its kind."""
FOUNDING: Mapping[str, str] = {
    "numbers": N_("The first person who registers for a company becomes its administrator."),
    "activation": N_(
        "The first person who registers for a company becomes its administrator with a code, "
        "which we send to the address that we have for the company."
    ),
    "approval": N_("Customer service approves the first person who registers for a company as its administrator."),
}
JOINING: Mapping[str, str] = {
    "open": N_("Those who register later see the company's consumption."),
    "notify": N_("Those who register later see the company's consumption, and its administrators are told at once."),
    "approve": N_("Those who register later see nothing until an administrator or customer service approves them."),
}
"""What becomes of those who register, by rules.founding and rules.joining."""

SECTION_NAMES: Mapping[str, str] = {
    "consumption": N_("Consumption"),
    "contracts": N_("Contracts"),
    "invoices": N_("Invoices"),
    "users": N_("Users"),
}
LEVEL_NAMES: Mapping[str, str] = {"none": N_("No access"), "read": N_("Read-only"), "write": N_("Read and write")}
