"""One identification as a proof: through the broker and a mock bank, verified, and compared with the person."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
import requests
from authlib.common.errors import AuthlibBaseError
from joserfc.errors import JoseError

from demo.runner.client import NotIdentified
from demo.runner.mock_banks import MockBanks


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of one. problem: None if everything is right. milliseconds: of the whole way."""

    row: str
    milliseconds: float
    problem: str | None


class Identifying(Protocol):
    """A client that signs a person in."""

    def identify(self, browser: requests.Session, *, idp_hint: str) -> dict[str, Any]:
        """The verified claims of an identity token. Raises NotIdentified, or what its libraries raise."""


def prove(
    client: Identifying, mock: MockBanks, row: str, face: str, persona: Mapping[str, Any], idp: str | None
) -> Proof:
    """Identify a persona through one row of the chooser. idp: what the token must name, None for nothing."""
    mock.next(face, persona=persona["id"])
    begun = time.perf_counter()
    try:
        with requests.Session() as browser:
            browser.trust_env = False
            claims = client.identify(browser, idp_hint=row)
        problem = differences(claims, persona, idp)
    except (NotIdentified, jwt.PyJWTError, JoseError, AuthlibBaseError, requests.RequestException) as error:
        problem = f"{type(error).__name__}: {error}"
    return Proof(row, (time.perf_counter() - begun) * 1000, problem)


def differences(claims: Mapping[str, Any], persona: Mapping[str, Any], idp: str | None) -> str | None:
    """What in an identity token is not as it must be for a persona, None if nothing is."""
    wanted = {
        "given_name": unicodedata.normalize("NFC", persona["given_name"]),
        "family_name": unicodedata.normalize("NFC", persona["family_name"]),
        "birthdate": persona["birthdate"],
        "acr": "http://ftn.ficora.fi/2017/loatest2",
        "idp": idp,
    }
    wrong = [name for name, value in wanted.items() if claims.get(name) != value]
    if "personal_identity_code" in claims:
        wrong.append("personal_identity_code")
    wrong += [name for name in ("sub", "txn", "at_hash") if not claims.get(name)]
    return f"wrong or missing: {', '.join(wrong)}" if wrong else None
