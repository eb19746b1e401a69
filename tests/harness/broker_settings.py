"""A configuration of the broker as data: changed at one place, and loaded from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w

from broker.settings import Settings, load_settings

Data = dict[str, Any]
Problems = Callable[..., dict[str, str]]
"""Loads data as a file and gives each problem's key with what is wrong."""


def set_at(data: Data, path: str, value: Any) -> None:
    """Set (or, for ..., remove) what stands at a path of keys, with a slash between them."""
    *way, last = path.split("/")
    for part in way:
        data = data[int(part)] if isinstance(data, list) else data.setdefault(part, {})
    if value is ...:
        del data[last]
    elif isinstance(data, list):
        data[int(last)] = value
    else:
        data[last] = value


def load(data: Data, folder: Path, **environ: str) -> Settings:
    """Load data as the file tunnus.toml of a folder. Raises ConfigurationError."""
    path = folder / "tunnus.toml"
    path.write_text(tomli_w.dumps(data))
    return load_settings(path, environ)
