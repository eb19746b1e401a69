"""Texts that code chooses: problems with their status, names of sections and levels. All are msgids."""

from __future__ import annotations

from collections.abc import Mapping

from kit.pages.form_pages import Problem
from kit.pages.languages import N_
from registration.accounts.choosing import WINDOW
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
    "not_found": Problem(404, (HOME,)),
    "bad_request": Problem(400, (HOME,)),
    "fault": Problem(500, (FORM, HOME)),
    "unavailable": Problem(503, (HOME,), 30),
    "cancelled": Problem(200, (TRY_AGAIN, HOME)),
    "failed": Problem(502, (TRY_AGAIN, HOME)),
    "not_verified": Problem(502, (TRY_AGAIN, HOME)),
    "broker_unavailable": Problem(503, (TRY_AGAIN, HOME), 30),
    "expired": Problem(410, (AGAIN,)),
    "lost_cookie": Problem(400, (AGAIN,)),
    "interrupted": Problem(503, (IDENTIFY,)),
    "under_age": Problem(403, (HOME,)),
    "identify_first": Problem(401, (IDENTIFY,)),
    "sign_in_first": Problem(401, (SIGN_IN,)),
    "already_registered": Problem(200, (SIGN_IN, (N_("Choose a new password"), "/new-password"))),
    "not_registered": Problem(200, ((N_("Continue to registration"), "/form"),)),
    "register_unavailable": Problem(503, (REVIEW, FORM), 30),
    "company_ended": Problem(403, (FORM,)),
    "company_bankrupt": Problem(403, (FORM,)),
    "too_many_tries": Problem(429, (FORM,), DAY),
    "too_many_forms": Problem(429, (REVIEW, FORM), WINDOW),
    "too_many_starts": Problem(429, (HOME,), 900),
    "too_many_names": Problem(429, (FORM,), DAY),
    "other_person": Problem(403, (IDENTIFY, RIGHTS)),
    "too_many_caller_codes": Problem(429, (HOME,), 900),
    "too_many_codes": Problem(429, (RIGHTS,), DAY),
    "already_decided": Problem(409, (RIGHTS,)),
    "stale_form": Problem(400, (RIGHTS, HOME)),
    "forbidden": Problem(403, (RIGHTS,)),
}
"""What they say stands in the template texts.html."""

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
