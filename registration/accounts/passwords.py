"""Passwords: which are taken, and how they are kept. Argon2id by argon2-cffi (RFC 9106 §4, second choice)."""

from __future__ import annotations

import os
import threading
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from kit.pages.languages import N_
from registration.accounts.names import user_name_key
from registration.typed_text import plain, visible

LEAST, MOST = 8, 256
KINDS_NEEDED = 3
LEAST_SCORE = 2
"""Of zxcvbn: fewer than a million guesses is too few."""
_WORDS = (Path(__file__).parent / "common_words.txt").read_text(encoding="utf-8").split()
"""What people here make passwords of, for zxcvbn, whose lists are of English."""
_GUESSED_LENGTH = 72
"""Characters that zxcvbn looks at: its time grows faster than their number."""

TOO_SHORT = N_("Use at least 8 characters.")
TOO_LONG = N_("Use at most 256 characters.")
ONE_KIND_MORE = N_("Add one more kind of character, for example a number.")
TWO_KINDS_MORE = N_("Add two more kinds of character, for example a number and a capital letter.")
IS_USER_NAME = N_("Choose a password that is not your username.")
COMMON = N_("This password is among the most common ones. Choose another.")


class Passwords:
    """Hashes and verifies, a few at a time: each takes that much memory while it runs."""

    def __init__(self, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost, memory_kib, parallelism)
        self._places = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
        self._nobody = self._hasher.hash("nobody has this password")

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
    return plain(visible(password))


def problem_of(password: str, user_name: str) -> str | None:
    """What is wrong with a new password, as a msgid; None if it is taken."""
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
    guessed = zxcvbn(text[:_GUESSED_LENGTH], user_inputs=[*_WORDS, user_name], max_length=_GUESSED_LENGTH)
    return COMMON if guessed["score"] < LEAST_SCORE else None


def _kind(character: str) -> str:
    """Upper, lower, digit or special, by Unicode: Å is upper, ß is lower; letters without case count as lower."""
    if character.isupper() or unicodedata.category(character) == "Lt":
        return "upper"
    if character.isalpha():
        return "lower"
    return "digit" if character.isdigit() else "special"
