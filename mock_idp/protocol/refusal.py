"""A relying party broke a rule: which one, and how each dialect says so."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mock_idp.protocol.dialects import Dialect

TokenRefusal = tuple[int, dict[str, str]]


class Refused(Exception):
    """One rule was broken. rule: its short name. detail: what was wrong, in words. error: the OAuth error."""

    def __init__(self, rule: str, detail: str, error: str = "invalid_request") -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.error = error

    @property
    def description(self) -> str:
        """Rule and detail, in the characters that RFC 6749 allows in an error description."""
        text = f"{self.rule}: {self.detail}".replace('"', "'").replace("\\", "/")
        return "".join(c if " " <= c <= "~" else "?" for c in text)

    def record(self) -> dict[str, Any]:
        """For the list of what was wrong."""
        return {"rule": self.rule, "detail": self.detail, "error": self.error}


_OP_WORDS = {
    "invalid_client": ("unauthorized_client", "invalid assertion"),
    "unknown_client": ("invalid_request", "client information fetching failed"),
    "invalid_grant": ("invalid_request", "invalid grant"),
}


def token_error(refused: Refused, dialect: Dialect) -> TokenRefusal:
    """Status and JSON of a refused token request.

    At OP always 400, an error word of its own and a percent-encoded description (API §8); elsewhere RFC 6749 §5.2.
    """
    if dialect.op_errors:
        error, words = _OP_WORDS.get(refused.error, ("invalid_request", "parameter validation failed"))
        return 400, {"error": error, "error_description": quote(f"{words} ({refused.description})")}
    error = "invalid_client" if refused.error == "unknown_client" else refused.error
    return (401 if error == "invalid_client" else 400), {
        "error": error,
        "error_description": refused.description,
    }
