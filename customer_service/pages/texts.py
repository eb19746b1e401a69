"""Texts that code chooses, by registration's codes. All are msgids; a code that is not here is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping

from kit.pages.form_pages import Problem
from kit.pages.languages import N_
from kit.rights import SECTION_NAMES

HOME = (N_("Search"), "/service")
SIGN_IN = (N_("Sign in"), "/service/sign-in")
CASES = (N_("Cases"), "/service/cases")
WAITING = (N_("Waiting for confirmation"), "/service/acts")

PROBLEMS: Mapping[str, Problem] = {
    "not_found": Problem(404, (HOME,)),
    "gone": Problem(404, (HOME,)),
    "bad_request": Problem(400, (HOME,)),
    "stale_form": Problem(400, (HOME,)),
    "forbidden": Problem(403, (HOME,)),
    "fault": Problem(500, (HOME,)),
    "lost_attempt": Problem(400, (SIGN_IN,)),
    "not_signed_in": Problem(403, (SIGN_IN,)),
    "provider_unavailable": Problem(503, (SIGN_IN,), 30),
}
"""What they say stands in the template texts.html."""

DONE = N_("Done.")
WAITS = N_("A second member of staff must confirm this before it is done.")
REFUSED = N_("You refused it. Nothing was changed.")
FLASHES: Mapping[str, str] = {DONE: "ok", WAITS: "warn", REFUSED: ""}
"""The kind of the notice that says it."""

REFUSALS: Mapping[str, str] = {
    "invalid": N_("Registration did not accept this. Check what you filled in."),
    "last_administrator": N_(
        "The company would be left without an administrator. Make another user an administrator first, or tick the box."
    ),
    "unknown_user": N_("There is no such user any more."),
    "unknown_company": N_("Nobody has registered for this company, and the customer register does not know it."),
    "first_is_administrator": N_("The first user of a company must be its administrator. A supervisor can do this."),
    "administrator_needed": N_("The first user of a company must be its administrator. A supervisor can do this."),
    "name_needed": N_("Nobody has registered for this company, and the customer register does not know it."),
    "administrator_has_all": N_("An administrator has all access rights already."),
    "number_needed": N_("Enter at least one customer number."),
    "last_number": N_("These are all of the person's customer numbers. Leave the field empty to end everything."),
    "has_account": N_("Who has identified has an account of their own. One of the two must be erased first."),
    "too_many": N_("So many confirmations have been sent to this address that no more are sent today."),
    "not_represented": N_("The person has no access rights in this company any more."),
    "not_together": N_("The customer numbers do not belong to this company."),
    "unknown_number": N_("The person does not have that customer number."),
    "unknown_code": N_("Nobody has identified with this code, or it is too old. Ask the person to identify again."),
    "other_name": N_("Who has identified has another name than the account. Enter their new name if it has changed."),
    "nothing_to_do": N_("It is already so: there is nothing to change."),
    "address_not_confirmed": N_(
        "The person has not confirmed their e-mail address, or not yet seven days ago. Choose the code by phone."
    ),
    "own_act": N_("You asked for this yourself, or it is about you. Another member of staff must do it."),
}

REASONS: Mapping[str, str] = {
    "asked_by_phone": N_("Asked for by phone"),
    "asked_in_writing": N_("Asked for in writing"),
    "identified_in_person": N_("Identified in person"),
    "correction": N_("Correction of a mistake"),
    "left_the_company": N_("Has left the company"),
    "complaint": N_("Complaint"),
    "security": N_("Security"),
    "other": N_("Other reason"),
}
ROLES: Mapping[str, str] = {
    "agent": N_("customer service"),
    "supervisor": N_("supervisor"),
    "auditor": N_("auditor"),
}
GIVERS: Mapping[str, str] = {
    "registration": N_("When they registered"),
    "customer_service": N_("Customer service"),
}
CASE_KINDS: Mapping[str, str] = {
    "founding": N_("Wants to be a company's first administrator"),
    "joining": N_("Wants to join a company"),
    "disputed": N_("Says that the company is theirs"),
}
CASE_STATES: Mapping[str, str] = {
    "open": N_("Open"),
    "granted": N_("Granted"),
    "refused": N_("Refused"),
    "withdrawn": N_("Withdrawn"),
    "done": N_("Confirmed, and done"),
    "expired": N_("Nobody confirmed it in time"),
}
LISTED_STATES = ("open", "granted", "refused", "withdrawn")
"""The states that cases are listed by."""
DECISIONS: Mapping[str, str] = {
    "grant": N_("Grant"),
    "refuse": N_("Refuse"),
    "confirm": N_("Confirm"),
}
ACTS: Mapping[str, str] = {
    "grant": N_("Give access rights"),
    "revoke": N_("End access rights"),
    "confirmation": N_("Send the confirmation again"),
    "end_sessions": N_("Sign the person out everywhere"),
    "relink": N_("Join the account to a new identity"),
    "decide": N_("Decide the case"),
}
ARGUMENTS: Mapping[str, str] = {
    "fo_nummer": N_("Business ID"),
    "company_name": N_("Company name"),
    "customer_numbers": N_("Customer numbers"),
    "administrator": N_("Administrator"),
    "levels": N_("Access rights"),
    "leave_without_administrator": N_("Even if no administrator is left"),
    "code": N_("Code"),
    "name_changed_to": N_("New name"),
    "decision": N_("Decision"),
    "ending": N_("Whose access rights end"),
    "reason": N_("Reason"),
    "text": N_("Why"),
    "by": N_("How"),
    "kind": N_("Kind"),
    "act": N_("What was asked for"),
    "second": N_("Confirmed by"),
    "owner": N_("The account is theirs"),
    **SECTION_NAMES,
}
YES = N_("Yes")
OWNER: Mapping[str, str] = {"yes": YES, "no": N_("No"), "not asked": N_("Not asked")}
WAYS: Mapping[str, str] = {"voice": N_("Code by phone"), "email": N_("Link by e-mail")}
"""How a caller is asked to identify."""
EVENTS: Mapping[str, str] = {
    "registered": N_("Registered"),
    "refused": N_("Was not let to register"),
    "case_opened": N_("A case was opened"),
    "case_decided": N_("A case was decided"),
    "letters_written": N_("Letters were written"),
    "email_confirmed": N_("Confirmed their e-mail address"),
    "email_changed": N_("Changed their e-mail address"),
    "signed_in": N_("Signed in"),
    "password_changed": N_("Chose a new password"),
    "terms_accepted": N_("Accepted the terms of use"),
    "sessions_ended": N_("Was signed out everywhere"),
    "rights_changed": N_("Access rights were changed"),
    "rights_given": N_("Got access rights from a user"),
    "user_removed": N_("Was removed"),
    "right_ended": N_("Access rights ended with their date, or with who gave them"),
    "rights_reviewed": N_("An administrator confirmed the access rights"),
    "numbers_ending": N_("Customer numbers end soon"),
    "numbers_suspended": N_("Customer numbers were suspended"),
    "numbers_back": N_("Customer numbers are valid again"),
    "identified": N_("Identified"),
    "administrator_handed_over": N_("Administrator rights were handed over"),
    "granted": N_("Got access rights from customer service"),
    "revoked": N_("Customer service ended access rights"),
    "relinked": N_("The account was joined to a new identity"),
    "forgotten": N_("Was erased"),
    "exported": N_("What is kept of them was exported"),
    "restored": N_("The database was restored from a backup"),
    "listed": N_("Customer service looked at this"),
    "customers_imported": N_("The customer register was imported"),
    "audit_pruned": N_("Old records were removed"),
    "act_asked": N_("Asked for, and waits for a second member of staff"),
    "act_refused": N_("A second member of staff refused it"),
    "confirmation_sent": N_("Customer service sent the confirmation again"),
    "not_told": N_("An e-mail was not sent"),
    "caller_asked": N_("Customer service asked a caller to identify"),
    "caller_identified": N_("A caller identified"),
    "caller_shown": N_("Customer service saw who the caller was"),
    "caller_not_shown": N_("Customer service entered wrong digits of a caller"),
}
MAILS: Mapping[str, str] = {
    "confirmation": N_("Confirmation of the e-mail address"),
    "rights_given": N_("Got access rights"),
    "rights_changed": N_("Access rights were changed"),
    "user_removed": N_("Was removed"),
    "administrator_received": N_("Became administrator"),
    "password_changed": N_("Chose a new password"),
    "new_address": N_("Confirmation of a new e-mail address"),
    "email_changed": N_("Changed their e-mail address"),
    "relinked": N_("The account was joined to a new identity"),
    "activation": N_("The company's activation code"),
    "case_opened": N_("A case was opened"),
    "case_decided": N_("A case was decided"),
    "case_closed": N_("A case was closed"),
    "caller_check": N_("Link for a caller to identify"),
    "joined": N_("Somebody joined the company"),
    "rights_shared": N_("A user shared access rights"),
    "numbers_ending": N_("Customer numbers end soon"),
    "review": N_("Are the access rights still right"),
}
TRANSACTION_EVENTS: Mapping[str, str] = {
    "identified": N_("Identified"),
    "handed_over": N_("Identified, and went on to the service"),
    "refused": N_("Not identified"),
}
