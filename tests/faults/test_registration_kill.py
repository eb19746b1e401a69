"""kill -9 of registration at each step of the errand: nobody is half made, and everybody gets to the end.

Whoever saw "done" has the account and gets the e-mail. Whoever did not reloads and goes on, or starts again.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from estate import TESTISAHKO, House
from registration_estate import EMAIL, MortalHome, mortal_home, to_form, to_review
from registration_process import Visitor, send_mail_once
from stage import Stage

from registration.mail import CLAIM
from registration.models import OutboxEntry, Session

KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def house(valkey_url: str, broker_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Mock banks and a broker, which nobody kills."""
    with Stage(valkey_url, broker_keys, tmp_path_factory.mktemp("house")) as stage:
        yield House(stage, tmp_path_factory.mktemp("registration"))


@pytest.fixture
def home(house: House, sqlite_url: str, tmp_path: Path) -> Iterator[MortalHome]:
    """On SQLite."""
    house.stage.reset()
    with mortal_home(house, sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def home_on_either(house: House, database_url: str, tmp_path: Path) -> Iterator[MortalHome]:
    """On SQLite and on PostgreSQL."""
    house.stage.reset()
    with mortal_home(house, database_url, tmp_path) as made:
        yield made


def ends_well(home: MortalHome, person: Visitor) -> None:
    """Whoever is at the form's end sends it, sees "done", has the account, and gets one e-mail."""
    done = person.expect("/done", person.post("/review", person.expect("/review", person.get("/review"))))
    assert EMAIL in done.text
    has_account_and_gets_the_e_mail(home)


def has_account_and_gets_the_e_mail(home: MortalHome) -> None:
    assert home.registered() == ["person"]
    assert home.send_mail() == 1
    assert home.mail.recipients == [EMAIL]
    assert home.send_mail(later=CLAIM + 1) == 0


def test_killed_on_the_way_to_the_broker_a_reload_leads_there(home: MortalHome) -> None:
    home.process.start("after the attempt was stored")
    person = home.visitor()
    home.dies(person.identify, "nordea")
    person.fill(person.expect("/form", person.reload()), TESTISAHKO)
    ends_well(home, person)


@pytest.mark.parametrize("point", ["before the claim", "after the session was committed"])
def test_killed_before_the_claim_or_after_the_session_a_reload_goes_on(home: MortalHome, point: str) -> None:
    home.process.start(point)
    person = home.visitor()
    home.dies(person.identify, "nordea")
    person.fill(person.expect("/form", person.reload()), TESTISAHKO)
    assert len(home.rows(Session)) == 1
    ends_well(home, person)


@pytest.mark.parametrize("point", ["after the claim", "after the token exchange", "before the session is committed"])
def test_killed_between_claim_and_session_the_person_is_told_and_starts_again(home: MortalHome, point: str) -> None:
    home.process.start(point)
    person = home.visitor()
    home.dies(person.identify, "nordea")
    assert home.rows(Session) == []
    told = person.reload()
    assert told.path.startswith("/problem/interrupted/")
    assert 'href="/start' in told.text
    person.fill(to_form(person), TESTISAHKO)
    ends_well(home, person)


@pytest.mark.parametrize("point", ["after the draft was saved", "after the checked draft was saved"])
def test_killed_at_the_form_nothing_typed_is_lost_and_a_reload_goes_on(home: MortalHome, point: str) -> None:
    home.process.start(point)
    person = home.visitor()
    home.dies(person.fill, to_form(person), TESTISAHKO)
    assert home.registered() == []
    other = home.visitor(person.persona)
    assert f'value="{EMAIL}"' in to_form(other).text
    person.expect("/review", person.reload())
    ends_well(home, person)


def test_killed_before_the_account_is_begun_sending_again_registers(home: MortalHome) -> None:
    home.process.start("before the registration")
    person = home.visitor()
    home.dies(person.post, "/review", to_review(person))
    assert home.registered() == []
    ends_well(home, person)


def test_killed_before_the_commit_nobody_is_half_made_and_sending_again_registers(home_on_either: MortalHome) -> None:
    home = home_on_either
    home.process.start("before the registration is committed")
    person = home.visitor()
    home.dies(person.post, "/review", to_review(person))
    assert home.registered() == []
    person.expect("/done", person.reload())
    has_account_and_gets_the_e_mail(home)


def test_killed_before_the_commit_who_starts_again_finds_all_as_it_was(home: MortalHome) -> None:
    home.process.start("before the registration is committed")
    person = home.visitor()
    home.dies(person.post, "/review", to_review(person))
    again = home.visitor(person.persona)
    assert f'value="{EMAIL}"' in to_form(again).text
    ends_well(home, again)


def test_killed_after_the_commit_the_account_is_whole_and_is_found_by_identifying(home_on_either: MortalHome) -> None:
    home = home_on_either
    home.process.start("after the registration was committed")
    person = home.visitor()
    home.dies(person.post, "/review", to_review(person))
    assert home.registered() == ["person"]
    person.expect("/done", person.reload())
    assert person.identify("nordea").path == "/problem/already_registered"
    rights = person.expect("/rights", person.identify("nordea", purpose="sign-in"))
    assert TESTISAHKO.name in rights.text
    has_account_and_gets_the_e_mail(home)


def test_killed_after_the_commit_it_is_the_first_one_that_stays_administrator(home: MortalHome) -> None:
    home.process.start("after the registration was committed")
    person, later = home.visitor(), home.visitor()
    home.dies(person.post, "/review", to_review(person))
    later.register("op", TESTISAHKO, "later", "later@example.com")
    assert sorted(home.registered()) == ["later", "person"]


def test_whoever_saw_done_has_the_account_and_gets_the_e_mail(home_on_either: MortalHome) -> None:
    home = home_on_either
    home.process.start()
    person = home.visitor()
    done = person.expect("/done", person.post("/review", to_review(person)))
    home.process.kill()
    home.process.start()
    assert person.expect("/done", person.reload()).title == done.title
    has_account_and_gets_the_e_mail(home)


@pytest.mark.parametrize(
    ("point", "sent"),
    [
        ("before the mail server is asked", (0, 1)),
        ("after the mail server took it", (1, 2)),
        ("after the e-mail was marked as sent", (1, 1)),
    ],
)
def test_a_sender_that_is_killed_costs_no_e_mail(home: MortalHome, point: str, sent: tuple[int, int]) -> None:
    home.process.start()
    home.visitor().register("nordea", TESTISAHKO, "person", EMAIL)
    assert send_mail_once(home.process.file, point) == KILLED
    assert len(home.mail.mails) == sent[0]
    assert home.send_mail() == 0  # the claim of the dead one holds
    assert home.send_mail(later=CLAIM + 1) == sent[1] - sent[0]
    assert home.mail.recipients == [EMAIL] * sent[1]
    assert len({mail["Message-ID"] for mail in home.mail.mails}) == 1
    assert [bool(entry.sent_at) for entry in home.rows(OutboxEntry)] == [True]
    assert home.registered() == ["person"]
