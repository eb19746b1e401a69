"""Authorization responses: an address to redirect to, or a form that the browser posts (`response_mode=form_post`).

Either is one string, so that it can be kept as an outcome: a form's is the address with a mark before its fields.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qsl, urlencode

FORM_POST = "form_post"
SIGNED = ("jwt", "query.jwt")
"""JWT Secured Authorization Response Mode §2.3; of the code flow both are the query (`fapi.jarm`)."""
_MARK = urlencode({"response_mode": FORM_POST}) + "&"


class Asked(Protocol):
    """What a client asked, as far as the response hangs on it."""

    @property
    def client_id(self) -> str:
        """Of a client, registered or no more."""
        ...

    @property
    def redirect_uri(self) -> str:
        """Where the response goes."""
        ...

    @property
    def response_mode(self) -> str | None:
        """FORM_POST, or the query."""
        ...

    @property
    def state(self) -> str | None:
        """To be sent back."""
        ...


def authorization_response(asked: Asked, iss: str | None, **parameters: str | None) -> str:
    """A response, its redirect URI verified before; what is None is left out (RFC 6749 §4.1.2, RFC 9207 §2)."""
    all_of_it = parameters | {"state": asked.state, "iss": iss}
    sent = {name: value for name, value in all_of_it.items() if value is not None}
    joint = "&" if "?" in asked.redirect_uri else "?"
    return f"{asked.redirect_uri}{joint}{_MARK if asked.response_mode == FORM_POST else ''}{urlencode(sent)}"


def form_of(response: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The redirect URI to post to and the fields (OAuth 2.0 Form Post Response Mode §2); None for a redirect."""
    redirect_uri, mark, fields = response.rpartition(_MARK)
    return (redirect_uri[:-1], parse_qsl(fields)) if mark else None
