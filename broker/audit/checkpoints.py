"""What stands in place of files that were pruned: which they were, and each one's last hash and number of records.

A checkpoint is a signed statement in a file of its own, `checkpoint-000001.jws`. It holds the digest of the one before,
so the newest one's signature vouches for all of them, whatever has become of older keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.audit.heads import Head
from kit.audit.signed import Trust, claims_of, kid_of, sign
from kit.folders import matching
from kit.keys.files import sync_folder, write_private
from kit.keys.watch import WatchedKeys

CHECKPOINT = "audit-checkpoint+jwt"
"""Its `typ`. Claims: `files` (each with `file`, `seq`, `hash`), `older_than`, `previous`, `iat` (seconds), `keys`."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One as it stands. name: of its file. digest: its SHA-256, in hexadecimal. files: their ends. kid: of its key."""

    name: str
    digest: str
    files: tuple[Head, ...]
    kid: str

    @property
    def records(self) -> int:
        """How many records it stands for."""
        return sum(head.seq for head in self.files)


@dataclass
class Checkpoints:
    """All of a folder, oldest first, as far as they hold; wrong: (file name, what) of the others."""

    held: list[Checkpoint] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)

    @property
    def gone(self) -> dict[str, Head]:
        """The last record of each file that was pruned."""
        return {head.file: head for checkpoint in self.held for head in checkpoint.files}


def read_checkpoints(folder: Path, trust: Trust | None) -> Checkpoints:
    """Those that are there and hold. trust: who may have signed them; None: whoever did. Raises OSError."""
    found = Checkpoints()
    expected: str | None = None
    paths = matching(folder, "checkpoint-*.jws") if folder.is_dir() else []
    for path in reversed(paths):
        token = path.read_text(encoding="ascii", errors="replace").strip()
        digest = _digest(token)
        if path is not paths[-1] and digest != expected:
            found.wrong.append((path.name, "is not the checkpoint that the next one follows"))
            return found
        claims = claims_of(token) if trust is None or path is not paths[-1] else trust.open(token, CHECKPOINT)
        if claims is None:
            found.wrong.append((path.name, "is signed by no key that is known; name it with --keys"))
            return found
        found.held.insert(0, Checkpoint(path.name, digest, _files(claims), kid_of(token)))
        expected = claims.get("previous")
    if expected is not None:
        found.wrong.append((paths[0].name, "a checkpoint before it was removed"))
    return found


def write_checkpoint(
    folder: Path, keys: WatchedKeys, before: list[Checkpoint], files: Iterable[Head], older_than: str, now: float
) -> Checkpoint:
    """Sign one and bring it to the disk. before: those that there are. Raises CannotSign, OSError."""
    name = f"checkpoint-{len(before) + 1:06}.jws"
    kept = tuple(files)
    claims = {
        "files": [{"file": head.file, "seq": head.seq, "hash": head.hash} for head in kept],
        "older_than": older_than,
        "previous": before[-1].digest if before else None,
        "iat": int(now),
    }
    token = sign(keys, CHECKPOINT, claims)
    write_private(folder / name, token + "\n", mode=0o640)
    sync_folder(folder)
    return Checkpoint(name, _digest(token), kept, kid_of(token))


def _files(claims: Mapping[str, Any]) -> tuple[Head, ...]:
    return tuple(Head(str(one["file"]), int(one["seq"]), str(one["hash"])) for one in claims["files"])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
