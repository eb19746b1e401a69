"""What is sealed in the database, in every format there ever was; and what a newer version sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from sqlalchemy import update

from demo.runner.registrant import Registrant
from registration.caller import checks
from registration.database.models import Attempt, CallerCheck, Company, Draft, Session
from registration.flow import attempts, drafts
from registration.keys import FORMATS, Keys
from tests.harness.registration import TESTISAHKO, Site, registered, to_form

SAMPLES = {file.stem: json.loads(file.read_text()) for file in (Path(__file__).parent / "samples").iterdir()}
CHANGED = (
    "what is sealed has changed. If the version before can use it, add it to the newest samples; else raise the "
    "number in registration/keys.py, and add samples under it. Samples that are there stay"
)

BEFORE = {"draft": ("password_key_hash", "str")}
"""A member, and its type, of samples that stay and that nobody writes any more."""


def one_of_before(kind: str, found: Any) -> bool:
    return kind in BEFORE and BEFORE[kind] in found.items()


def shape(value: Any) -> Any:
    """What a format is: the members and their types, or the types of a list in its order."""
    if isinstance(value, dict):
        return {name: type(member).__name__ for name, member in value.items()}
    return [type(member).__name__ for member in value]


@contextmanager
def newer_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is done in this context is done by a version that knows one more format of everything."""
    with monkeypatch.context() as patch:
        for kind, number in list(FORMATS.items()):
            patch.setitem(FORMATS, kind, number + 1)
        yield


def test_everything_that_is_sealed_has_samples_of_every_format() -> None:
    assert SAMPLES.keys() == FORMATS.keys()
    for kind, number in FORMATS.items():
        assert sorted(map(int, SAMPLES[kind])) == list(range(number + 1))


def test_what_is_sealed_today_is_as_the_newest_samples_say(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed: list[tuple[str, Any]] = []
    seal = Keys.seal

    def noted(keys: Keys, name: str, value: Any) -> str:
        sealed.append((name.partition(":")[0], value))
        return seal(keys, name, value)

    monkeypatch.setattr(Keys, "seal", noted)
    user = registered(site)
    with site.database.write() as transaction:
        transaction.execute(update(Session).values(identified_at=1))
    share = f"/companies/{site.rows(Company)[0].key}/share"
    user.post(share, user.get(share), user_name="other")
    person = site.registrant()
    chooser = person.identify("nordea", outcome="cancel")
    person.get(urljoin(chooser.url, next(part for part in chooser.text.split('"') if "/return/" in part)))
    person.fill(to_form(person), TESTISAHKO, right="")
    person.fill(person.get("/form"), TESTISAHKO, user_name="other")
    other = site.registrant()
    other.fill(to_form(other), TESTISAHKO, user_name="other")
    person.post("/review", person.get("/review"))
    other.post("/review", other.get("/review"))  # the user name was taken meanwhile
    call(site, person)
    call(site, site.registrant(), about=None)
    for kind, number in FORMATS.items():
        found = [shape(value) for name, value in sealed if name == kind]
        newest = [shape(sample) for sample in SAMPLES[kind][str(number)]]
        assert [one for one in found if one not in newest] == [], CHANGED
        written = [one for one in newest if not one_of_before(kind, one)]
        assert [one for one in written if one not in found] == [], CHANGED


def call(site: Site, caller: Registrant, about: str | None = "person") -> None:
    """Let customer service ask who somebody is, and let them identify."""
    account = site.account(about) if about else None
    with site.database.write() as transaction:
        asked: dict[str, Any] = {"staff": "staff:a", "account": account, "case": None, "by": "voice"}
        _, code = checks.begin(transaction, site.service.keys, **asked, now=site.service.now)
    caller.post("/caller", caller.get("/caller"), code=code)
    caller.identify("nordea", "caller")


def test_callers_of_every_format_are_read(site: Site) -> None:
    keys = site.service.keys
    for samples in SAMPLES["caller"].values():
        for sample in samples:
            sealed = keys.seal("caller:a", sample)
            assert checks.digits_of(keys, CallerCheck(id="a", sealed=sealed)) == sample[0]


@pytest.mark.parametrize("number", sorted(SAMPLES["draft"]))
def test_drafts_of_every_format_are_read(site: Site, number: str) -> None:
    for sample in SAMPLES["draft"][number]:
        with site.database.write() as transaction:
            drafts.save(transaction, site.service, "a-subject", sample)
        assert drafts.load(site.service, "a-subject") == sample


def test_sessions_of_every_format_are_read(site: Site) -> None:
    person = site.registrant()
    to_form(person)
    (session,) = site.rows(Session)
    for found in SAMPLES["session"].values():
        for sample in found:
            seal(site, Session, session.id, sealed=site.service.keys.seal(f"session:{session.id}", sample))
            text = person.get("/form").text
            assert all(name in text for name in sample[1:])


def test_attempts_and_outcomes_of_every_format_are_read(site: Site) -> None:
    keys = site.service.keys
    begun = attempts.begin(site.service, (), "register", "fi", None)
    state = keys.unseal(f"attempt:{begun.id}", site.rows(Attempt)[0].sealed)[0]
    for (sample,) in SAMPLES["attempt"].values():
        seal(site, Attempt, begun.id, sealed=keys.seal(f"attempt:{begun.id}", sample))
        found = attempts.find(site.service, state)
        assert found is not None
        request = found[0].request
        assert [request.state, request.nonce, request.code_verifier] == sample
    for samples in SAMPLES["outcome"].values():
        for sample in samples:
            seal(site, Attempt, begun.id, outcome=keys.seal(f"outcome:{begun.id}", sample))
            found = attempts.find(site.service, state)
            assert found is not None
            assert found[0].outcome == {"path": sample["path"]}  # it has lapsed long ago


def seal(site: Site, table: Any, id: str, **values: str) -> None:
    """Put a sealed value into the row of an id."""
    with site.database.write() as transaction:
        transaction.execute(update(table).where(table.id == id).values(**values))


def test_a_person_whom_a_newer_version_served_gets_a_page_to_load_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = site.registrant()
    with newer_version(monkeypatch):
        person.fill(to_form(person), TESTISAHKO, email="kept@example.com", right="")
    page = person.get("/form")
    assert (page.status, page.path) == (503, "/form")
    metrics = site.app.extensions["operations"].test_client().get("/metrics").get_data(as_text=True)
    assert 'tunnus_newer_records_total{record="session"}' in metrics
    with newer_version(monkeypatch):
        assert 'value="kept@example.com"' in person.get("/form").text
    assert site.rows(Draft)
