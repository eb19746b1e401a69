"""Keys of registration, as `tunnus-registration keys init` makes them."""

from __future__ import annotations

from pathlib import Path

from kit.keys.rotation import Rotation
from registration.keys import PURPOSES


def make_keys(folder: Path, now: int) -> list[Path]:
    """Make the keys that are missing; return their files. now: seconds."""
    return Rotation(folder, PURPOSES).init(now)
