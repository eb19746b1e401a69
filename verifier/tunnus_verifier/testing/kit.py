"""The bad tokens as one JSON file, for the tests of services in any language.

    python -m tunnus_verifier.testing.kit ES256 > bad-tokens-es256.json

Good tokens and bad ones of one issuer, with its keys, the time at which they are to be looked at, and what a verifier
must say. A member's meaning never changes within a `version`; members and tokens may be added.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tunnus_verifier.testing.bad_tokens import BAD_TOKENS, POLICY_TOKENS
from tunnus_verifier.testing.mint import TokenMint

VERSION = 1
CLOCK = 1_767_225_600
"""2026-01-01, in seconds since the epoch."""
MAX_AGE = 3600
"""Seconds, for the token that was authenticated too long ago."""
PARTY = "portal"

TOLERABLE = frozenset(
    {
        "with_a_blank",
        "huge",
        "kid_missing",
        "b64",
        "exp_text",
        "exp_fraction",
        "exp_endless",
        "sub_number",
        "amr_number",
        "name_list",
        "personal_identity_code_number",
        "birthdate_of_no_day",
        "birthdate_year",
        "birthdate_without_hyphens",
    }
)
"""Signed by the issuer all the same, and the broker never makes them: a library may let them pass."""


def build(algorithm: str) -> dict[str, Any]:
    """The file's content. algorithm: ES256 or RS256, of the issuer's keys."""
    mint = TokenMint(algorithm=algorithm, clock=lambda: CLOCK)
    good = {"good": mint.token(), "good_handed_on": mint.token(aud=[PARTY, mint.audience], azp=PARTY)}
    tokens: list[dict[str, Any]] = [{"name": name, "token": good[name], "expected": "accept"} for name in good]
    for bad in (*BAD_TOKENS.values(), *POLICY_TOKENS.values()):
        tokens.append(
            {
                "name": bad.name,
                "token": bad.make(mint),
                "expected": "either" if bad.name in TOLERABLE else "refuse",
                "error": bad.error.code,
                "claim": bad.claim,
                "needs": bad.needs,
            }
        )
    return {
        "version": VERSION,
        "clock": CLOCK,
        "issuer": mint.issuer,
        "audience": mint.audience,
        "authorized_parties": [PARTY],
        "accepted_acr": [mint.acr],
        "max_age": MAX_AGE,
        "nonce": "made-up-nonce",
        "jwks": mint.jwks(),
        "tokens": tokens,
    }


if __name__ == "__main__":
    json.dump(build(*sys.argv[1:]), sys.stdout, indent=1)
    sys.stdout.write("\n")
