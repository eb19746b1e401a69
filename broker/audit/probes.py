"""The file by which a process sees whether the folder takes records, and what is left of it by one that was killed."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

PROBE = 4096
"""Bytes that are written to see whether the disk takes any: more than a record has."""
STALE = 60
"""Seconds after which the process was killed in the midst of it: a probe lives for one write and one sync."""
MOST_REMOVED = 1000
"""Stale probes that a start removes; the next start removes more."""
_NAME = re.compile(r"\.probe-[0-9]{1,10}-[0-9a-f]{8}")


def probe_path(folder: Path) -> Path:
    """A file that nobody else uses."""
    return folder / f".probe-{os.getpid()}-{secrets.token_hex(4)}"


def remove_stale_probes(folder: Path, now: float) -> None:
    """Remove what processes that were killed in the midst of a look have left in the folder; now: seconds."""
    left = MOST_REMOVED
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if left and _NAME.fullmatch(entry.name) and _is_stale(entry, now - STALE):
                with suppress(OSError):
                    os.unlink(entry.path)
                left -= 1


def _is_stale(entry: os.DirEntry[str], before: float) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_mtime < before
