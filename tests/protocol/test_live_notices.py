"""What the mock banks publish of their state, as a broker reads and shows it; and every way in which they fail to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import tomli_w
from click.testing import CliRunner

from broker.app import create_app
from broker.chooser.live_notices import EVERY, KEEP, KEEP_TEXTS, RETRY
from broker.cli import main
from broker.settings import Settings
from demo.runner.client import Client
from demo.runner.processes import free_port
from providers.engine import published
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Browser
from tests.harness.engine.bank_server import after_request, served

HEADER = {"fi": "Huolto", "sv": "Underhåll", "en": "Maintenance"}
TEXT = {"fi": "Klo <b>3–4</b>\r\n<script>alert(1)</script>ei toimi", "sv": "Kl. 3–4", "en": "From 3 to 4"}
FAULTS = ("status-500", "html", "redirect", "oversized", "truncated", "hang", "drip")


class Disturbed:
    """A broker whose notices are read, of one contract."""

    def __init__(self, system: System, dialect: str) -> None:
        self.system, self.dialect = system, dialect
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        self.config = system.config(dialect, "shared") | {"issuer": self.issuer}
        (self.name,) = self.config["connections"]
        del self.config["connections"][self.name]["notices"]
        system.more_issuers.append((self.issuer, self.config))
        app = create_app(Settings.model_validate(self.config), clock=system.clock)
        system.serve(app, port)
        client = Client(self.issuer, "portal", f"{PORTAL}/callback", system.client_keys)
        self.broker = Broker(app, client, self.config)

    def control(self, what: str, **body: Any) -> dict[str, Any]:
        """Tell the mock banks."""
        return self._asked("post", f"{self.system.mock_url}/control/{what}", json=body)

    def fetches(self) -> int:
        """How often the mock banks were asked for notices."""
        return int(self._asked("get", f"{self.system.mock_url}/control/notices")["fetches"])

    def disturb(self, **more: Any) -> None:
        self.control("disturbance", header=HEADER, text=TEXT, **more)

    def listing(self, locale: str = "fi") -> dict[str, Any]:
        return self._asked("get", f"{self.issuer}/api/providers?ui_locales={locale}")

    def seen(self, locale: str = "fi") -> dict[str, Any] | None:
        """The disturbance of a row when all that this look began has ended."""
        self.listing(locale)
        ended()
        rows = {row["id"]: row for row in self.listing(locale)["providers"]}
        found: dict[str, Any] | None = rows["nordea"]["disturbance"]
        return found

    def ready(self) -> dict[str, Any]:
        answer = self.broker.parts.operations.test_client().get("/readyz").get_json()
        (check,) = (check for check in answer["checks"] if check["name"] == f"notices of {self.name}")
        return dict(check)

    def metrics(self) -> str:
        return str(self.broker.parts.operations.test_client().get("/metrics").get_data(as_text=True))

    def _asked(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        answer = requests.request(method, url, timeout=30, **more)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def reading() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "notices"]


def ended() -> None:
    """Wait for what is being read."""
    for thread in reading():
        thread.join(60)


@pytest.fixture
def disturbed(system: System) -> Iterator[Callable[[str], Disturbed]]:
    made: list[Disturbed] = []

    def make(dialect: str) -> Disturbed:
        made.append(Disturbed(system, dialect))
        return made[-1]

    system.mock.reset()
    yield make
    ended()
    for one in made:
        system.more_issuers.remove((one.issuer, one.config))
    system.mock.reset()


def test_ops_list_and_texts_are_shown_in_the_persons_language(disturbed: Callable[[str], Disturbed]) -> None:
    one = disturbed("isb")
    one.disturb()
    assert one.seen() == {
        "header": {"text": "Huolto", "lang": "fi"},
        "text": {"text": "Klo 3–4\nei toimi", "lang": "fi"},
    }
    swedish = one.seen("sv")
    assert swedish is not None
    assert swedish["header"]["text"] == "Underhåll"
    (texts,) = one.listing("en")["texts"]
    assert texts["consent"] == {"text": "Your personal identity code and name are forwarded.", "lang": "en"}
    assert texts["privacy_link"] is None, "the mock's is plain http"
    page = Browser(one.broker.client).start().text
    assert "Maintenance" in page
    assert "From 3 to 4" in page
    assert "<script>alert" not in page
    assert not any(record["violations"] for record in one.system.mock.requests())


def test_telias_text_is_shown_below_a_header_of_ours(disturbed: Callable[[str], Disturbed]) -> None:
    one = disturbed("telia")
    assert one.seen() is None
    one.disturb()
    one.system.clock.offset += EVERY
    assert one.seen() == {
        "header": {"text": "Häiriötiedote", "lang": "fi"},
        "text": {"text": "Klo 3–4\nei toimi", "lang": "fi"},
    }
    one.control("disturbance")
    one.system.clock.offset += EVERY
    assert one.seen() is None


def test_a_bank_that_op_takes_off_its_list_cannot_be_chosen(disturbed: Callable[[str], Disturbed]) -> None:
    one = disturbed("isb")
    one.control("disturbance", unlisted=["nordea"])
    one.seen()
    rows = {row["id"]: row["usable"] for row in one.listing()["providers"]}
    assert (rows["nordea"], rows["op"]) == (False, True)
    browser = Browser(one.broker.client)
    shown = browser.start(idp_hint="nordea")
    assert "The chosen method cannot be used right now" in shown.title
    assert not any("/nordea" in link for link in shown.links())


def test_many_looks_fetch_once_and_a_chooser_that_nobody_looks_at_fetches_nothing(
    disturbed: Callable[[str], Disturbed],
) -> None:
    one = disturbed("telia")
    assert one.fetches() == 0
    for _ in range(5):
        one.seen()
    assert one.fetches() == 1
    one.system.clock.offset += EVERY
    for _ in range(5):
        one.seen()
    assert one.fetches() == 2


def test_nobody_waits_for_a_broker_that_says_nothing(system: System, disturbed: Callable[[str], Disturbed]) -> None:
    with served(after_request(lambda peer: peer.hang())) as server:
        config = system.config("telia", "shared")
        (connection,) = config["connections"].values()
        del connection["notices"]
        connection["notices_uri"] = f"{server.url}/maintenance.txt"
        http = create_app(Settings.model_validate(config), clock=system.clock).test_client()
        before = published.CALL_SECONDS
        try:
            published.CALL_SECONDS = 60.0
            for _ in range(3):
                assert http.get("/api/providers").status_code == 200
            assert len(reading()) == 1, "it was waited for, or begun more than once"
        finally:
            published.CALL_SECONDS = before
    ended()


@pytest.mark.parametrize(
    ("dialect", "fault"),
    [(dialect, fault) for dialect in ("isb", "telia") for fault in FAULTS] + [("isb", "not-json")],
)
def test_a_feed_that_fails_leaves_the_last_good_one_and_is_told(
    disturbed: Callable[[str], Disturbed], dialect: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = disturbed(dialect)
    one.disturb()
    good = one.seen()
    assert good is not None
    assert one.ready()["state"] == "ok"
    one.control("notices", fault=fault)
    monkeypatch.setattr(published, "CALL_SECONDS", 0.5)
    one.system.clock.offset += EVERY
    assert one.seen() == good
    told = one.ready()
    assert (told["state"], "last read 5 minutes ago" in told["said"], told["mend"] != "") == ("warning", True, True)
    metrics = one.metrics()
    assert f'tunnus_connection_events_total{{connection="{one.name}",event="notices_failed"}} 1.0' in metrics
    assert f'tunnus_notices_age_seconds{{connection="{one.name}"}} 3' in metrics
    assert f'tunnus_connection_usable{{connection="{one.name}"}} 1.0' in metrics, "its breaker is another matter"
    one.system.clock.offset += KEEP - EVERY
    assert one.seen() is None
    assert bool(one.listing()["texts"]) == (dialect == "isb")
    one.system.clock.offset += KEEP_TEXTS - KEEP
    assert one.listing()["texts"] == []
    assert not any(record["kind"] == "attacker" for record in one.system.mock.requests())
    one.control("notices", fault=None)
    one.system.clock.offset += RETRY
    ended()
    assert one.seen() == good
    assert one.ready()["state"] == "ok"


def test_nothing_is_fetched_where_it_is_switched_off(system: System) -> None:
    system.mock.reset()
    http = create_app(Settings.model_validate(system.config("isb", "shared")), clock=system.clock).test_client()
    http.get("/api/providers")
    ended()
    assert requests.get(f"{system.mock_url}/control/notices", timeout=30).json()["fetches"] == 0


def test_the_doctor_reads_them_once_and_the_check_says_where(
    disturbed: Callable[[str], Disturbed], tmp_path: Path
) -> None:
    one = disturbed("isb")
    one.disturb()
    file = tmp_path / "tunnus.toml"
    file.write_text(tomli_w.dumps(one.config))

    def said(command: str) -> str:
        return CliRunner().invoke(main, [command, "--config", str(file)]).output

    uri = f"{one.system.mock_url}/shared/isb/api/embedded-ui/tunnus"
    assert f"connections.{one.name}: what it publishes of its state is read from {uri}" in said("check")
    assert one.fetches() == 0
    assert f"notices of {one.name}: read from {uri}: a disturbance is published, 11 banks are listed" in said("doctor")
    assert one.fetches() == 3
    one.control("notices", fault="status-500")
    told = said("doctor")
    assert f"warning  notices of {one.name}: {uri} cannot be read: it was answered with status 500" in told
    assert "mend: let the broker reach it" in told
