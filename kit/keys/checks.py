"""Whether a folder of keys is as it must be: for `/readyz` and the commands of every service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from kit.keys.watch import DAY, WatchedKeys, ages, last_of_each, missing, replaced_by
from kit.serving.operations import Check


def check_folder(keys: WatchedKeys, now: float, rotate_every: Mapping[str, int], command: str) -> Iterator[Check]:
    """A key in use for each purpose, every file there and usable, no last key late to be replaced.

    now: seconds. rotate_every: days, by purpose. command: the group of commands that mend it.
    """
    if needed := keys.missing():
        mend = f"{command} status shows why; {command} init makes what was lost"
        yield Check("keys in use", "failed", f"no key is in use for {', '.join(needed)}", mend)
    elif lost := missing(keys.status(), keys.purposes):
        said = f"no key is in use for {', '.join(lost)}; everything else works without"
        yield Check("keys in use", "warning", said, f"{command} init makes it, when no older version runs any more")
    else:
        ends = [(left, purpose) for purpose, _, _, left in ages(keys.status(), rotate_every, now) if left is not None]
        soonest = f"; {min(ends)[1]} is to be replaced within {min(ends)[0]:.0f} days" if ends else ""
        yield Check("keys in use", "ok", f"every purpose has a key in use{soonest}")
    for problem in keys.problems:
        said = f"the last good keys stay in use: {Path(str(problem.key[0])).name} {problem.wrong}"
        yield Check("keys folder", "warning", said, problem.mend)
    for key in last_of_each(keys.status(), now):
        purpose, by = keys.purposes[key.purpose], replaced_by(key, rotate_every.get(key.purpose))
        if by is not None and by < now + max(DAY, purpose.lead if purpose.by_hand else 0):
            said = f"the last {key.purpose} key for {key.alg} is to be replaced by {moment(by)} UTC"
            mend = f"{command} rotate {key.purpose}; does cron run {command} rotate --due?"
            yield Check("keys ending", "warning", said, mend)


def moment(seconds: float) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
