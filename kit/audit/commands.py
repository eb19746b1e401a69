"""What the commands `audit …` of every service share: heads that were kept elsewhere, and whose signatures count."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from kit.audit.heads import Head, read_heads
from kit.audit.signed import Trust
from kit.commands import Failed, Seconds
from kit.keys.sets import read_key_set

LEAST = 86_400
"""Seconds that a record is kept at least."""

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
heads_option = click.option(
    "--heads", type=_file, help="What the collector kept, or a log of ours; the heads in it must be in the trail."
)
keys_option = click.option(
    "--keys",
    type=_file,
    multiple=True,
    help="Public audit-sig keys (JWKS) instead of those in the configuration's keys.dir; can be given again.",
)


def _long_enough(_context: click.Context, _parameter: click.Parameter, value: int) -> int:
    if value < LEAST:
        raise click.BadParameter("is less than a day")
    return value


older_than_option = click.option(
    "--older-than", type=Seconds(), required=True, metavar="TIME", callback=_long_enough, help="Their age, as 400d."
)


def told_heads(file: Path, trust: Trust) -> tuple[list[Head], str | None]:
    """The heads in a file, of whatever form its lines are; and what of it is not to be trusted, if anything.

    Raises Failed if there is none.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        signed, unknown = read_heads(lines, trust)
    with file.open(encoding="utf-8", errors="replace") as lines:
        logged = list(_logged(lines))
    if unknown:
        wrong = f"{unknown} statements are signed by no key that is known; name it with --keys if it was one of ours"
        return [*signed, *logged], wrong
    if not signed and not logged:
        raise Failed(f"{file} holds no head: name what the collector kept, or a log of ours")
    return [*signed, *logged], None


def trust_of(files: Iterable[Path], configured: Callable[[], Iterable[Mapping[str, Any]]] | None) -> Trust:
    """The public keys in files, or else the configured ones, if there are any. Raises Failed."""
    known: list[Mapping[str, Any]] = []
    for file in files:
        try:
            known += read_key_set(file)
        except ValueError as error:
            raise Failed(f"{file}: {error}") from error
    if configured is not None and not known:
        known += configured()
    return Trust(known)


def _logged(lines: Iterable[str]) -> Iterator[Head]:
    """The heads in a log of JSON lines, which are not signed; other lines are passed over."""
    for line in lines:
        if "audit_head" not in line:
            continue
        try:
            entry = json.loads(line[line.index("{") :])
            yield Head(str(entry["file"]), int(entry["seq"]), str(entry["head"]))
        except (ValueError, KeyError, TypeError):
            continue
