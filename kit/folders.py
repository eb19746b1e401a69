"""What stands in a folder. `Path.glob` takes one that may not be read for an empty one; here that is an OSError."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path


def matching(folder: Path, pattern: str) -> list[Path]:
    """What has a name of that pattern, sorted. Raises OSError if the folder cannot be read."""
    return sorted(folder / name for name in os.listdir(folder) if fnmatchcase(name, pattern))


def files_in_all(folder: Path) -> list[Path]:
    """Every file in a folder and below it, sorted; none if it is not there. Raises OSError if one cannot be read."""

    def failed(error: OSError) -> None:
        raise error

    found = os.walk(folder, onerror=failed) if folder.exists() else ()
    return sorted(path for place, _, names in found for name in names if (path := Path(place, name)).is_file())
