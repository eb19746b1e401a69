"""How often something may be tried in a window of time, over all processes.

What is one person's own is taken before its outcome is known, and given back if it was a right one: so a hundred at
the same moment cannot all be the last one that is allowed. What many people share is only looked at before, and
counted when it was a wrong one: else honest people at the same moment would be in each other's way.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from registration.database.connection import Database
from registration.database.models import Tries

DAY = 86_400


def take(database: Database, id: str, most: int, window: int, now: int) -> int | None:
    """Take one try; None if it is allowed, else the seconds until tries begin anew.

    id: the digest of what is counted (Keys.blind). window: seconds from the first try. now: since the epoch.
    """
    for _ in range(3):
        try:
            return _take(database, id, most, window, now)
        except IntegrityError:  # another process has made the row in this moment
            continue
    return window


def _take(database: Database, id: str, most: int, window: int, now: int) -> int | None:
    with database.write() as session:
        row = session.execute(select(Tries).where(Tries.id == id).with_for_update()).scalar_one_or_none()
        if row is None:
            session.add(Tries(id=id, count=1, until=now + window))
            return None
        if row.until <= now:
            row.count, row.until = 1, now + window
            return None
        if row.count >= most:
            return row.until - now
        row.count += 1
        return None


def is_reached(database: Database, id: str, most: int, now: int) -> bool:
    """Whether so many tries have been taken in the window that runs."""
    with database.read() as session:
        row = session.get(Tries, id)
    return row is not None and row.until > now and row.count >= most


def give_back(database: Database, *ids: str) -> None:
    """Give back a try that was a right one."""
    with database.write() as session:
        session.execute(update(Tries).where(Tries.id.in_(ids), Tries.count > 0).values(count=Tries.count - 1))
