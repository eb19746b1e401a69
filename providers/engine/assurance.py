"""The levels of assurance of the Finnish Trust Network. Exact strings, `http://` and all (FTN profile)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

_ORDER = ("substantial", "high")


@dataclass(frozen=True, slots=True)
class Level:
    """What an `acr` URI means. test: it belongs to test environments, and production never takes it."""

    level: Literal["substantial", "high"]
    test: bool

    def reaches(self, lowest: Level) -> bool:
        """Whether it is that level or a higher one of the same environment (Regulation (EU) 910/2014, article 8)."""
        return self.test == lowest.test and _ORDER.index(self.level) >= _ORDER.index(lowest.level)


LEVELS: Mapping[str, Level] = {
    "http://ftn.ficora.fi/2017/loa2": Level("substantial", test=False),
    "http://ftn.ficora.fi/2017/loa3": Level("high", test=False),
    "http://ftn.ficora.fi/2017/loatest2": Level("substantial", test=True),
    "http://ftn.ficora.fi/2017/loatest3": Level("high", test=True),
}


def is_enough(acr: str, accepted: Sequence[str]) -> bool:
    """Whether a level is at or above the lowest one that is accepted; none that is no level of the FTN's is."""
    said = LEVELS.get(acr)
    return said is not None and any(said.reaches(LEVELS[lowest]) for lowest in accepted if lowest in LEVELS)
