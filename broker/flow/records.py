"""What the flow keeps in the store of a transaction: itself, the way back, its problem. See `attempts` for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from broker.oidc.requests import AuthorizationRequest
from broker.reference import new_reference
from broker.store import Entry, Key, from_members, slotted, to_members

UNTOUCHED_LIFETIME = 10 * 60
"""Seconds a transaction lives that nobody has acted on."""
TRANSACTION_LIFETIME = 30 * 60
"""Seconds it lives, at least, from the first act on."""
EXTENSION = 20 * 60
"""Seconds a transaction lives on, at least, once an attempt has been started."""
RETURN_LIFETIME = 24 * 3600
"""Seconds the way back is kept beyond the transaction, once somebody has acted on that."""
HINTED_LIFETIME = 2 * 3600
"""Seconds it is kept while nobody has come back from the bank that a client's hint has led to."""
PROBLEM_LIFETIME = 600
MOST_ATTEMPTS = 20
MOST_TRANSACTIONS = 20
"""Per transaction and per browser."""
FREE_ATTEMPTS = 3
"""Of a transaction, which no limit stops: a person who cancels or chooses another bank is under way."""


class Progress(StrEnum):
    """How far a transaction has got.

    NEW: nobody has acted on it. HINTED: it went to a bank by the client's hint. ACTED: the person has acted on it,
    here or at a bank. DONE: it has ended in a code; only the browser's cookie says so.
    """

    NEW = "new"
    HINTED = "hinted"
    ACTED = "acted"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the last attempt ended, for the page that tells it. row: the chooser row; at: seconds since the epoch."""

    code: str
    row: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A client's authorization request on its way. browser: fingerprint of the browser's secret.

    counted: what limits give back at the first act.
    """

    id: str = field(repr=False)
    txn: str
    request: AuthorizationRequest
    browser: str = field(repr=False)
    locale: str
    created_at: int
    expires_at: int
    problem: Problem | None = None
    hint_unusable: bool = False
    progress: Progress = Progress.NEW
    counted: tuple[str, ...] = field(default=(), repr=False)

    @staticmethod
    def new(id: str, request: AuthorizationRequest, browser: str, locale: str, now: int) -> Transaction:
        """A fresh transaction."""
        return Transaction(
            id=id,
            txn=new_reference(),
            request=request,
            browser=browser,
            locale=locale,
            created_at=now,
            expires_at=now + UNTOUCHED_LIFETIME,
        )

    @property
    def key(self) -> Key:
        """Where it stands."""
        return transaction_key(self.id)

    def acted_on(self, now: int, progress: Progress, locale: str) -> Transaction:
        """The same after an act: its last problem forgotten, with at least EXTENSION seconds to go; more at the first.

        locale: of the page that the person acted on.
        """
        least = TRANSACTION_LIFETIME if self.progress is Progress.NEW else EXTENSION
        return replace(
            self,
            expires_at=max(self.expires_at, now + least),
            locale=locale,
            problem=None,
            hint_unusable=False,
            progress=Progress.ACTED if self.progress is Progress.ACTED else progress,
            counted=(),
        )

    def with_unusable_hint(self) -> Transaction:
        """The same, its chooser telling that the client's hint could not be followed."""
        return replace(self, hint_unusable=True)

    def entry(self, now: int) -> Entry:
        """To put it."""
        problem = to_members(self.problem) if self.problem else None
        value = to_members(self) | {"request": self.request.to_json(), "problem": problem}
        return Entry(self.key, value, self.expires_at - now)

    @staticmethod
    def from_json(value: dict[str, Any]) -> Transaction:
        """The reverse of `entry`."""
        problem = from_members(Problem, value["problem"]) if value["problem"] else None
        request = AuthorizationRequest.from_json(value["request"])
        progress = Progress(value.get("progress", Progress.NEW))
        typed = {"request": request, "problem": problem, "progress": progress}
        return from_members(Transaction, value | typed | {"counted": tuple(value.get("counted", ()))})


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """What is needed to send a person back with an OAuth error, and nothing more."""

    transaction: str = field(repr=False)
    txn: str
    client_id: str
    redirect_uri: str = field(repr=False)
    state: str | None = field(repr=False)
    browser: str = field(repr=False)
    locale: str
    row: str | None = None
    attempt: str | None = None
    response_mode: str | None = None

    @staticmethod
    def of(transaction: Transaction) -> ReturnRecord:
        """The way back from a transaction."""
        request = transaction.request
        return ReturnRecord(
            transaction=transaction.id,
            txn=transaction.txn,
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            state=request.state,
            response_mode=request.response_mode,
            browser=transaction.browser,
            locale=transaction.locale,
        )

    def for_attempt(self, row: str, attempt: str) -> ReturnRecord:
        """The same for one attempt; what the client is sent stands in the transaction's and not in each of these."""
        return replace(self, redirect_uri="", state=None, response_mode=None, row=row, attempt=attempt)

    def entry(self, key: Key, progress: Progress) -> Entry:
        """To put it under the transaction's id or under the state of an attempt. progress: of the transaction."""
        hinted = progress is Progress.HINTED
        return Entry(key, to_members(self), HINTED_LIFETIME if hinted else TRANSACTION_LIFETIME + RETURN_LIFETIME)


@dataclass(frozen=True, slots=True)
class ProblemWithoutTransaction:
    """A problem that stands on no transaction. transaction: the one it is about, for the way back."""

    reference: str
    problem: Problem
    locale: str
    transaction: str | None = field(default=None, repr=False)

    def entry(self) -> Entry:
        """To put it under its reference."""
        value = to_members(self) | {"problem": to_members(self.problem)}
        return Entry(problem_key(self.reference), value, PROBLEM_LIFETIME)

    @staticmethod
    def from_json(value: dict[str, Any]) -> ProblemWithoutTransaction:
        """The reverse of `entry`."""
        return from_members(ProblemWithoutTransaction, value | {"problem": from_members(Problem, value["problem"])})


def transaction_key(transaction: str) -> Key:
    """Where a transaction stands."""
    return slotted("transaction", transaction)


def return_key(transaction: str) -> Key:
    """Where the way back from a transaction stands."""
    return slotted("return", transaction)


def return_state_key(handle: str) -> Key:
    """Where the way back from an attempt stands."""
    return slotted("return-state", handle)


def problem_key(reference: str) -> Key:
    """Where a problem without a transaction stands; outside every slot."""
    return Key("problem", "", reference)
