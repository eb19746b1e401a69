"""Files of private keys: only their owner may get at them."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kit.settings.report import ConfigurationError, Problem

USED = ".used"


class KeysUnusable(ConfigurationError):
    """The folder of keys cannot be used; holds every problem found in it."""


def mode_problem(path: Path, *, folder: bool = False) -> Problem | None:
    """A problem if others than the owner can get at a file or folder. Raises OSError if it is not there."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return None
    wanted = "700" if folder else "600"
    wrong = f"is open to others than its owner (mode {mode:04o})"
    return Problem((str(path),), wrong, allowed=f"0{wanted}", mend=f"chmod {wanted} {path}")


def unusable(path: Path, wrong: str, mend: str) -> KeysUnusable:
    """One problem of a file. wrong: only our own words, as an error of a library may hold a part of the file."""
    return KeysUnusable(path, [Problem((str(path),), wrong, mend=mend)])


def write_private(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all, readable by its owner alone unless mode says more; one that is there gives way.

    For one writer at a time (`exclusive`): what an earlier one left unfinished is written over. Raises OSError, which
    names the file; then nothing of the content is left.
    """
    unfinished = path.with_name(f".{path.name}")
    unfinished.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
            os.fchmod(opened.fileno(), mode)  # whatever the umask
            opened.write(content.encode() if isinstance(content, str) else content)
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_folder(folder: Path) -> None:
    """Make what was made in a folder, or removed from it, survive a loss of power. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def was_used(folder: Path) -> bool:
    """Whether a key was ever made in the folder, also if all of them were removed since."""
    return (folder / USED).exists()


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """One command at a time changes the folder; another one waits here. Raises OSError if it is not there."""
    with os.fdopen(os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
