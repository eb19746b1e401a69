"""A client's authorization request, as it is kept until the person has been identified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.store import from_members, to_members


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that the guard and Authlib have validated.

    The fields are called as on the wire (OpenID Connect Core §3.1.2.1). `acr_values` and `ui_locales` are the
    client's own words, separated by spaces; `max_age` is a decimal number of seconds; `idp_hint` is ours: the
    chooser's row that the client proposes; and so is `step`: `2/4`. None: the client did not send it.
    dpop_jkt: the key that the code is bound to (RFC 9449 §10). pushed: the handle of a request that was pushed.
    traceparent: of the trace that this login is part of, where logins are traced.
    """

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    code_challenge: str | None = field(default=None, repr=False)
    ui_locales: str | None = None
    response_mode: str | None = None
    acr_values: str | None = None
    max_age: str | None = None
    prompt: str | None = None
    idp_hint: str | None = None
    step: str | None = None
    dpop_jkt: str | None = None
    pushed: str | None = field(default=None, repr=False)
    traceparent: str | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scope's values, each once."""
        return tuple(dict.fromkeys(self.scope.split()))

    def to_json(self) -> dict[str, str | None]:
        """For the store; what most clients do not send only if it is there."""
        seldom = {"step", "response_mode", "dpop_jkt", "pushed", "traceparent"}
        return {name: value for name, value in to_members(self).items() if value is not None or name not in seldom}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> AuthorizationRequest:
        """The reverse of `to_json`; a member that another version of the broker added is dropped."""
        return from_members(AuthorizationRequest, value)
