"""How often something may be tried in a window of time, over all processes.

What is one person's own is taken before its outcome is known, and given back if it was a right one: so a hundred at
the same moment cannot all be the last one that is allowed. What many people share is only looked at before, and
counted when it was a wrong one: else honest people at the same moment would be in each other's way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from kit.serving.networks import networks_of
from registration.database.connection import Database
from registration.database.models import Tries

if TYPE_CHECKING:
    from registration.service import Service

DAY = 86_400
PER_SITE = 10
"""How many times as much a whole IPv6 site (/48) may as one of its networks (/64)."""


def by_network(service: Service, what: str, address: str | None, most: int) -> dict[str, int]:
    """What is counted for an address, as `take_all` takes it; nothing where there is none: it would count everybody.

    what: the kind of thing. most: for one network.
    """
    networks = enumerate(networks_of(address))
    return {service.keys.keyed_digest(what, network): most * (PER_SITE if wider else 1) for wider, network in networks}


def take(database: Database, id: str, most: int, window: int, now: int) -> int | None:
    """Take one try; None if it is allowed, else the seconds until tries begin anew.

    id: the digest of what is counted (Keys.keyed_digest). window: seconds from the first try. now: since the epoch.
    """
    return take_all(database, {id: most}, window, now)


def take_all(database: Database, most: Mapping[str, int], window: int, now: int) -> int | None:
    """Take a try of each thing that is counted, or of none; as `take`. most: how many there are, by id."""
    for _ in range(3):
        try:
            return _take_all(database, most, window, now)
        except IntegrityError:  # another process has made a row in this moment
            continue
    return window


def _take_all(database: Database, most: Mapping[str, int], window: int, now: int) -> int | None:
    with database.write() as session:
        found = {row.id: row for row in session.scalars(_locked(most))}
        reached = [row.until - now for row in found.values() if row.until > now and row.count >= most[row.id]]
        if reached:
            return max(reached)
        for id in most:
            row = found.get(id)
            if row is None:
                session.add(Tries(id=id, count=1, until=now + window))
            elif row.until <= now:
                row.count, row.until = 1, now + window
            else:
                row.count += 1
        return None


def _locked(ids: Iterable[str]) -> Select[Tries]:
    """Rows to change, locked in one order everywhere: in two orders, two people would wait for each other."""
    return select(Tries).where(Tries.id.in_(ids)).order_by(Tries.id).with_for_update()


def is_reached(database: Database, id: str, most: int, now: int) -> bool:
    """Whether so many tries have been taken in the window that runs."""
    return taken(database, id, now) >= most


def taken(database: Database, id: str, now: int) -> int:
    """How many tries have been taken in the window that runs."""
    with database.read() as session:
        row = session.get(Tries, id)
    return row.count if row is not None and row.until > now else 0


def give_back(database: Database, *ids: str) -> None:
    """Give back a try that was a right one."""
    with database.write() as session:
        for row in session.scalars(_locked(ids)):
            row.count = max(0, row.count - 1)
