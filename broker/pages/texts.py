"""What each problem is called, says and answers with. The texts are msgids of the catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit.pages.languages import N_
from providers.errors import ALL_ERRORS

RETRY_AFTER = 30
"""Seconds until an unavailable bank is worth another try: the longest that its breaker stays open."""


@dataclass(frozen=True, slots=True)
class ProblemText:
    """status: of the HTTP response. title: the h1. paragraphs: below it."""

    status: int
    title: str
    paragraphs: tuple[str, ...]
    retry_after: int | None = None


_UNAVAILABLE = ProblemText(
    503,
    N_("This method is not available right now"),
    (N_("The identification service cannot be reached. Choose another method or try again in a moment."),),
    RETRY_AFTER,
)

PROBLEMS: Mapping[str, ProblemText] = {
    "unavailable": _UNAVAILABLE,
    "idp_failed": ProblemText(
        502,
        N_("Identification did not succeed"),
        (N_("The identification could not be completed. Try again or choose another method."),),
    ),
    "expired": ProblemText(
        410,
        N_("The time for identification ended"),
        (N_("No data was passed to the service. You can start again."),),
    ),
    "replay": ProblemText(
        410,
        N_("This link has already been used"),
        (
            N_(
                "An identification link works only once. If you have already identified yourself, "
                "continue in the service. Otherwise start again."
            ),
        ),
    ),
    "interrupted": ProblemText(
        503,
        N_("Identification was interrupted"),
        (N_("The connection broke on our side. Identify yourself again."),),
    ),
    "lost_cookie": ProblemText(
        400,
        N_("The identification you started was not found"),
        (
            N_(
                "This can happen if you changed browsers on the way or if cookies are blocked. "
                "Allow cookies and start again in the same browser."
            ),
        ),
    ),
    "integrity_error": ProblemText(
        502,
        N_("The identification could not be verified"),
        (N_("The reply we received could not be verified, so we rejected it. No data was passed to the service."),),
    ),
    # Whose fault it is helps nobody to go on: the log has it, as an ERROR.
    "config_error": ProblemText(502, _UNAVAILABLE.title, _UNAVAILABLE.paragraphs),
    "not_supported": ProblemText(
        403,
        N_("You cannot continue with this identification"),
        (N_("The service needs a Finnish personal identity code. The method you chose did not provide one."),),
    ),
}
"""By the `code` of providers.errors. `cancelled` is a notice of the chooser, `bad_request` a page of its own."""

WITHOUT_PROBLEM_PAGE = {"cancelled", "bad_request"}
assert {error.code for error in ALL_ERRORS} == PROBLEMS.keys() | WITHOUT_PROBLEM_PAGE  # noqa: S101

ACTIONS: Mapping[str, str] = {
    "again": N_("Try again"),
    "other": N_("Choose another method"),
    "restart": N_("Start again"),
    "continue": N_("Continue in the service"),
    "return": N_("Return to the service"),
}
"""What a way out is called on its button."""

TOO_MANY = (N_("Too many attempts"), N_("Identification was started too many times from your network."))
TOO_MANY_IN_ALL = (
    N_("Many people are identifying themselves right now"),
    N_("No more identifications can be started at the moment."),
)
"""Heading and reason where a limit is reached, of one address or of all."""

CUSTOMER_SERVICE, ERROR_CODE = N_("Customer service"), N_("Error code")
"""On the page that has all languages at once."""

OTHER_METHODS_AS_ROWS = frozenset({"unavailable", "config_error"})
"""The problems of one method, whose page lists the others."""

NOTICES: Mapping[str, tuple[str, str]] = {
    "cancelled": (
        N_("Identification was cancelled"),
        N_("No data was passed to the service. You can try again or choose another method."),
    ),
    "hint_unusable": (N_("The chosen method cannot be used right now"), N_("Choose another one below.")),
}
"""Heading and text of the notices above the chooser."""


def transferred(scopes: tuple[str, ...]) -> str:
    """What is said to be passed on, by the scopes that a client asked for."""
    names, code = "profile" in scopes, "personal_identity_code" in scopes
    if names and code:
        return N_("Your name and personal identity code are passed to the service.")
    if code:
        return N_("Your personal identity code is passed to the service.")
    if names:
        return N_("Your name and date of birth are passed to the service.")
    return N_("Your name is not passed to the service, only an identifier that is created for it.")
