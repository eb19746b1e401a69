"""Looking a transaction up while the broker runs: newest records first, and never more of the trail than a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from broker.audit.chain import Unreadable, parse
from broker.audit.reader import files_of

MOST_BYTES = 64 * 1024 * 1024
"""Of the trail that one look-up reads: what is written of the last 50,000 identifications or so."""
MOST_RECORDS = 100
_BLOCK = 1024 * 1024
_LONGEST_LINE = 64 * 1024
_BEFORE = b'"txn":"'
_PREFIX = re.compile(r"[A-Z2-7]{8,26}\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """Records of transactions, newest first. more: the bound was reached, so that there may be others."""

    records: list[dict[str, Any]]
    more: bool


def prefix_of(text: str) -> str:
    """The first characters of a `txn` as a person says them; case, spaces and hyphens do not matter.

    Raises ValueError if they are fewer than 8, which is what pages show, or none of a `txn`.
    """
    wanted = "".join(text.split()).replace("-", "").upper()
    if not _PREFIX.match(wanted):
        raise ValueError("txn must be 8 to 26 characters out of A-Z and 2-7")
    return wanted


def look_up(folder: Path, prefix: str, most_bytes: int = MOST_BYTES, most_records: int = MOST_RECORDS) -> Found:
    """The records whose `txn` begins with a prefix, the newest files read first, each from its end.

    prefix: as `prefix_of` gives it. Raises OSError if a file cannot be read; there is nothing before the first record.
    """
    needle = _BEFORE + prefix.encode()
    found: list[dict[str, Any]] = []
    left, more = most_bytes, False
    for path in reversed(files_of(folder)) if folder.is_dir() else ():
        with path.open("rb") as file:
            size = file.seek(0, 2)
            for lines in _backwards(file, size, max(0, size - left)):
                found += _matching(lines, needle)
                if len(found) > most_records:
                    break
        left -= size
        more = left < 0 or len(found) > most_records
        if more:
            break
    found.sort(key=lambda record: str(record.get("time")), reverse=True)
    return Found(found[:most_records], more)


def _backwards(file: BinaryIO, end: int, begin: int) -> Iterator[bytes]:
    """The whole lines between two places, in blocks, the last block first."""
    rest = b""
    while end > begin:
        start = max(begin, end - _BLOCK)
        file.seek(start)
        block = file.read(end - start) + rest
        head, _, lines = block.partition(b"\n") if start else (b"", b"", block)
        rest = head if len(head) <= _LONGEST_LINE else b""  # no record is so long
        yield lines
        end = start


def _matching(lines: bytes, needle: bytes) -> Iterator[dict[str, Any]]:
    if needle not in lines:
        return
    for line in reversed(lines.split(b"\n")):
        if needle in line:
            try:
                record = parse(line)
            except Unreadable:
                continue
            if str(record.get("txn")).encode().startswith(needle.removeprefix(_BEFORE)):
                yield record
