"""What the shipped templates hold for the operator to fill in: production refuses to publish it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kit.settings.hosts import kind_of
from kit.settings.report import KeyPath, Problem, shown

FILL_IN = "fill in the real one"
_NAMES = re.compile(
    r"esimerkki(energia|välittäjä)|exempel(energi|förmedlaren)|example (energy|broker)|toinen välittäjä"
    r"|andra förmedlaren|second broker",
    re.IGNORECASE,
)
"""Organisations of the examples."""
_SENTENCES = re.compile(
    r"terms are made up|ehdot ovat keksittyjä|villkor är påhittade"
    r"|statement is a template|seloste on mallipohja|utlåtandet är en mall",
    re.IGNORECASE,
)
"""Of config/terms and config/accessibility, in three languages."""
_HOSTS = re.compile(r"(?:://|@)([A-Za-z0-9.\-]+)")
_PHONE = re.compile(r"\+?[0-9][0-9 ()\u00a0\-]{6,}[0-9]")
_BRACKETS = re.compile(r"\[([^\[\]]{3,})\](?![(:\[])", re.DOTALL)
_SECRETS = frozenset(
    hashlib.sha256(word.encode()).hexdigest()
    for word in ("", "secret", "client-secret", "client_secret", "password", "changeme", "change-me", "change_me",
                 "example", "test", "tunnus", "demo", "registration", "customer-service", "admin", "postgres", "valkey",
                 "redis", "token", "12345678", "qwerty", "letmein", "replace-me", "todo", "xxx")
)  # fmt: skip


def is_placeholder_phone(text: str) -> bool:
    """Whether a telephone number is `+358 9 000 0000` or one like it: nobody has seven zeros at the end."""
    return re.sub(r"\D", "", text).endswith("0000000")


def placeholder_in(text: str, *, prose: bool = False) -> str | None:
    """The first thing in a text that a template holds for the operator to fill in; None if there is none.

    prose: there may be telephone numbers and the words of a whole template in it.
    """
    if found := _NAMES.search(text) or (_SENTENCES.search(text) if prose else None):
        return found[0]
    hosts = (str(host) for host in _HOSTS.findall(text) if kind_of(host) == "placeholder")
    phones = (number for number in (_PHONE.findall(text) if prose else ()) if is_placeholder_phone(number))
    return next(hosts, None) or next(phones, None)


def placeholder_texts(part: Any, key: KeyPath = ()) -> Iterator[Problem]:
    """Every text of a table, and of all tables in it, that still stands as in an example."""
    if isinstance(part, str):
        if placeholder_in(part) or (key and key[-1] == "phone" and is_placeholder_phone(part)):
            yield Problem(key, "is still a placeholder", shown(key, part), mend=FILL_IN)
    elif isinstance(part, BaseModel):
        names = (*type(part).model_fields, *(part.model_extra or {}))
        for name in names:
            yield from placeholder_texts(getattr(part, name, None), (*key, name))
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from placeholder_texts(value, (*key, name))
    elif isinstance(part, tuple):
        for number, value in enumerate(part):
            yield from placeholder_texts(value, (*key, number))


def placeholder_files(folder: Path | None, key: KeyPath, *, brackets: bool = False) -> Iterator[Problem]:
    """Texts in a folder (or the file) that still stand as in a template. brackets: [what is in them] is to be filled.

    Files that cannot be read are another check's.
    """
    if folder is None:
        return
    files = [folder] if folder.is_file() else sorted(folder.glob("*.md"))
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if file.suffix == ".toml":
            text = re.sub(r"(?m)^\s*#.*$", "", text)
        found = placeholder_in(text, prose=True)
        if found is None and brackets and (bracket := _BRACKETS.search(text)):
            found = bracket[0]
        if found is not None:
            wrong = f"is still a placeholder: {file.name} has “{' '.join(found.split())[:60]}”"
            yield Problem(key, wrong, shown(key, folder), mend="write your own text, and remove what is an example")


def example_secrets(secrets: Mapping[KeyPath, str | None]) -> Iterator[Problem]:
    """Secrets, by key, that are an example's: everybody's first guess. Of a header, its last word."""
    for key, value in secrets.items():
        word = (value or "").rpartition(" ")[2]
        if word and hashlib.sha256(word.casefold().encode()).hexdigest() in _SECRETS:
            wrong = "is still a placeholder, the secret of an example"
            yield Problem(key, wrong, "(hidden)", mend="make one: openssl rand -base64 33")


def is_example_hash(value: str, name: str) -> bool:
    """Whether a `sha256:` hash of a client's secret is an example's: one digit throughout, or of a word or its name."""
    digest = value.removeprefix("sha256:")
    return len(set(digest)) == 1 or digest in _SECRETS or digest == hashlib.sha256(name.encode()).hexdigest()
