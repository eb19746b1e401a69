"""What the broker's status page shows of banks, queues and keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from broker.audit import AuditTrail
from broker.chooser.catalogue import Catalogue, Row
from broker.keys import KeyRing
from broker.operations.last_hour import IDENTIFIED, STARTED
from broker.operations.metrics import Metrics
from kit.status.page import Bank, Bar, Part, Status, Used
from providers.model import Adapter

FAILED = ("idp_failed", "unavailable", "interrupted", "integrity_error", "config_error")
"""Codes of errors that the bank, or we, are to blame for; the others are a person's way out."""


def status_of(
    keys: KeyRing,
    metrics: Metrics,
    audit: AuditTrail,
    catalogue: Catalogue,
    adapters: Mapping[str, Adapter],
    places: int,
    rotate_every: Mapping[str, int],
) -> Status:
    """How the broker stands now. places: how many threads may be in calls to one bank. rotate_every: days."""
    used = [Used(name.replace("_", " "), value, most) for name, value, most in metrics.limits()]
    waiting = Used("refusals not yet in the audit trail", audit.refusals_waiting)
    calls = [Used(f"calls to {name}", adapter.calls, places) for name, adapter in adapters.items()]
    return Status(
        keys.status(),
        rotate_every,
        {"Queues and limits": [*used, waiting], "Threads in calls to banks": calls},
        list(_banks(catalogue, adapters, metrics.last_hour.counts())),
    )


def _banks(catalogue: Catalogue, adapters: Mapping[str, Adapter], counts: Mapping[str, Counter[str]]) -> Iterator[Bank]:
    rows = {row.id: row for row in catalogue.rows("en")}
    ended = {row: count.total() - count[STARTED] for row, count in counts.items()}
    longest = max(ended.values(), default=0)
    for id in [*rows, *sorted(counts.keys() - rows.keys() - {""})]:
        row, count = rows.get(id), counts.get(id, Counter())
        stands, well = _stands(row, adapters)
        bad = sum(count[code] for code in FAILED)
        left = ended.get(id, 0) - count[IDENTIFIED] - bad
        bar = Bar([Part("good", count[IDENTIFIED]), Part("left", left), Part("bad", bad)], longest)
        yield Bank(row.name if row else id, row.connection_id if row else "", stands, well, _outcomes(count), bar)


def _stands(row: Row | None, adapters: Mapping[str, Adapter]) -> tuple[str, bool]:
    if row is None:
        return "not on the chooser", True
    if row.status == "closed":
        return "closed", True
    adapter = adapters[row.connection_id]
    if not adapter.usable:
        return "stopped: the breaker of its connection is open", False
    if not adapter.usable_for(row.id):
        return "stopped: its breaker is open", False
    return ("open", True) if row.usable else ("not in the list that its connection publishes", False)


def _outcomes(count: Counter[str]) -> str:
    """`12 started: 9 identified, 2 cancelled`, with the codes of errors as the log has them."""
    if not count:
        return "nobody"
    ends = [(what, number) for what, number in count.most_common() if what != STARTED]
    first = [f"{count[IDENTIFIED]} {IDENTIFIED}"]
    others = [f"{number} {what}" for what, number in ends if what != IDENTIFIED]
    return f"{count[STARTED]} started: {', '.join(first + others)}"
