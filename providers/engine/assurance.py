"""The levels of assurance of the Finnish Trust Network. Exact strings, `http://` and all (FTN profile)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Level:
    """What an `acr` URI means. test: it belongs to test environments, and production never takes it."""

    level: Literal["substantial", "high"]
    test: bool


LEVELS: Mapping[str, Level] = {
    "http://ftn.ficora.fi/2017/loa2": Level("substantial", test=False),
    "http://ftn.ficora.fi/2017/loa3": Level("high", test=False),
    "http://ftn.ficora.fi/2017/loatest2": Level("substantial", test=True),
    "http://ftn.ficora.fi/2017/loatest3": Level("high", test=True),
}
