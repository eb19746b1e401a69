"""The status pages of the broker and of registration, in good times and bad, and the broker's developer page."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from werkzeug.wrappers import Response

from broker.app import Parts, create_app
from broker.keys import generate_keys, rotation_of
from broker.settings import Settings
from providers.engine.breaker import FAILURES_TO_OPEN
from registration.database.connection import Database
from registration.database.models import Account, OutboxEntry
from registration.service import Service
from tests.gallery.developer_states import developer_draws
from tests.gallery.state import Draw, State, states
from tests.harness.broker_pages import SETTINGS, providers_with
from tests.harness.fake_store import FakeStore

SERVICE = "status"
NOW = 1_795_600_000
DAY = 86_400
OUTCOMES = {
    "nordea": {"identified": 41, "cancelled": 4, "expired": 1},
    "op": {"identified": 57, "cancelled": 3, "idp_failed": 2},
    "mobile-certificate": {"identified": 22, "cancelled": 6, "unavailable": 1},
    "danske-bank": {"identified": 3, "unavailable": 9, "integrity_error": 1},
    "s-banken": {"identified": 9},
}


def status_states(folder: Path, registration: Flask) -> tuple[list[State], Flask]:
    """The states, and the application whose static files they refer to. registration: with people and e-mails."""
    keys = folder / "status-keys"
    generate_keys(keys, NOW - 20 * DAY, entity_bits=2048)
    rotation_of(keys, 2048).rotate(["rp-sig", "rp-enc"], NOW)
    well, troubled, fresh, cut = (_broker(keys, folder / name) for name in ("well", "troubled", "fresh", "cut"))
    for broker in (well, troubled):
        _fill(broker)
    troubled.store.client = FakeStore(NOW, aof_enabled=0)
    cut.store.client.down = True
    draws: dict[str, Draw] = {
        "broker, well": _page(well.operations),
        "broker, banks fail": _failing(troubled),
        "broker, just started": _page(fresh.operations),
        "broker, no store": _page(cut.operations),
        "registration, well": _page(registration.extensions["operations"]),
        "registration, mail is late": _with_old_mail(registration),
        "registration, no database": _without_database(registration),
    }
    draws |= developer_draws(keys, folder / "developer", NOW)
    return states(SERVICE, draws, locales=("en",)), well.operations


def _broker(keys: Path, folder: Path) -> Parts:
    data = deepcopy(SETTINGS) | {"keys": {"dir": str(keys), "rotate_every": {"rp-sig": 90, "id-token-sig": 30}}}
    folder.mkdir()
    data["audit"] = {"dir": str(folder)}
    data["providers"] = providers_with(pop={"status": "closed", "successor": "s-banken"})
    parts: Parts = create_app(Settings.model_validate(data), clock=lambda: NOW).extensions["tunnus"]
    parts.store.client = FakeStore(NOW)
    return parts


def _fill(broker: Parts) -> None:
    for row, outcomes in OUTCOMES.items():
        for what, count in outcomes.items():
            for _ in range(count):
                broker.metrics.started(provider=row, connection="telia")
                if what == "identified":
                    broker.metrics.identified(provider=row, connection="telia")
                else:
                    broker.metrics.refused(code=what, step="response", provider=row, connection="telia")
        broker.metrics.started(provider=row, connection="telia")  # and one who is still at the bank
    broker.metrics.watch_limit("threads", lambda: 6, 64)


def _failing(broker: Parts) -> Draw:
    """Breakers are open for seconds only: they are opened when the page is drawn."""

    def draw(locale: str) -> Response:
        for _ in range(FAILURES_TO_OPEN):
            broker.flow.adapters["telia"]._http.breakers.failed("danske-bank")  # type: ignore[attr-defined]
            broker.flow.adapters["isb"]._http.breakers.failed(None)  # type: ignore[attr-defined]
        return _page(broker.operations)(locale)

    return draw


def _page(app: Flask) -> Draw:
    return lambda _locale: app.test_client().get("/status")


def _with_old_mail(app: Flask) -> Draw:
    service: Service = app.extensions["registration"]

    def draw(locale: str) -> Response:
        with service.database.write() as transaction:
            account = transaction.scalars(select(Account)).first()
            assert account is not None
            transaction.add(late := _mail(account, service.now - 3 * 3600))
        page = _page(app.extensions["operations"])(locale)
        with service.database.write() as transaction:
            transaction.delete(late)
        return page

    return draw


def _mail(account: Account, at: int) -> OutboxEntry:
    return OutboxEntry(
        id="late",
        kind="password_changed",
        account_id=account.id,
        address=account.email,
        locale="fi",
        words={},
        created_at=at,
        next_try_at=at,
        tries=4,
    )


def _without_database(app: Flask) -> Draw:
    service: Service = app.extensions["registration"]

    def draw(locale: str) -> Response:
        gone = Database("sqlite:////nonexistent/registration.sqlite")
        engine, service.database.engine = service.database.engine, gone.engine
        try:
            return _page(app.extensions["operations"])(locale)
        finally:
            service.database.engine = engine
            gone.close()

    return draw
