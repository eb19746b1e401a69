"""What `tunnus audit verify` is told of elsewhere: heads that a collector or a log kept, and whose keys signed them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from broker.audit import Finding, Head
from broker.keys import KeyRing
from broker.settings import load_settings
from kit.audit.heads import read_heads
from kit.audit.signed import AUDIT_SIG, Trust
from kit.commands import Failed
from kit.keys.sets import read_key_set

keys_option = click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="Public audit-sig keys (JWKS) instead of those in the configuration's keys.dir; can be given again.",
)


def told_heads(file: Path, trust: Trust) -> tuple[list[Head], list[Finding]]:
    """The heads in a file, of whatever form its lines are; and what of it is not to be trusted.

    Raises Failed if there is none.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        signed, unknown = read_heads(lines, trust)
    with file.open(encoding="utf-8", errors="replace") as lines:
        logged = list(_logged(lines))
    findings = []
    if unknown:
        wrong = f"{unknown} statements are signed by no key that is known; name it with --keys if it was one of ours"
        findings.append(Finding(file.name, 0, wrong))
    elif not signed and not logged:
        raise Failed(f"{file} holds no head: name what the collector kept, or a log of the broker")
    return [*signed, *logged], findings


def trust_of(config: Path | None, keys: Iterable[Path]) -> Trust:
    """The public keys in files, or else in the folder of a configuration. Raises Failed, ConfigurationError."""
    known: list[Mapping[str, Any]] = []
    for file in keys:
        try:
            known += read_key_set(file)
        except ValueError as error:
            raise Failed(f"{file}: {error}") from error
    if config is not None and not known:
        known += KeyRing.of(load_settings(config).keys, time.time).public_set(AUDIT_SIG.name)
    return Trust(known)


def checkpoint_trust(config: Path | None, heads: Trust) -> Trust:
    """Who may sign checkpoints: whom a configuration names for it, or else who signs heads."""
    own = load_settings(config).audit.checkpoint_keys if config is not None else None
    return Trust(own) if own else heads


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
