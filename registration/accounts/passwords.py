"""Passwords: which are taken, and how they are kept. Argon2id by argon2-cffi (RFC 9106 §4, second choice)."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kit import logs
from kit.pages.languages import N_
from kit.typed_text import LONGEST_TYPED, plain, visible
from registration.accounts.names import user_name_key
from registration.accounts.strength import is_common

LEAST, MOST = 8, 256
KINDS_NEEDED = 3
RETRY_AFTER = 5
"""Seconds after which one who found the queue full may come again."""

TOO_SHORT = N_("Use at least 8 characters.")
TOO_LONG = N_("Use at most 256 characters.")
ONE_KIND_MORE = N_("Add one more kind of character, for example a number.")
TWO_KINDS_MORE = N_("Add two more kinds of character, for example a number and a capital letter.")
IS_USER_NAME = N_("Choose a password that is not your username.")
BUSY = N_("The service is very busy right now. Try again in a moment.")
COMMON = N_("This password is among the most common ones. Choose another.")


class Busy(Exception):
    """More is being hashed than there is room for; nothing was."""


class Passwords:
    """Hashes and verifies, a few at a time: each takes that much memory while it runs.

    room: how many may hash or wait for it at a time, so that other requests keep their threads.
    """

    def __init__(self, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 4, *, room: int = 16) -> None:
        self._hasher = PasswordHasher(time_cost, memory_kib, parallelism)
        self._places = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
        self._room, self._share = room, max(1, room // 2)
        self._inside: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._nobody = self._hasher.hash("nobody has this password")

    @contextmanager
    def admitted(self, *whose: str) -> Iterator[None]:
        """A place in the queue for what hashes or verifies. Raises Busy.

        whose: the networks of a client, or a person. None of them gets more than half of the room, so that a flood
        from one keeps nobody else waiting.
        """
        names = ("", *whose)  # all of them together are the first
        with self._lock:
            if any(self._inside[name] >= (self._room if name == "" else self._share) for name in names):
                logs.add(limit="passwords_at_once")
                raise Busy
            self._inside.update(names)
        try:
            yield
        finally:
            with self._lock:
                self._inside -= Counter(names)  # drops what has come to none

    @property
    def room(self) -> int:
        """How many may be inside."""
        return self._room

    @property
    def inside(self) -> int:
        """How many hash now, or wait for it."""
        return self._inside[""]

    def hash(self, password: str) -> str:
        """The password's Argon2id hash, with its parameters and salt."""
        with self._places:
            return self._hasher.hash(normal(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the one. hashed: None if there is no such account; it takes as long."""
        with self._places:
            try:
                self._hasher.verify(hashed or self._nobody, normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)


def normal(password: str) -> str:
    """A password in one form, where it is chosen and where it is typed: every keyboard and clipboard gives the same."""
    return plain(visible(password[: LONGEST_TYPED + 1]))  # and one more: a longer one is no other's equal


def problem_of(password: str, user_name: str) -> str | None:
    """What is wrong with a new password, as a msgid; None if it is taken."""
    if len(password) > LONGEST_TYPED:
        return TOO_LONG
    text = normal(password)
    if len(text) < LEAST:
        return TOO_SHORT
    if len(text) > MOST:
        return TOO_LONG
    missing = KINDS_NEEDED - len({_kind(character) for character in text})
    if missing > 0:
        return ONE_KIND_MORE if missing == 1 else TWO_KINDS_MORE
    if user_name and user_name_key(text) == user_name_key(user_name):
        return IS_USER_NAME
    return COMMON if is_common(text, user_name) else None


def _kind(character: str) -> str:
    """Upper, lower, digit or special, by Unicode: Å is upper, ß is lower; letters without case count as lower."""
    if character.isupper() or unicodedata.category(character) == "Lt":
        return "upper"
    if character.isalpha():
        return "lower"
    return "digit" if character.isdigit() else "special"
