"""Every `sub` is as computed, whoever else is being identified at the same moment."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from broker.app import create_app
from broker.settings import Settings
from demo.runner.client import Client
from demo.runner.processes import free_port
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Browser

SECTORS = {"first": "sector-one", "second": "sector-two"}
THREADS = 8


@pytest.fixture
def two_sectors(system: System) -> Iterator[tuple[Broker, dict[str, Client]]]:
    """A broker with two clients, each of a sector of its own."""
    config = system.config("telia", "shared")
    known = config["clients"]["portal"]
    config["clients"] = {name: {**known, "sector": sector} for name, sector in SECTORS.items()}
    config["issuer"] = f"http://127.0.0.1:{free_port()}"
    system.more_issuers.append((config["issuer"], config))
    app = create_app(Settings.model_validate(config), clock=system.clock)
    system.serve(app, int(config["issuer"].rsplit(":", 1)[1]))
    clients = {name: Client(config["issuer"], name, f"{PORTAL}/callback", system.client_keys) for name in SECTORS}
    yield Broker(app, clients["first"], config), clients
    system.more_issuers.clear()


def expected_subject(system: System, sector: str, code: str) -> str:
    """HMAC-SHA256 by the pairwise key of sector, scheme and identifier, zero bytes between (docs/security.md)."""
    file = next(system.keys.glob("pairwise-*.json"))
    stored = json.loads(file.read_text())
    secret = next(
        member["k"] for member in (stored, *(v for v in stored.values() if isinstance(v, dict))) if "k" in member
    )
    key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    digest = hmac.new(key, b"\0".join((sector.encode(), b"hetu", code.encode())), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("logins", [80, pytest.param(1200, marks=pytest.mark.drill)])
def test_every_subject_is_as_computed_among_threads(
    system: System, two_sectors: tuple[Broker, dict[str, Client]], logins: int
) -> None:
    _, clients = two_sectors
    people = system.mock.people()[:6]
    # A face belongs to one person here, so that threads cannot take each other's scripted outcome.
    faces = ("aktia", "nordea", "op", "pop", "s-banken", "nooa")
    for face, person in zip(faces, people, strict=True):
        system.mock.next(face, persona=person["id"], times=0)
    wrong: list[str] = []
    turn = threading.Lock()
    numbers = iter(range(logins))

    def work() -> None:
        while True:
            with turn:
                number = next(numbers, None)
            if number is None:
                return
            name = "first" if number % 2 else "second"
            face, person = faces[number % 6], people[number % 6]
            browser = Browser(clients[name])
            with browser.session:
                claims = browser.token(browser.start(idp_hint=face))
            if claims["sub"] != expected_subject(system, SECTORS[name], person["personal_identity_code"]):
                wrong.append(f"{name} {face}")

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work) for _ in range(THREADS)]:
            done.result()
    assert wrong == []


def test_the_same_person_has_another_subject_in_another_sector(system: System) -> None:
    code = system.adult()["personal_identity_code"]
    assert expected_subject(system, "sector-one", code) != expected_subject(system, "sector-two", code)
