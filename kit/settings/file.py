"""Reading a configuration file: TOML, with values from the environment or from secret files put in.

`${NAME}` stands for an environment variable, `${NAME:-default}` gives it a default, also where it is empty. Where
NAME is not set and NAME_FILE is, the value is the content of that file: so that a secret needs to be neither in
the configuration nor in the environment.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.settings.report import ConfigurationError, KeyPath, Problem

_INNERMOST = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^${}]*))?\}")
_LEFT_OPEN = re.compile(r"\$\{")
_OPENING = "\x00"
"""Stands for `${` in a value that was put in, so that it is not read again."""


def read_toml(path: Path) -> dict[str, Any]:
    """The file's content, nothing put in yet. Raises ConfigurationError if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = Problem((), f"cannot be read: {error.strerror}", mend="mend the path, or who may read it")
    except UnicodeDecodeError:
        problem = Problem((), "is not UTF-8", mend="save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problem = Problem((), f"is not TOML: {error}", mend="mend the line it names")
    raise ConfigurationError(path, [problem])


def substitute(value: Any, environ: Mapping[str, str], problems: list[Problem], key: KeyPath = ()) -> Any:
    """A copy of TOML data with every `${…}` in its strings replaced; what cannot be is added to problems."""
    if isinstance(value, dict):
        return {name: substitute(part, environ, problems, (*key, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [substitute(part, environ, problems, (*key, number)) for number, part in enumerate(value)]
    return _substitute_text(value, environ, problems, key) if isinstance(value, str) else value


def _substitute_text(text: str, environ: Mapping[str, str], problems: list[Problem], key: KeyPath) -> str:
    original = text

    def replace(match: re.Match[str]) -> str:
        name, default = match.groups()
        try:
            found = _lookup(name, environ)
        except OSError as error:
            problems.append(
                Problem(key, f"{name}_FILE cannot be read: {error.strerror}", f'"{original}"', mend="mend the path")
            )
            return ""
        except ValueError:  # no UTF-8, or a path that cannot be one
            wrong, mend = f"{name}_FILE names no text in UTF-8", "save the file as UTF-8, or mend the path"
            problems.append(Problem(key, wrong, f'"{original}"', mend=mend))
            return ""
        if found is None and default is None:
            mend = f"set {name} or {name}_FILE, or write ${{{name}:-default}}"
            problems.append(Problem(key, f"environment variable {name} is not set", f'"{original}"', mend=mend))
        return (found or default or "").replace("${", _OPENING)

    while _INNERMOST.search(text):
        text = _INNERMOST.sub(replace, text)
    if _LEFT_OPEN.search(text):
        problems.append(
            Problem(key, "has a ${ that does not close", f'"{original}"', allowed="${NAME} or ${NAME:-default}")
        )
    return text.replace(_OPENING, "${")


def _lookup(name: str, environ: Mapping[str, str]) -> str | None:
    if name in environ:
        return environ[name]
    file = environ.get(f"{name}_FILE")
    return Path(file).read_text(encoding="utf-8-sig").strip() if file else None
