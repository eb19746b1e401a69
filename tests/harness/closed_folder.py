"""A folder that the user of this process may not read, whoever runs the tests: root may read any."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Let nobody list a folder; what is known to be in it can be opened."""
    scandir, listdir = os.scandir, os.listdir

    def refused(function: Any) -> Any:
        def called(path: Any = ".") -> Any:
            if not isinstance(path, int) and Path(path) == folder:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
            return function(path)

        return called

    with patch("os.scandir", refused(scandir)), patch("os.listdir", refused(listdir)):
        yield
