"""Clients that stand in files of their own (`clients_from`), beside those of the configuration.

A file holds `[clients.<id>]` sections as the configuration has them, and nothing else; a relative path counts from it.
The broker reads them again while it runs (`broker.oidc.client_files`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from broker.settings.checks import problems_between
from broker.settings.models import ClientSettings
from kit.settings.loading import read_settings
from kit.settings.report import ConfigurationError, KeyPath, Problem, shown
from kit.settings.types import Id, Section

if TYPE_CHECKING:
    from broker.settings.settings import Settings

KEY = "clients_from"


class _File(Section):
    clients: dict[Id, ClientSettings] = Field(default_factory=dict)


@dataclass
class ClientFiles:
    """What files hold. clients: by id, as far as they are valid. files: where each stands. problems: what is wrong."""

    clients: dict[str, ClientSettings] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def placed(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Problems, those of a client in a file with that file."""
        for problem in problems:
            file = self.files.get(str(problem.key[1])) if problem.key[:1] == ("clients",) and problem.key[1:] else None
            yield replace(problem, source=file) if file and problem.source is None else problem


def files_at(place: Path) -> list[Path]:
    """The files of a place: itself, or of a folder those that end in `.toml`. Raises OSError."""
    if not place.is_dir():
        place.stat()
        return [place]
    return sorted(file for file in place.iterdir() if file.suffix == ".toml" and not file.name.startswith("."))


def read_client_files(place: Path, environ: Mapping[str, str] | None = None) -> ClientFiles:
    """Read every file of a place. environ: the process's own unless given."""
    found = ClientFiles()
    try:
        files = files_at(place)
    except OSError as error:
        key, mend = (KEY,), "make the folder or the file, or mend the path"
        found.problems.append(Problem(key, f"cannot be read: {error.strerror}", shown(key, place), mend=mend))
        return found
    for file in files:
        try:
            held, problems = read_settings(_File, file, lambda _: (), os.environ if environ is None else environ)
        except ConfigurationError as error:
            held, problems = _File(), list(error.problems)
        found.problems += [replace(problem, source=file) for problem in problems]
        for name, client in held.clients.items():
            if name in found.files:
                found.problems.append(_twice(name, found.files[name].name, file))
            else:
                found.clients[name], found.files[name] = client, file
    return found


def add_clients(data: dict[str, Any], base: Path, environ: Mapping[str, str] | None) -> ClientFiles:
    """Put the clients of the files that a configuration names into its data. base: its folder."""
    place, ours = data.get(KEY), data.setdefault("clients", {}) if KEY in data else None
    if not isinstance(place, str) or not isinstance(ours, dict):
        return ClientFiles()
    found = read_client_files(Path(base, place.strip()), environ)
    for name, client in found.clients.items():
        if name in ours:
            found.problems.append(_twice(name, "the configuration", found.files[name]))
        else:
            ours[name] = client
    return found


def problems_with(settings: Settings, clients: Mapping[str, ClientSettings]) -> list[Problem]:
    """What is wrong of clients between the tables of a configuration that has these instead of its own."""
    changed = settings.model_copy(update={"clients": dict(clients)})
    return [problem for problem in problems_between(changed) if problem.key[:1] == ("clients",)]


def _twice(name: str, where: str, file: Path) -> Problem:
    key: KeyPath = ("clients", name)
    return Problem(key, f"stands in {where} too", mend="remove one of the two", source=file)
