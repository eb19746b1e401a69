"""Reading the trail: the story of one identification, and whether anything was tampered with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.audit.chain import BEGINNING, CLOSED, OPENED, REFUSED_BEFORE_CLAIM, Unreadable, own_hash, parse
from broker.audit.counts import Refusal
from kit.audit.heads import Head


@dataclass(frozen=True)
class Story:
    """Every record of one transaction, in the order of time. records: (file name, line number, record)."""

    txn: str
    records: tuple[tuple[str, int, dict[str, Any]], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the trail is not as it was written."""

    file: str
    line: int
    wrong: str


@dataclass
class Verification:
    """What `verify` saw. unclosed: files without a last record; the file of a running broker is one."""

    files: int = 0
    records: int = 0
    findings: list[Finding] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)


def find(folder: Path, prefix: str) -> list[Story]:
    """Every transaction whose `txn` begins with a prefix, oldest first. Raises OSError if a file cannot be read.

    prefix: as a person reads it from a page; case, spaces and hyphens do not matter. ValueError if it is empty.
    """
    wanted = "".join(prefix.split()).replace("-", "").upper()
    if not wanted:
        raise ValueError("a reference has at least one character")
    found: dict[str, list[tuple[str, int, dict[str, Any]]]] = {}
    for path in _files(folder):
        for number, line in _lines(path):
            if wanted.encode() not in line:
                continue
            try:
                record = parse(line)
            except Unreadable:
                continue
            txn = record.get("txn")
            if isinstance(txn, str) and txn.upper().startswith(wanted):
                found.setdefault(txn, []).append((path.name, number, record))
    stories = [Story(txn, tuple(sorted(records, key=_moment))) for txn, records in found.items()]
    return sorted(stories, key=lambda story: _moment(story.records[0]))


def count_refusals(folder: Path, since: str) -> Counter[Refusal]:
    """How often each kind of refusal came before an attempt was claimed. Raises OSError if a file cannot be read.

    since: the time of the first record that counts, as records have it.
    """
    found: Counter[Refusal] = Counter()
    for path in _files(folder):
        for _, line in _lines(path):
            if REFUSED_BEFORE_CLAIM.encode() not in line:
                continue
            try:
                record = parse(line)
            except Unreadable:
                continue
            count = record.get("count")
            if (
                record.get("event") == REFUSED_BEFORE_CLAIM
                and isinstance(count, int)
                and str(record.get("time")) >= since
            ):
                kind = Refusal(
                    str(record.get("code")), str(record.get("step")), record.get("reason"), record.get("client")
                )
                found[kind] += count
    return found


def verify(folder: Path, heads: Iterable[Head] | None = None) -> Verification:
    """Check every file's chain, and the heads if there are any. Raises OSError if a file cannot be read.

    A changed line does not have its own hash; where one was removed, inserted or moved, the numbers and the
    hash of the line before do not follow.
    """
    result = Verification()
    wanted: dict[str, list[Head]] = {}
    for head in heads or ():
        wanted.setdefault(head.file, []).append(head)
    for path in _files(folder):
        result.files += 1
        _verify_file(path, wanted.pop(path.name, []), result)
    for name in sorted(wanted):
        result.findings.append(Finding(name, 0, "the file is not there, but its head was kept"))
    return result


def _verify_file(path: Path, heads: list[Head], result: Verification) -> None:
    previous, seq, event = BEGINNING, 0, None
    hashes: dict[int, str] = {}
    torn = False
    for number, line in _lines(path):
        if torn or event == CLOSED:
            after = "the record that closes the file" if event == CLOSED else "a torn line"
            result.findings.append(Finding(path.name, number, f"follows {after}"))
        if not line.endswith(b"\n"):
            # Nothing was handed over on the strength of it: it never was on the disk whole.
            torn = True
            continue
        try:
            record = parse(line.rstrip(b"\n"))
        except Unreadable as error:
            result.findings.append(Finding(path.name, number, str(error)))
            continue
        result.records += 1
        wrong = _wrong(line.rstrip(b"\n"), record, seq, previous)
        if wrong is not None:
            result.findings.append(Finding(path.name, number, wrong))
        seq, previous, event = record["seq"], str(record.get("hash")), record.get("event")
        hashes[seq] = previous
    if event != CLOSED:
        result.unclosed.append(path.name)
    for head in heads:
        if hashes.get(head.seq) != head.hash:
            wrong = "is not the record whose hash was kept" if head.seq in hashes else "is missing; its hash was kept"
            result.findings.append(Finding(path.name, head.seq, wrong))


def _wrong(line: bytes, record: dict[str, Any], seq: int, previous: str) -> str | None:
    if record.get("hash") != own_hash(line):
        return "was changed: its hash is another"
    if record["seq"] != seq + 1:
        if record["seq"] <= seq:
            return f"is out of order, or was inserted: record {record['seq']} stands after {seq}"
        return f"records before it were removed: {seq} is followed by {record['seq']}"
    if record.get("previous") != previous:
        return "does not follow from the line before: one of the two was put in later"
    if seq == 0 and record.get("event") != OPENED:
        return "is not the record that opens a file"
    return None


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no audit trail at {folder}")
    return sorted(folder.glob("audit-*.jsonl"))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        yield from enumerate(file, start=1)


def _moment(entry: tuple[str, int, dict[str, Any]]) -> tuple[str, str, int]:
    name, number, record = entry
    return str(record.get("time")), name, number
