"""kill -9 of registration at each step of registering: nobody is half made, and everybody gets to the end.

Whoever saw "done" has the account and gets the e-mail. Whoever did not reloads and goes on, or starts again.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from registration.database.models import OutboxEntry, Session
from registration.mail.sending import CLAIM
from tests.harness.broker import StoreServer, System
from tests.harness.registration import TESTISAHKO, Harness, to_form
from tests.harness.registration_process.demo import EMAIL, KillableSite, killable_site, to_review
from tests.harness.registration_process.process import Visitor, send_mail_once

KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def harness(
    store_server: StoreServer, broker_keys: Path, bank_keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """Mock banks and a broker, which nobody kills."""
    with System(store_server, broker_keys, bank_keys, tmp_path_factory.mktemp("harness")) as system:
        yield Harness(system, tmp_path_factory.mktemp("registration"))


@pytest.fixture
def site(harness: Harness, sqlite_url: str, tmp_path: Path) -> Iterator[KillableSite]:
    """On SQLite."""
    harness.system.reset()
    with killable_site(harness, sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def site_on_either(harness: Harness, database_url: str, tmp_path: Path) -> Iterator[KillableSite]:
    """On SQLite and on PostgreSQL."""
    harness.system.reset()
    with killable_site(harness, database_url, tmp_path) as made:
        yield made


def ends_well(site: KillableSite, person: Visitor) -> None:
    """Whoever is at the form's end sends it, sees "done", has the account, and gets one e-mail."""
    done = person.expect("/done", person.post("/review", person.expect("/review", person.get("/review"))))
    assert EMAIL in done.text
    has_account_and_gets_the_e_mail(site)


def has_account_and_gets_the_e_mail(site: KillableSite) -> None:
    assert site.registered() == ["person"]
    assert site.send_mail() == 1
    assert site.mail.recipients == [EMAIL]
    assert site.send_mail(later=CLAIM + 1) == 0


@pytest.mark.drill
def test_killed_on_the_way_to_the_broker_a_reload_leads_there(site: KillableSite) -> None:
    site.process.start("after the attempt was stored")
    person = site.visitor()
    site.dies(person.identify, "nordea")
    person.fill(person.expect("/form", person.reload()), TESTISAHKO)
    ends_well(site, person)


@pytest.mark.drill
@pytest.mark.parametrize("point", ["before the claim", "after the session was committed"])
def test_killed_before_the_claim_or_after_the_session_a_reload_goes_on(site: KillableSite, point: str) -> None:
    site.process.start(point)
    person = site.visitor()
    site.dies(person.identify, "nordea")
    person.fill(person.expect("/form", person.reload()), TESTISAHKO)
    assert len(site.rows(Session)) == 1
    ends_well(site, person)


@pytest.mark.drill
@pytest.mark.parametrize("point", ["after the claim", "after the token exchange", "before the session is committed"])
def test_killed_between_claim_and_session_the_person_is_told_and_starts_again(site: KillableSite, point: str) -> None:
    site.process.start(point)
    person = site.visitor()
    site.dies(person.identify, "nordea")
    assert site.rows(Session) == []
    told = person.reload()
    assert told.path.startswith("/problem/interrupted/")
    assert 'href="/start' in told.text
    person.fill(to_form(person), TESTISAHKO)
    ends_well(site, person)


@pytest.mark.drill
@pytest.mark.parametrize("point", ["after the draft was saved", "after the checked draft was saved"])
def test_killed_at_the_form_nothing_typed_is_lost_and_a_reload_goes_on(site: KillableSite, point: str) -> None:
    site.process.start(point)
    person = site.visitor()
    site.dies(person.fill, to_form(person), TESTISAHKO)
    assert site.registered() == []
    other = site.visitor(person.persona)
    assert f'value="{EMAIL}"' in to_form(other).text
    person.expect("/review", person.reload())
    ends_well(site, person)


def test_killed_before_the_account_is_begun_sending_again_registers(site: KillableSite) -> None:
    site.process.start("before the registration")
    person = site.visitor()
    site.dies(person.post, "/review", to_review(person))
    assert site.registered() == []
    ends_well(site, person)


@pytest.mark.drill
def test_killed_before_the_commit_nobody_is_half_made_and_sending_again_registers(site_on_either: KillableSite) -> None:
    site = site_on_either
    site.process.start("before the registration is committed")
    person = site.visitor()
    site.dies(person.post, "/review", to_review(person))
    assert site.registered() == []
    person.expect("/done", person.reload())
    has_account_and_gets_the_e_mail(site)


@pytest.mark.drill
def test_killed_before_the_commit_who_starts_again_finds_all_as_it_was(site: KillableSite) -> None:
    site.process.start("before the registration is committed")
    person = site.visitor()
    site.dies(person.post, "/review", to_review(person))
    again = site.visitor(person.persona)
    assert f'value="{EMAIL}"' in to_form(again).text
    ends_well(site, again)


@pytest.mark.drill
def test_killed_after_the_commit_the_account_is_whole_and_is_found_by_identifying(site_on_either: KillableSite) -> None:
    site = site_on_either
    site.process.start("after the registration was committed")
    person = site.visitor()
    site.dies(person.post, "/review", to_review(person))
    assert site.registered() == ["person"]
    person.expect("/done", person.reload())
    assert person.identify("nordea").path == "/problem/already_registered"
    rights = person.expect("/rights", person.identify("nordea", purpose="sign-in"))
    assert TESTISAHKO.name in rights.text
    has_account_and_gets_the_e_mail(site)


@pytest.mark.drill
def test_killed_after_the_commit_it_is_the_first_one_that_stays_administrator(site: KillableSite) -> None:
    site.process.start("after the registration was committed")
    person, later = site.visitor(), site.visitor()
    site.dies(person.post, "/review", to_review(person))
    later.register("op", TESTISAHKO, "later", "later@example.com")
    assert sorted(site.registered()) == ["later", "person"]


@pytest.mark.drill
def test_whoever_saw_done_has_the_account_and_gets_the_e_mail(site_on_either: KillableSite) -> None:
    site = site_on_either
    site.process.start()
    person = site.visitor()
    done = person.expect("/done", person.post("/review", to_review(person)))
    site.process.kill()
    site.process.start()
    assert person.expect("/done", person.reload()).title == done.title
    has_account_and_gets_the_e_mail(site)


@pytest.mark.drill
@pytest.mark.parametrize(
    ("point", "sent"),
    [
        ("before the mail server is asked", (0, 1)),
        ("after the mail server took it", (1, 2)),
        ("after the e-mail was marked as sent", (1, 1)),
    ],
)
def test_a_sender_that_is_killed_costs_no_e_mail(site: KillableSite, point: str, sent: tuple[int, int]) -> None:
    site.process.start()
    site.visitor().register("nordea", TESTISAHKO, "person", EMAIL)
    assert send_mail_once(site.process.file, point) == KILLED
    assert len(site.mail.mails) == sent[0]
    assert site.send_mail() == 0  # the claim of the dead one holds
    assert site.send_mail(later=CLAIM + 1) == sent[1] - sent[0]
    assert site.mail.recipients == [EMAIL] * sent[1]
    assert len({mail["Message-ID"] for mail in site.mail.mails}) == 1
    assert [bool(entry.sent_at) for entry in site.rows(OutboxEntry)] == [True]
    assert site.registered() == ["person"]
