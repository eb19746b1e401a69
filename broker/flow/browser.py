"""What binds transactions to the browser that began them: its secret, and a cookie for each transaction.

    tunnus_browser    <secret>                                   one for a browser, for a day from its last start
    tunnus_t_<slot>   <secret>.<progress><since>.<client id>     one for a transaction, under 100 bytes

A transaction's id ends in a digest of the secret in its cookie: so nothing is stored to bind it, and two first
requests at once in a browser without cookies do not overwrite each other. Either cookie proves the browser. The
rest of the value proves nothing: it says which transactions of a browser are open, and which service a person came
from whose request was forgotten because nobody acted on it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Request, Response
from werkzeug.http import dump_cookie

from broker.flow.records import TRANSACTION_LIFETIME, UNTOUCHED_LIFETIME, Progress
from broker.store import new_slot, slot_of

LIFETIME = 24 * 3600
"""Seconds the cookies are kept: as long as the way back."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_VALUE = re.compile(r"([A-Za-z0-9_-]{22})\.([nhad])([0-9a-f]{8})\.([a-z0-9][a-z0-9-]{0,39})\Z")
_ID_LENGTH = 32
_LETTERS = {Progress.NEW: "n", Progress.HINTED: "h", Progress.ACTED: "a", Progress.DONE: "d"}
_PROGRESS = {letter: progress for progress, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class TransactionCookie:
    """The cookie of a transaction. since: seconds since the epoch at which it got as far as `progress` says."""

    slot: str
    secret: str = field(repr=False)
    progress: Progress
    since: int
    client: str

    @staticmethod
    def new(client: str, now: int) -> TransactionCookie:
        """For a fresh transaction, in a slot of its own: 128 random bits."""
        return TransactionCookie(new_slot(), secrets.token_urlsafe(16), Progress.NEW, now, client)

    @property
    def transaction(self) -> str:
        """The id of the transaction: whoever knows it cannot tell the secret."""
        digest = hashlib.sha256(f"transaction\0{self.secret}".encode()).digest()
        return self.slot + base64.urlsafe_b64encode(digest).decode()[:_ID_LENGTH]

    @property
    def value(self) -> str:
        """As it stands in the cookie."""
        return f"{self.secret}.{_LETTERS[self.progress]}{self.since:08x}.{self.client}"

    def is_open(self, now: int) -> bool:
        """Whether the transaction can be open still."""
        if self.progress is Progress.DONE:
            return False
        return now < self.since + (UNTOUCHED_LIFETIME if self.progress is Progress.NEW else TRANSACTION_LIFETIME)


@dataclass(frozen=True, slots=True)
class Browser:
    """What a request brought of our cookies. transactions: by slot."""

    secret: str | None = field(repr=False)
    transactions: Mapping[str, TransactionCookie] = field(repr=False)

    def began(self, transaction: str, browser: str) -> bool:
        """Whether this browser began a transaction. browser: the fingerprint that was kept of the one that did."""
        by_secret = self.secret is not None and fingerprint(self.secret) == browser
        return by_secret or self.cookie_of(transaction) is not None

    def cookie_of(self, transaction: str) -> TransactionCookie | None:
        """The cookie of a transaction that this browser began."""
        cookie = self.transactions.get(slot_of(transaction))
        return cookie if cookie is not None and cookie.transaction == transaction else None


class BrowserCookies:
    """Reads and sets the cookies. secure: the issuer is https, so `__Host-` and `Secure` are used.

    Lax: they must come along when the bank sends the person back.
    """

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        prefix = "__Host-" if secure else ""
        self.name = f"{prefix}tunnus_browser"
        self._transaction = f"{prefix}tunnus_t_"
        self._attributes = dump_cookie("", max_age=LIFETIME, secure=secure, httponly=True, samesite="Lax")[1:]
        self._named = re.compile(re.escape(self._transaction) + r"([0-9a-f]{8})\Z")

    def read(self, request: Request, now: int) -> Browser:
        """The cookies that we could have set, and that are no older than the day we set them for."""
        secret = request.cookies.get(self.name, "")
        found = (self._read(name, value) for name, value in request.cookies.items())
        known = {cookie.slot: cookie for cookie in found if cookie is not None and now < cookie.since + LIFETIME}
        return Browser(secret if _SECRET.match(secret) else None, known)

    def _read(self, name: str, value: str) -> TransactionCookie | None:
        named, parts = self._named.match(name), _VALUE.match(value)
        if named is None or parts is None:
            return None
        return TransactionCookie(named[1], parts[1], _PROGRESS[parts[2]], int(parts[3], 16), parts[4])

    def new_secret(self) -> str:
        """A secret for a browser that has none: 256 random bits."""
        return secrets.token_urlsafe(32)

    def set_secret(self, response: Response, secret: str) -> None:
        """Give the browser its secret, or keep it for another day."""
        self._set(response, self.name, secret)

    def set_transaction(self, response: Response, cookie: TransactionCookie) -> None:
        """Give the browser the cookie of a transaction, as far as that has got."""
        self._set(response, self._transaction + cookie.slot, cookie.value)

    def remove_transaction(self, response: Response, cookie: TransactionCookie) -> None:
        """Take it away."""
        name = self._transaction + cookie.slot
        response.delete_cookie(name, secure=self.secure, httponly=True, samesite="Lax", path="/")

    def _set(self, response: Response, name: str, value: str) -> None:
        response.headers.add("Set-Cookie", f"{name}={value}{self._attributes}")  # what we set needs no quotes


def fingerprint(secret: str) -> str:
    """What the store keeps of a browser's secret: its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()
