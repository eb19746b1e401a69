"""How easily a password is guessed, by zxcvbn, in a bounded time.

Its time grows with the square of a password's length and with every letter that could stand for another (`4` for `a`);
72 characters made of such held a processor for seconds. So it sees the first characters only, and is stopped.
"""

from __future__ import annotations

import time
from math import inf
from operator import itemgetter
from pathlib import Path
from typing import Any

from zxcvbn import matching, scoring

LEAST_GUESSES = 1_000_005
"""Fewer are too few: those that zxcvbn scores 0 or 1."""
FOR_TWO_PARTS = scoring.MIN_GUESSES_BEFORE_GROWING_SEQUENCE
"""Guesses that zxcvbn counts besides where a password is put together of two parts."""
LOOKED_AT = 24
"""Characters. What comes after them makes a password no weaker."""
MOST_SECONDS = 0.1
"""Of processor time, whatever else the machine does."""
_WORDS = (Path(__file__).parent / "common_words.txt").read_text(encoding="utf-8").split()
"""What people here make passwords of, for zxcvbn, whose lists are of English."""
_LISTS = *matching.RANKED_DICTIONARIES.values(), matching.build_ranked_dict(map(str.lower, _WORDS))
_KNOWN = dict(sorted((pair for ranks in _LISTS for pair in ranks.items()), key=itemgetter(1), reverse=True))
"""All lists, with the least rank of each word: so that a word is looked for once."""


class _TooLong(Exception):
    """The time is up."""


class _Dictionaries(dict[str, Any]):
    """zxcvbn's word lists, which it goes through once for every way to read a password, until the time is up."""

    def __init__(self, **lists: Any) -> None:
        super().__init__(lists)
        self._end = time.thread_time() + MOST_SECONDS

    def items(self) -> Any:
        if time.thread_time() > self._end:
            raise _TooLong
        return super().items()


def is_common(password: str, user_name: str) -> bool:
    """Whether a password is among those that are guessed first.

    One that can be read in so many ways that the time does not do is none of them.
    """
    beginning = password[:LOOKED_AT]
    # Not zxcvbn.zxcvbn: it writes the words of a request into lists that all threads share.
    lists = _Dictionaries(known=_KNOWN, user_inputs={user_name.lower(): len(_WORDS) + 1})
    try:
        matches = matching.omnimatch(beginning, lists)
    except _TooLong:
        return False
    # Three parts are more guesses than that, whatever they are: so it is one part, or a first and a last one.
    end, known = len(beginning), dict[tuple[int, int], float]()
    for one in matches:
        part = one["i"], one["j"] + 1
        if 0 in part or end in part:
            known[part] = min(known.get(part, inf), scoring.estimate_guesses(one, beginning))

    def guesses(start: int, stop: int) -> float:
        by_trying_all = scoring.bruteforce_guesses({"token": beginning[start:stop]})
        return float(min(by_trying_all, known.get((start, stop), inf)))

    of_two = (2 * guesses(0, cut) * guesses(cut, end) + FOR_TWO_PARTS for cut in range(1, end))
    return bool(min(guesses(0, end), *of_two) < LEAST_GUESSES)
