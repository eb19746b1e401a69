"""How often something may be tried in a window of time, over all processes.

What is one person's own is taken before its outcome is known, and given back if it was a right one: so a hundred at
the same moment cannot all be the last one that is allowed. What many people share is only looked at before, and
counted when it was a wrong one: else honest people at the same moment would be in each other's way.

All that one request counts is taken in one transaction, which ends before the outcome is asked for. So nothing that
fails afterwards takes a count back: a try is given back in the transaction that writes down what came of it, and stays
counted if that one is rolled back. Where taking itself is rolled back nothing was let through: what raises there has
found a limit reached, which is not counted further.

Tries are locked last in a transaction, by one call and in one order, so that no two people wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import BindParameter, Table, bindparam, case, or_, select, update
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.sql.dml import ReturningInsert

from kit.serving.networks import networks_of
from registration.database.connection import insert
from registration.database.models import Tries

if TYPE_CHECKING:
    from registration.service import Service

DAY = 86_400
PER_SITE = 10
"""How many times as much a whole IPv6 site (/48) may as one of its networks (/64)."""


class Limit(NamedTuple):
    """most: tries in a window. window: seconds from the first one."""

    most: int
    window: int


# Made once, and of tables instead of classes: that is most of the time that they take.
_TRIES = cast(Table, Tries.__table__)
_NOW: BindParameter[int] = bindparam("now")
_RUNNING = select(_TRIES.c.count, _TRIES.c.until).where(_TRIES.c.id == bindparam("of"), _TRIES.c.until > _NOW)
_GIVE_BACK = update(_TRIES).where(_TRIES.c.id == bindparam("of"), _TRIES.c.count > 0).values(count=_TRIES.c.count - 1)


@cache
def _one_more(dialect: str) -> ReturningInsert[Any]:
    """Count one more, or begin anew; a row that has as many as there may be is left and not returned."""
    insertion, over = insert(dialect, _TRIES), _TRIES.c.until <= _NOW
    values = {
        "count": case((over, 1), else_=_TRIES.c.count + 1),
        "until": case((over, insertion.excluded.until), else_=_TRIES.c.until),
    }
    allowed = or_(over, _TRIES.c.count < bindparam("most"))
    counted = insertion.values(id=bindparam("of"), count=1, until=bindparam("end"))
    updated = counted.on_conflict_do_update(index_elements=["id"], set_=values, where=allowed)
    return updated.returning(_TRIES.c.id)


def by_network(service: Service, what: str, address: str | None, limit: Limit) -> dict[str, Limit]:
    """What is counted for an address, as `take` takes it; nothing where there is none: it would count everybody.

    what: the kind of thing. limit: of one network.
    """
    networks = enumerate(networks_of(address))
    most, window = limit
    return {
        service.keys.keyed_digest(what, network): Limit(most * (PER_SITE if wider else 1), window)
        for wider, network in networks
    }


def take(tx: Transaction, counted: Mapping[str, Limit], now: int) -> dict[str, int]:
    """Take a try of each thing that is counted; returns those of which there was none left, each with the seconds
    until tries begin anew.

    counted: by the digest of what is counted (Keys.keyed_digest). now: since the epoch.
    """
    connection, reached = tx.connection(), []
    statement = _one_more(connection.dialect.name)
    for id, (most, window) in sorted(counted.items()):
        if connection.execute(statement, {"of": id, "most": most, "end": now + window, "now": now}).first() is None:
            reached.append(id)
    return {id: until - now for id in reached for _, until in connection.execute(_RUNNING, {"of": id, "now": now})}


def take_all(tx: Transaction, counted: Mapping[str, Limit], now: int) -> dict[str, int]:
    """Take a try of each, or of none if one is reached; as `take`."""
    reached = take(tx, counted, now)
    if reached:
        give_back(tx, *(counted.keys() - reached))
    return reached


def taken(tx: Transaction, id: str, now: int) -> int:
    """How many tries have been taken in the window that runs."""
    return tx.connection().execute(_RUNNING, {"of": id, "now": now}).scalar() or 0


def give_back(tx: Transaction, *ids: str) -> None:
    """Give back a try of each: it was a right one."""
    if ids:
        tx.connection().execute(_GIVE_BACK, [{"of": id} for id in sorted(ids)])
