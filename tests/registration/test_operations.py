"""Registration's second port: what it says of the database and the outbox, and that every limit is counted."""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from demo.runner.registrant import PASSWORD
from kit.audit.heads import read_heads
from kit.audit.signed import Trust, public_keys
from registration import audit
from registration.accounts import choosing
from registration.accounts.passwords import Busy
from registration.app import create_app
from registration.audit import chain
from registration.audit.reading import verify
from registration.database.connection import Database
from registration.database.models import OutboxEntry
from registration.operations import LIMITS
from registration.pages.texts import PROBLEMS
from registration.settings import Settings
from registration.tidy import tell_head
from tests.harness.collector import SyslogServer
from tests.harness.page_rules import check_page
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site

ROOT = Path(__file__).parents[2]


def limits_of(site: Site) -> dict[str, float]:
    """The limits that have stopped something, as `/metrics` tells them."""
    shown = site.app.extensions["operations"].test_client().get("/metrics").get_data(as_text=True)
    found = re.findall(r'^tunnus_limits_reached_total\{limit="(\w+)"\} ([0-9.]+)$', shown, re.MULTILINE)
    return {name: float(count) for name, count in found if float(count)}


def ready(site: Site) -> tuple[int, dict[str, str]]:
    answer = site.app.extensions["operations"].test_client().get("/readyz")
    return answer.status_code, {check["name"]: check["state"] for check in answer.get_json()["checks"]}


@pytest.fixture
def counting(harness: Harness, sqlite_url: str) -> Site:
    """Registration in an application of its own: what it counts begins at nothing."""
    harness.system.reset()
    site = open_site(harness, harness.config(sqlite_url), harness.system.clock)
    know(site, [TESTISAHKO])
    return site


def test_it_is_ready_and_says_so_of_each_part(site: Site) -> None:
    assert ready(site) == (200, {"configuration": "ok", "keys in use": "ok", "database": "ok", "e-mail": "ok"})
    assert site.app.test_client().get("/readyz").status_code == 404, "never on the public port"


def test_an_e_mail_that_waits_too_long_is_told_and_measured(site: Site) -> None:
    site.registrant().register("nordea", TESTISAHKO, "person", "person@example.com")
    with site.database.write() as transaction:
        transaction.execute(update(OutboxEntry).values(created_at=int(site.service.now) - 3601))
    assert ready(site) == (200, {"configuration": "ok", "keys in use": "ok", "database": "ok", "e-mail": "warning"})
    shown = site.app.extensions["operations"].test_client().get("/metrics").get_data(as_text=True)
    assert "tunnus_mail_waiting 1.0" in shown
    (oldest,) = re.findall(r"^tunnus_mail_oldest_seconds ([0-9.]+)$", shown, re.MULTILINE)
    assert float(oldest) >= 3601


def test_a_list_of_erasures_that_cannot_be_written_is_told(harness: Harness, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "erasures.jsonl"
    erasures = {"erasures": {"file": str(file)}}
    site = open_site(harness, harness.config(sqlite_url) | erasures, harness.system.clock)
    assert ready(site)[1]["erasures"] == "warning"
    site.service.erasures.make()
    assert "erasures" not in ready(site)[1]


def used(site: Site) -> dict[str, float]:
    """How much of each limit is used, as `/metrics` tells it."""
    shown = site.app.extensions["operations"].test_client().get("/metrics").get_data(as_text=True)
    most = dict(re.findall(r'^tunnus_limit_most\{limit="(\w+)"\} ([0-9.]+)$', shown, re.MULTILINE))
    found = dict(re.findall(r'^tunnus_limit_used\{limit="(\w+)"\} ([0-9.]+)$', shown, re.MULTILINE))
    assert most.keys() == found.keys()
    assert all(float(count) <= float(most[name]) for name, count in found.items())
    return {name: float(count) for name, count in found.items()}


QUEUES = ("passwords_at_once", "broker_calls", "waiters", "database_connections", "starts_in_all")


def test_each_queue_shows_how_full_it_is(counting: Site) -> None:
    assert used(counting) == dict.fromkeys(QUEUES, 0)
    counting.registrant().identify("nordea")
    service = counting.service
    with (
        service.passwords.admitted("192.0.2.1"),
        service.broker_calls,
        service.waiters,
        service.database.read() as held,
    ):
        held.execute(select(OutboxEntry))
        assert used(counting) == dict.fromkeys(QUEUES, 1)


def test_an_e_mail_that_was_tried_in_vain_is_told_from_one_that_only_waits(site: Site) -> None:
    site.registrant().register("nordea", TESTISAHKO, "person", "person@example.com")
    shown = site.app.extensions["operations"].test_client()
    assert "tunnus_mail_retrying 0.0" in shown.get("/metrics").text
    with site.database.write() as transaction:
        transaction.execute(update(OutboxEntry).values(tries=1))
    assert "tunnus_mail_retrying 1.0" in shown.get("/metrics").text


def test_without_its_database_the_metrics_say_so(harness: Harness, tmp_path: Path) -> None:
    config = harness.config(f"sqlite:///{tmp_path / 'gone' / 'x.sqlite'}")
    app = create_app(Settings.model_validate(config), clock=harness.system.clock)
    shown = app.extensions["operations"].test_client().get("/metrics").text
    assert 'tunnus_check{check="database"} 2.0' in shown
    assert "tunnus_mail_waiting NaN" in shown
    assert 'tunnus_limit_used{limit="starts_in_all"} NaN' in shown
    page = app.extensions["operations"].test_client().get("/status").text
    assert "<h1>Registration cannot work</h1>" in page
    assert page.count("not known") == 4


def test_a_postgresql_that_takes_nothing_is_not_ready(postgres_url: str) -> None:
    with closing(Database(postgres_url, 2)) as database, database.read() as transaction:
        assert database.read_only(transaction) is None
        transaction.execute(text("SET default_transaction_read_only = on"))
        assert "default_transaction_read_only" in str(database.read_only(transaction))


def test_a_database_that_takes_nothing_is_not_ready(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "read_only", lambda self, transaction: "name the primary")
    status, checks = ready(site)
    assert (status, checks["database"]) == (503, "failed")


def test_an_sqlite_on_a_disk_that_may_not_be_written_takes_nothing(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Database(sqlite_url, 2)) as database, database.read() as transaction:
        transaction.execute(text("SELECT 1"))
        assert database.read_only(transaction) is None
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert "whose the file" in str(database.read_only(transaction))


def test_the_status_page_tells_of_the_outbox_keys_and_queues(site: Site) -> None:
    site.registrant().register("nordea", TESTISAHKO, "person", "person@example.com")
    with site.database.write() as transaction:
        transaction.execute(update(OutboxEntry).values(created_at=int(site.service.now) - 7200))
    answer = site.app.extensions["operations"].test_client().get("/status")
    page = check_page(answer.text, "en")
    told = [" ".join("".join(item.itertext()).split()) for item in page.findall(".//main//li")]
    assert told[:3] == ["e-mails that wait 1", "of them tried in vain 0", "minutes that the oldest has waited 120"]
    assert "passwords at once 0 of 16" in told
    purposes = {" ".join(cell.itertext()).split()[0] for cell in page.findall(".//tbody/tr/th")}
    assert purposes >= {"client", "sealing", "cookie", "digest", "e-mail", "database"}
    assert "Registration works, and should be looked after" in answer.text
    assert "person" not in answer.text.replace("of a person.", "")
    assert site.app.test_client().get("/status").status_code == 404


def test_starts_that_are_stopped_are_counted_by_their_limit(harness: Harness, sqlite_url: str) -> None:
    rules = {"rules": {"starts_per_address": 1, "starts_in_all": 2}, "server": {"trusted_proxies": 1}}
    site = open_site(harness, harness.config(sqlite_url) | rules, harness.system.clock)
    client = site.app.test_client()
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"):
        client.get("/start", headers={"X-Forwarded-For": address})
    assert limits_of(site) == {"starts_per_address": 1, "starts_in_all": 1}


def test_sign_ins_that_are_stopped_are_counted(counting: Site) -> None:
    counting.registrant().register("nordea", TESTISAHKO, "person", "person@example.com")
    person = counting.registrant()
    for _ in range(11):
        person.post("/sign-in", person.get("/sign-in"), user_name="person", password="Wrong-password-1")
    assert limits_of(counting) == {"sign_ins_per_address": 1}


def test_forms_that_are_stopped_are_counted_and_told_when_to_come_again(
    counting: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = counting.registrant()
    review = person.expect("/review", person.fill(person.identify("op"), TESTISAHKO))
    monkeypatch.setattr(choosing, "MOST", 1)  # the form was one
    fields = {"csrf_token": review.csrf_token}
    answer = person.browser.post(f"{person.registration}/review", data=fields, timeout=30)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(choosing.WINDOW))
    assert limits_of(counting) == {"forms_per_person": 1}


@pytest.mark.parametrize("code", [code for code, problem in PROBLEMS.items() if problem.status == 429])
def test_every_page_of_a_limit_says_when_to_come_again(site: Site, code: str) -> None:
    assert int(site.app.test_client().get(f"/problem/{code}").headers["Retry-After"]) > 0


def test_a_full_queue_of_hashes_is_counted(counting: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting.service.passwords, "_room", 0)
    person = counting.registrant()
    assert person.post("/sign-in", person.get("/sign-in"), user_name="person", password=PASSWORD).status == 503
    assert limits_of(counting) == {"passwords_at_once": 1}
    with pytest.raises(Busy), counting.service.passwords.admitted():
        pass


def test_every_limit_has_a_name_in_the_docs() -> None:
    docs = (ROOT / "docs" / "operations.md").read_text("utf-8")
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "registration").rglob("*.py"))
    lines = [line for line in sources.splitlines() if "limit=" in line]
    named = {name for line in lines for name in re.findall(r'(?:limit=| else )"(\w+)"', line)}
    assert named == set(LIMITS)
    assert [name for name in sorted(named) if f"`{name}`" not in docs] == []


def test_the_end_of_the_audit_trail_goes_to_the_log_and_the_collector(
    harness: Harness, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness.system.reset()
    with SyslogServer() as server:
        collector = {"audit": {"collector": {"url": f"syslog+tcp://127.0.0.1:{server.port}"}}}
        site = open_site(harness, harness.config(sqlite_url) | collector, harness.system.clock)
        tell_head(site.service)  # nothing is recorded yet
        with site.database.write() as transaction:
            audit.record(transaction, "signed_in", now=int(site.service.now), actor="nobody")
        assert ready(site)[1]["audit heads"] == "ok"
        with caplog.at_level("INFO", "tunnus.registration"):
            tell_head(site.service)
        assert site.service.heads.send_waiting()
        line = server.received.get(timeout=60).decode()
    (head,), unknown = read_heads([line], Trust(public_keys(site.service.keys)))
    (logged,) = [record for record in caplog.records if record.message == "audit_head"]
    assert (unknown, head.file, head.seq) == (0, "registration", 1)
    assert (logged.file, logged.seq, logged.head) == (head.file, head.seq, head.hash)  # type: ignore[attr-defined]
    assert " tunnus-registration " in line
    with site.database.read() as transaction:
        assert verify(transaction, [head], Trust([])).findings == []


def test_a_database_that_is_away_has_no_head(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(transaction: object) -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(chain, "last", away)
    tell_head(site.service)
    assert site.service.heads.unsent == 0
