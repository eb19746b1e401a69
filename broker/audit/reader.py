"""Reading the trail: the story of one identification, and whether anything was tampered with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.audit.chain import BEGINNING, CLOSED, OPENED, PRUNED, REFUSED_BEFORE_CLAIM, Unreadable, own_hash, parse
from broker.audit.checkpoints import Checkpoints, read_checkpoints
from broker.audit.counts import Refusal
from kit.audit.heads import Head
from kit.audit.signed import Trust
from kit.folders import matching


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
    """What `verify` saw. unclosed: files without a last record; the file of a running broker is one.

    pruned: records that a checkpoint stands for. unfinished: checkpoints whose pruning was cut short.
    """

    files: int = 0
    records: int = 0
    findings: list[Finding] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)
    pruned: int = 0
    unfinished: list[str] = field(default_factory=list)


def find(folder: Path, prefix: str) -> list[Story]:
    """Every transaction whose `txn` begins with a prefix, oldest first. Raises OSError if a file cannot be read.

    prefix: as a person reads it from a page; case, spaces and hyphens do not matter. ValueError if it is empty.
    """
    wanted = "".join(prefix.split()).replace("-", "").upper()
    if not wanted:
        raise ValueError("a reference has at least one character")
    found: dict[str, list[tuple[str, int, dict[str, Any]]]] = {}
    for path in files_of(folder):
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
    for path in files_of(folder):
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


def verify(folder: Path, heads: Iterable[Head] | None = None, trust: Trust | None = None) -> Verification:
    """Check every file's chain, the checkpoints, and the heads if there are any. Raises OSError if one cannot be read.

    A changed line does not have its own hash; where one was removed, inserted or moved, the numbers and the
    hash of the line before do not follow. trust: who may sign checkpoints; None: whoever has.
    """
    checkpoints = read_checkpoints(folder, trust)
    result = Verification(pruned=sum(checkpoint.records for checkpoint in checkpoints.held))
    result.findings += [Finding(name, 0, wrong) for name, wrong in checkpoints.wrong]
    gone = checkpoints.gone
    recorded: set[str] = set()
    wanted: dict[str, list[Head]] = {}
    for head in heads or ():
        wanted.setdefault(head.file, []).append(head)
    for path in files_of(folder):
        result.files += 1
        left = gone.pop(path.name, None)
        if left is not None:
            result.unfinished.append(path.name)
            wanted.setdefault(path.name, []).append(left)
        recorded |= _verify_file(path, wanted.pop(path.name, []), result)
    for name in sorted(wanted):
        result.findings += _beyond(name, wanted[name], gone.get(name))
    return _with_records(result, checkpoints, recorded)


def _beyond(name: str, heads: list[Head], last: Head | None) -> Iterator[Finding]:
    """What heads say of a file that is not there; last: what a checkpoint has of it."""
    if last is None:
        yield Finding(name, 0, "the file is not there, but its head was kept")
        return
    for head in heads:
        if head.seq > last.seq or (head.seq == last.seq and head.hash != last.hash):
            yield Finding(name, head.seq, "is not in what the checkpoint stands for; its hash was kept")


def _with_records(result: Verification, checkpoints: Checkpoints, recorded: set[str]) -> Verification:
    """Each checkpoint must stand in the trail, and each that stands there be held."""
    digests = {checkpoint.digest: checkpoint.name for checkpoint in checkpoints.held}
    for digest in sorted(recorded - digests.keys()):
        result.findings.append(Finding(f"checkpoint {digest[:8]}…", 0, "is not there, but the trail tells of it"))
    # One that is older than what is left of the trail stood in a file that was pruned since: the next one holds it.
    if checkpoints.held and checkpoints.held[-1].digest not in recorded:
        result.unfinished.append(checkpoints.held[-1].name)
    return result


def _verify_file(path: Path, heads: list[Head], result: Verification) -> set[str]:
    """Check one file; return the digests of checkpoints that it tells of."""
    recorded: set[str] = set()
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
        if event == PRUNED:
            recorded.add(str(record.get("checkpoint")))
    if event != CLOSED:
        result.unclosed.append(path.name)
    for head in heads:
        if hashes.get(head.seq) != head.hash:
            wrong = "is not the record whose hash was kept" if head.seq in hashes else "is missing; its hash was kept"
            result.findings.append(Finding(path.name, head.seq, wrong))
    return recorded


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


def files_of(folder: Path) -> list[Path]:
    """The files of a trail, oldest first. Raises FileNotFoundError if there is no trail, else OSError."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no audit trail at {folder}")
    return matching(folder, "audit-*.jsonl")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        yield from enumerate(file, start=1)


def _moment(entry: tuple[str, int, dict[str, Any]]) -> tuple[str, str, int]:
    name, number, record = entry
    return str(record.get("time")), name, number
