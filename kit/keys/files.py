"""Files of private keys: only their owner may get at them."""

from __future__ import annotations

import stat
from pathlib import Path

from kit.settings.report import ConfigurationError, Problem


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
