"""The parameters of an authorization request, as they came: known ones, with all their values, none checked yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LONGEST = 512
LONGEST_STATE = 2048
"""Characters a parameter may have; clients keep more in `state` than anywhere else."""

SCOPES = ("openid", "profile", "personal_identity_code")

KNOWN = frozenset(
    {
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "prompt",
        "max_age",
        "ui_locales",
        "acr_values",
        "idp_hint",
        "step",
        "request",
        "request_uri",
        "registration",
    }
)
"""Everything else is dropped (RFC 6749 §3.1), `login_hint`, `id_token_hint`, `display` and `claims` among it."""

_PRINTABLE = re.compile(r"[\x20-\x7e]+\Z")
_STEP = re.compile(r"([1-9])/([1-9])\Z")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The known parameters of a request, each with all its values; empty ones count as absent (RFC 6749 §3.1)."""

    values: Mapping[str, Sequence[str]] = field(repr=False)

    @staticmethod
    def of(pairs: Iterable[tuple[str, str]]) -> Parameters:
        """Keep what is known; every value of it, in the order it came. What is no step is dropped like the unknown."""
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in KNOWN:
                values.setdefault(name, []).append(value)
        if not is_step(values.get("step", ())):
            values.pop("step", None)
        return Parameters({name: held for name, held in values.items() if any(held)})

    def get(self, name: str) -> str | None:
        """The value of a parameter; None if it is absent. Only after `is_clean` has been asked."""
        return self.values[name][0] if name in self.values else None

    def is_clean(self, name: str) -> bool:
        """The parameter is absent, or there once, printable and no longer than allowed."""
        held = self.values.get(name)
        if held is None:
            return True
        return len(held) == 1 and len(held[0]) <= longest(name) and _PRINTABLE.match(held[0]) is not None

    def as_dict(self) -> dict[str, str]:
        """One value each, for Authlib; only after every parameter has been found clean.

        Scope values that are not known are left out (OpenID Connect Core §3.1.2.1); the token response names what is.
        """
        known = [value for value in (self.get("scope") or "").split() if value in SCOPES]
        return {name: held[0] for name, held in self.values.items()} | {"scope": " ".join(known)}


def longest(name: str) -> int:
    """The characters that a parameter may have."""
    return LONGEST_STATE if name == "state" else LONGEST


def is_step(values: Sequence[str]) -> bool:
    """Whether `step`, a parameter of ours, says which step of how many the identification is: `2/4`."""
    found = _STEP.match(values[0]) if len(values) == 1 else None
    return found is not None and found[1] <= found[2]
