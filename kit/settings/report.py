"""What is wrong with a configuration: every problem in one report, each with its key and its mend.

A value is shown unless its key holds a secret; a password within a URL is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

_SECRET_KEY = re.compile(r"secret|password|private|token$|identity_codes", re.IGNORECASE)
_SECRET_PATHS = {("store", "url"), ("database", "url")}
_USERINFO = re.compile(r"//[^/@\s]*@")
_SHOWN = 120

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. key: where in the file. value: as shown, None where there is none to show.

    source: the file, where it is another than the report's.
    """

    key: KeyPath
    wrong: str
    value: str | None = None
    allowed: str | None = None
    mend: str | None = None
    source: Path | str | None = None

    def lines(self) -> list[str]:
        """The problem as text: key and value, what is wrong, what is allowed, the mend."""
        head = dotted(self.key) + (f" = {self.value}" if self.value is not None else "")
        lines = [f"  {self.source}: {head}" if self.source else f"  {head}", f"      {self.wrong}"]
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
    "int_parsing": ("is not a whole number", "write it in digits, without quotes: 8000"),
    "int_type": ("is not a whole number", "write it in digits, without quotes: 8000"),
    "int_from_float": ("is not a whole number", "leave out what follows the point"),
    "float_parsing": ("is not a number", "write it in digits, without quotes: 2.5"),
    "float_type": ("is not a number", "write it in digits, without quotes: 2.5"),
    "bool_parsing": ("is neither true nor false", "write true or false, without quotes"),
    "bool_type": ("is neither true nor false", "write true or false, without quotes"),
}
_WITHOUT_VALUE = frozenset({"missing", "extra_forbidden", "model_type", "dict_type", "tuple_type", "too_short"})


def near(text: Any, known: Iterable[str]) -> str | None:
    """The known word that somebody meant who wrote another; None if none is near."""
    by_key = {_plain(word): word for word in known}
    found = get_close_matches(_plain(str(text)), by_key, n=1, cutoff=0.7)
    return by_key[found[0]] if found else None


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")


def meant(text: Any, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """The mend of a mistyped word: the near one, else what is said otherwise."""
    word = near(text, known)
    return f'did you mean "{word}"?' if word else otherwise


def problems_of(error: ValidationError, prefix: KeyPath = (), model: type[BaseModel] | None = None) -> list[Problem]:
    """Pydantic's errors as problems; prefix: where the validated part stands in the file. model: what it is."""
    return [_problem(details, prefix, model) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, prefix: KeyPath, model: type[BaseModel] | None) -> Problem:
    key = prefix + tuple(part for part in details["loc"] if part != "[key]")
    kind, context = details["type"], details.get("ctx", {})
    if kind == "refused":
        value = shown(key, details["input"])
        return Problem(key, context["wrong"], value, context["allowed"] or None, context["mend"] or None)
    if kind in _WORDS:
        wrong, mend = _WORDS[kind]
        if kind == "extra_forbidden":
            mend = meant(details["loc"][-1], _keys_beside(model, details["loc"]), mend) or mend
        value = None if kind in _WITHOUT_VALUE else shown(key, details["input"])
        return Problem(key, wrong, value, mend=mend)
    allowed, mend_near = context.get("expected"), None
    if kind == "literal_error":
        wrong = "is none of the allowed values"
        mend_near = meant(details["input"], re.findall(r"'([^']*)'", str(allowed)))
    elif kind == "string_pattern_mismatch":
        wrong, allowed = "has characters or a form that is not allowed", context.get("pattern")
    else:
        wrong = details["msg"][:1].lower() + details["msg"][1:]
    return Problem(key, wrong, shown(key, details["input"]), allowed and str(allowed), mend_near)


def _keys_beside(model: Any, place: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that the table has in which a key stands. place: the key's path in the model."""
    for part in place[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        model = _table_in(field.annotation) if field is not None else model
    return tuple(getattr(model, "model_fields", ()))


def _table_in(kind: Any) -> Any:
    """The model within `Model`, `Model | None`, `dict[…, Model]` or `tuple[Model, …]`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for part in get_args(kind) if (found := _table_in(part)) is not None), None)
