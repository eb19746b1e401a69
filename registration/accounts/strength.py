"""How easily a password is guessed, by zxcvbn, in a bounded time.

Its time grows with the square of a password's length and with every letter that could stand for another (`4` for `a`);
72 characters made of such held a processor for seconds. So it sees the first characters only, and is stopped.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from zxcvbn import matching, scoring, time_estimates

LEAST_SCORE = 2
"""Of zxcvbn: fewer than a million guesses is too few."""
LOOKED_AT = 24
"""Characters. What comes after them makes a password no weaker."""
MOST_SECONDS = 0.1
"""Of processor time, whatever else the machine does."""
_WORDS = (Path(__file__).parent / "common_words.txt").read_text(encoding="utf-8").split()
"""What people here make passwords of, for zxcvbn, whose lists are of English."""


class _TooLong(Exception):
    """The time is up."""


class _Dictionaries(dict[str, Any]):
    """zxcvbn's word lists, which it goes through once for every way to read a password, until the time is up."""

    def __init__(self, *lists: Any) -> None:
        super().__init__(*lists)
        self._end = time.thread_time() + MOST_SECONDS

    def items(self) -> Any:
        if time.thread_time() > self._end:
            raise _TooLong
        return super().items()


def is_common(password: str, user_name: str) -> bool:
    """Whether a password is among those that are guessed first.

    One that can be read in so many ways that the time does not do is none of them.
    """
    beginning, words = password[:LOOKED_AT], [word.lower() for word in (*_WORDS, user_name)]
    # Not zxcvbn.zxcvbn: it writes the words of a request into lists that all threads share.
    lists = _Dictionaries({**matching.RANKED_DICTIONARIES, "user_inputs": matching.build_ranked_dict(words)})
    try:
        found = scoring.most_guessable_match_sequence(beginning, matching.omnimatch(beginning, lists))
    except _TooLong:
        return False
    return bool(time_estimates.guesses_to_score(found["guesses"]) < LEAST_SCORE)
