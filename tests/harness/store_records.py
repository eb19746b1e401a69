"""A record of every kind as today's broker writes it, and how it reads one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from broker.flow.attempts import AttemptRecord, Claim, Outcome
from broker.flow.records import Problem, ProblemWithoutTransaction, Progress, ReturnRecord, Transaction
from broker.oidc import AuthorizationRequest
from broker.oidc.codes import AuthorizationCode
from broker.oidc.refused import RefusedRequest
from broker.store import from_members, to_members
from broker.store.formats import FORMATS
from providers.model import Attempt

NOW = 1_790_000_000
SLOT = "0a1b2c3d"
ID = SLOT + "4e5f60718293a4b5c6d7e8f9"
SECRET = SLOT + "s" * 43
HISTORY = "4e12ecab22410ff07ce9fb15d442822a407f6b0d"
BROWSER = "b" * 64
PROBLEM = Problem("cancelled", "nordea", NOW)
BARE = AuthorizationRequest("portal", "https://portal.example/back", "openid")
FULL = AuthorizationRequest(
    client_id="portal",
    redirect_uri="https://portal.example/back",
    scope="openid profile",
    state="a-state",
    nonce="a-nonce",
    code_challenge="c" * 43,
    ui_locales="sv fi",
    response_mode="form_post",
    acr_values="http://ftn.ficora.fi/2017/loatest2",
    max_age="0",
    prompt="login",
    idp_hint="nordea",
    step="2/4",
)
NEW = Transaction(ID, "A" * 26, BARE, BROWSER, "fi", NOW, NOW + 600)
ACTED = Transaction(
    ID, "A" * 26, FULL, BROWSER, "sv", NOW, NOW + 1800, PROBLEM, True, Progress.ACTED, ("open:1", "open:2")
)
ATTEMPT = Attempt("shared", "nordea", ("http://ftn.ficora.fi/2017/loatest2",), NOW, NOW + 900, {"nonce": "n" * 64})
RECORD = AttemptRecord("e" * 32, "nordea", ID, BROWSER, ATTEMPT)
CLAIM = Claim("f" * 64, BROWSER, ID, "nordea", NOW)
CLAIMS = {
    "sub": "a-subject",
    "acr": "http://ftn.ficora.fi/2017/loatest2",
    "amr": ["https://bank.example/amr"],
    "auth_time": NOW,
    "idp": "nordea",
    "txn": "A" * 26,
    "given_name": "Testi",
    "family_name": "Henkilö",
}
PUSHED = replace(FULL, response_mode="jwt", dpop_jkt="j" * 43)
BROUGHT = replace(NEW, request=replace(PUSHED, pushed=SECRET))
CODE = AuthorizationCode("portal", "https://portal.example/back", "openid profile", "a-nonce", "c" * 43, CLAIMS, NOW)

RECORDS: Mapping[str, tuple[Any, ...]] = {
    "transaction": (ACTED, NEW, BROUGHT),
    "return": (ReturnRecord.of(ACTED), ReturnRecord.of(NEW)),
    "return-state": (ReturnRecord.of(ACTED).for_attempt("nordea", RECORD.id),),
    "problem": (
        ProblemWithoutTransaction("B" * 26, PROBLEM, "fi", ID),
        ProblemWithoutTransaction("B" * 26, Problem("expired", None, NOW), "en"),
    ),
    "attempt": (RECORD, replace(RECORD, attempt=replace(ATTEMPT, provider=None, acr_values=()))),
    "claim": (CLAIM, replace(CLAIM, over=True), replace(CLAIM, row="", handle=SECRET)),
    "outcome": (Outcome("https://portal.example/back?code=a-code"),),
    "code": (
        CODE,
        replace(CODE, nonce=None, code_challenge=None),
        replace(CODE, history=HISTORY),
        replace(CODE, dpop_jkt="j" * 43, lifetime=60),
    ),
    "refused": (
        RefusedRequest(NOW, "portal", "redirect_uri is not registered", "portal", "https://x.example/", None, "C" * 26),
        RefusedRequest(NOW, None, "client_id is not known"),
    ),
    # What these hold is written and read as it is, without a class of its own.
    "used-code": ({"access_token": SECRET, "by": "a" * 64, "at": NOW}, {"access_token": SECRET}),
    "token": (
        {"claims": {"sub": "a-subject", "given_name": "Testi", "family_name": "Henkilö"}},
        {
            "claims": {"sub": "a-subject"},
            "cnf": {"jkt": "j" * 43, "x5t#S256": "x" * 43},
            "client_id": "payments",
        },
        {"ended": True},
        {"ended": True, "unsent": True},
    ),
    "jti": ({"use": "0123456789abcdef"},),
    "dpop-jti": ({"use": "0123456789abcdef"},),
    "pushed": (PUSHED,),
    "used-pushed": ({"transaction": ID},),
}


def written(record: Any) -> dict[str, Any]:
    """What of a record goes to the store."""
    if isinstance(record, dict):
        return record
    if isinstance(record, AuthorizationRequest):
        return record.to_json()
    if isinstance(record, Transaction):
        return record.entry(NOW).value
    if isinstance(record, AttemptRecord):
        return record.entry(SECRET, NOW).value
    if isinstance(record, Claim):
        return record.entry(SECRET).value
    if isinstance(record, ProblemWithoutTransaction):
        return record.entry().value
    if isinstance(record, AuthorizationCode):
        return record.entry(SECRET).value
    return to_members(record)


READERS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "transaction": Transaction.from_json,
    "return": lambda value: from_members(ReturnRecord, value),
    "return-state": lambda value: from_members(ReturnRecord, value),
    "problem": ProblemWithoutTransaction.from_json,
    "attempt": AttemptRecord.from_json,
    "claim": lambda value: from_members(Claim, value),
    "outcome": lambda value: from_members(Outcome, value),
    "code": AuthorizationCode.from_json,
    "refused": lambda value: from_members(RefusedRequest, value),
    "used-code": dict,
    "token": dict,
    "jti": dict,
    "dpop-jti": dict,
    "pushed": AuthorizationRequest.from_json,
    "used-pushed": dict,
}


@contextmanager
def newer_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is done in this context is done by brokers that know one more format of every kind of record."""
    with monkeypatch.context() as patch:
        for kind, number in list(FORMATS.items()):
            patch.setitem(FORMATS, kind, number + 1)  # type: ignore[arg-type]
        yield
