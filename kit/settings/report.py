"""What is wrong with a configuration: every problem in one report, each with its key and its mend.

A value is shown unless its key holds a secret; a password within a URL is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

_SECRET_KEY = re.compile(r"secret|password|private|token$|identity_codes", re.IGNORECASE)
_SECRET_PATHS = {("store", "url"), ("database", "url")}
_USERINFO = re.compile(r"//[^/@\s]*@")
_SHOWN = 120

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. key: where in the file. value: as shown, None where there is none to show."""

    key: KeyPath
    wrong: str
    value: str | None = None
    allowed: str | None = None
    mend: str | None = None

    def lines(self) -> list[str]:
        """The problem as text: key and value, what is wrong, what is allowed, the mend."""
        head = dotted(self.key) + (f" = {self.value}" if self.value is not None else "")
        lines = [f"  {head}", f"      {self.wrong}"]
        if self.allowed:
            lines.append(f"      allowed: {self.allowed}")
        if self.mend:
            lines.append(f"      mend: {self.mend}")
        return lines


class ConfigurationError(Exception):
    """Our own configuration cannot be used; holds every problem that was found.

    source: the file (or folder) the problems are in.
    """

    def __init__(self, source: Path | str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(self.report())

    def report(self) -> str:
        """All problems as text for a terminal."""
        count = len(self.problems)
        lines = [f"{self.source}: {count} problem{'' if count == 1 else 's'}"]
        for problem in self.problems:
            lines += ["", *problem.lines()]
        return "\n".join(lines)


def dotted(key: KeyPath) -> str:
    """A key path as TOML writes it: `clients.portal.redirect_uris[0]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(the file)"


def shown(key: KeyPath, value: Any) -> str | None:
    """A value as a report may show it; None if it is no scalar; `(hidden)` if the key holds a secret."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path):
        value = str(value)
    if not isinstance(value, str | int | float):
        return None
    names = [part for part in key if isinstance(part, str)]
    if tuple(key) in _SECRET_PATHS or (names and _SECRET_KEY.search(names[-1])):
        return "(hidden)"
    if not isinstance(value, str):
        return str(value)
    text = _USERINFO.sub("//(hidden)@", value)
    return f'"{text if len(text) <= _SHOWN else text[:_SHOWN] + "…"}"'


def refusal(wrong: str, *, mend: str | None = None, allowed: str | None = None) -> PydanticCustomError:
    """An error to raise in a validator; its parts reach the report unchanged."""
    context = {"wrong": wrong, "mend": mend or "", "allowed": allowed or ""}
    return PydanticCustomError("refused", "{wrong}", context)


_WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "add it"),
    "extra_forbidden": ("is not a key of this table", "remove it, or mend its spelling"),
    "string_type": ("is not a string", "put it in quotes"),
    "model_type": ("is not a table", "write it as a [table]"),
    "dict_type": ("is not a table", "write it as a [table]"),
    "tuple_type": ("is not a list", "write it as [ … ]"),
    "too_short": ("has too few entries", "add at least one"),
}


def problems_of(error: ValidationError, prefix: KeyPath = ()) -> list[Problem]:
    """Pydantic's errors as problems; prefix: where the validated part stands in the file."""
    return [_problem(details, prefix) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, prefix: KeyPath) -> Problem:
    key = prefix + tuple(part for part in details["loc"] if part != "[key]")
    kind, context = details["type"], details.get("ctx", {})
    if kind == "refused":
        value = shown(key, details["input"])
        return Problem(key, context["wrong"], value, context["allowed"] or None, context["mend"] or None)
    if kind in _WORDS:
        wrong, mend = _WORDS[kind]
        value = shown(key, details["input"]) if kind == "string_type" else None
        return Problem(key, wrong, value, mend=mend)
    allowed = context.get("expected")
    if kind == "literal_error":
        wrong = "is none of the allowed values"
    elif kind == "string_pattern_mismatch":
        wrong, allowed = "has characters or a form that is not allowed", context.get("pattern")
    else:
        wrong = details["msg"][:1].lower() + details["msg"][1:]
    return Problem(key, wrong, shown(key, details["input"]), allowed and str(allowed))
