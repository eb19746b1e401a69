"""A new e-mail address: asked for by who has just identified, in force once its link is used, told to the old one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from demo.runner.registrant import Page, Registrant
from registration.accounts.limits import DAY, Limit, take
from registration.caller import checks
from registration.database.models import Account, AuditRecord, OutboxEntry
from registration.flow.confirmation import LINKS_WINDOW, MOST_LINKS
from registration.mail.links import VALID, link_token
from registration.mail.outbox import NEW_ADDRESS
from registration.mail.sending import clean
from registration.pages.forms import NO_EMAIL
from tests.harness.registration import Site, registered

OLD, NEW = "person@example.com", "new@example.com"


def person(site: Site, confirmed: bool = True) -> Registrant:
    """Somebody who has registered, and confirmed their address a year ago."""
    found = registered(site)
    with site.database.write() as tx:
        tx.execute(update(Account).values(email=OLD, email_confirmed_at=1 if confirmed else None))
    return found


def ask(who: Registrant, address: str, **more: str) -> Page:
    """Send the form of the page."""
    return who.post("/new-email", who.get("/new-email"), email=address, **more)


def waiting(site: Site, kind: str = NEW_ADDRESS) -> list[OutboxEntry]:
    return [entry for entry in site.rows(OutboxEntry) if entry.kind == kind]


def link(site: Site) -> str:
    """The path of the link in the newest e-mail to a new address."""
    (entry,) = waiting(site)
    return f"/confirm/{link_token(site.service.keys, entry.id, site.service.now)}"


def use(site: Site, path: str) -> Page:
    """Follow a link in a browser of its own, and press the button."""
    reader = site.registrant()
    return reader.post(path, reader.get(path))


def events(site: Site) -> list[str]:
    return [record.event for record in site.rows(AuditRecord)]


def test_the_address_changes_when_its_link_is_used_and_the_old_one_is_told(site_on_either: Site) -> None:
    site = site_on_either
    chief = person(site)
    assert 'href="/new-email"' in chief.get("/rights").text
    assert OLD in chief.get("/new-email").text
    told = ask(chief, f" {NEW.upper().replace('NEW', 'New')} ")
    assert (told.path, told.status) == ("/rights", 200)
    assert "uuteen sähköpostiosoitteeseen" in told.text
    assert (waiting(site)[0].address, waiting(site)[0].words) == ("New@example.com", {})
    assert (site.account("person").email, site.account("person").email_confirmed_at) == (OLD, 1)
    path = link(site)
    assert "New@example.com" in site.registrant().get(path).text
    assert site.account("person").email == OLD, "to look confirms nothing"
    assert waiting(site, "email_changed") == []
    pressed = site.service.now
    assert use(site, path).path == "/confirmed"
    account = site.account("person")
    assert (account.email, account.email_key) == ("New@example.com", NEW)
    assert pressed <= (account.email_confirmed_at or 0)
    (notice,) = waiting(site, "email_changed")
    assert (notice.address, notice.words) == (OLD, {})
    site.harness.system.later(60)
    assert use(site, path).path == "/confirmed"  # pressed twice
    assert site.account("person").email_confirmed_at == account.email_confirmed_at
    assert (events(site).count("email_changed"), len(waiting(site, "email_changed"))) == (1, 1)
    assert "Sähköpostiosoite vaihdettu" in chief.get("/history").text


def test_nobody_asks_for_it_without_a_fresh_identification(site: Site) -> None:
    chief = person(site)
    site.harness.system.later(601)
    page = ask(chief, NEW)
    assert page.url.startswith(site.harness.issuer)
    assert waiting(site) == []
    again = chief.expect("/new-email", chief.identify("nordea", purpose="confirm"))
    assert f'value="{NEW}"' in again.text
    assert chief.post("/new-email", again, email=NEW).path == "/rights"
    assert len(waiting(site)) == 1
    assert site.registrant().get("/new-email").status == 401


@pytest.mark.parametrize("address", ["", "no address", "a@b@example.com", f"{'a' * 250}@example.com"])
def test_what_is_no_address_is_refused(site: Site, address: str) -> None:
    chief = person(site)
    page = ask(chief, address, ui_locales="en").status, ask(chief, address)
    assert page[0] == 200, "a language button sends nothing"
    assert page[1].status == 422
    assert NO_EMAIL in page[1].text
    assert f'value="{address}"' in page[1].text
    assert waiting(site) == []


def test_the_present_address_is_told_and_nothing_is_sent(site: Site) -> None:
    page = ask(person(site), "Person@Example.com")
    assert page.status == 422
    assert "Tämä on jo sähköpostiosoitteesi" in page.text
    assert waiting(site) == []


def test_a_second_change_replaces_the_first(site_on_either: Site) -> None:
    site = site_on_either
    chief = person(site)
    ask(chief, NEW)
    first = link(site)
    reader = site.registrant()
    asked = reader.get(first)
    ask(chief, "newer@example.com")
    second = link(site)
    assert reader.get(first).status == 410
    assert reader.post(first, asked).status == 410
    assert site.account("person").email == OLD
    assert use(site, second).path == "/confirmed"
    assert site.account("person").email == "newer@example.com"
    assert reader.post(first, asked).status == 410
    assert site.account("person").email == "newer@example.com"


def test_a_change_that_is_replaced_in_the_same_moment_is_not_made(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(person(site), NEW)
    path, reader, write = link(site), site.registrant(), site.database.write
    asked = reader.get(path)

    def after_another() -> Any:
        monkeypatch.undo()
        with write() as tx:
            tx.execute(delete(OutboxEntry).where(OutboxEntry.kind == NEW_ADDRESS))
        return write()

    monkeypatch.setattr(site.database, "write", after_another)
    assert reader.post(path, asked).status == 410
    assert site.account("person").email == OLD


def test_a_link_is_for_a_day_and_no_new_one_is_had_by_it(site: Site) -> None:
    chief = person(site, confirmed=False)
    ask(chief, NEW)
    path = link(site)
    reader = site.registrant()
    asked = reader.get(path)
    site.harness.system.later(VALID + 1)
    page = reader.get(path)
    assert page.status == 410
    assert "/new-email" in page.text
    assert f"{path}/new" not in page.text
    assert reader.post(path, asked).status == 410
    before = len(site.rows(OutboxEntry))
    assert reader.post(f"{path}/new", asked).status == 410
    assert (site.account("person").email, len(site.rows(OutboxEntry))) == (OLD, before)


def test_an_old_address_that_was_never_confirmed_is_told_nothing(site: Site) -> None:
    chief = person(site, confirmed=False)
    (first,) = waiting(site, "confirmation")
    with site.database.write() as tx:
        tx.execute(update(OutboxEntry).where(OutboxEntry.id == first.id).values(address=OLD))
    ask(chief, NEW)
    use(site, link(site))
    assert site.account("person").email == NEW
    assert waiting(site, "email_changed") == []
    of_old = f"/confirm/{link_token(site.service.keys, first.id, site.service.now)}"
    assert use(site, of_old).status == 410
    assert site.account("person").email == NEW, "the link to the address before confirms nothing any more"


def test_links_to_new_addresses_are_few_for_an_account_and_for_an_address(site: Site) -> None:
    chief = person(site)
    pages = [ask(chief, f"new-{number}@example.com") for number in range(MOST_LINKS + 1)]
    assert [page.status for page in pages] == [200] * MOST_LINKS + [429]
    assert pages[-1].path == "/link-sent"
    assert waiting(site)[0].address == f"new-{MOST_LINKS - 1}@example.com"
    site.harness.system.later(LINKS_WINDOW + 1)
    victim = site.service.keys.keyed_digest("confirmation", NEW)
    most = site.service.settings.rules.confirmations_per_mail_address
    with site.database.write() as transaction:
        for _ in range(most):
            assert take(transaction, {victim: Limit(most, DAY)}, site.service.now) == {}
    chief.expect("/rights", chief.identify("nordea", purpose="confirm"))
    assert ask(chief, NEW).status == 429
    assert waiting(site)[0].address == f"new-{MOST_LINKS - 1}@example.com"


def test_no_link_for_a_caller_goes_to_an_address_that_has_just_changed(site: Site) -> None:
    chief = person(site)

    def begin(later: int = 0) -> str:
        with site.database.write() as tx:
            account = tx.scalars(select(Account)).one()
            about = {"staff": "staff:0", "account": account, "case": None, "by": "email"}
            checks.begin(tx, site.service.keys, now=site.service.now + later, **about)  # type: ignore[arg-type]
            return account.email

    assert begin() == OLD
    ask(chief, NEW)
    use(site, link(site))
    with pytest.raises(checks.CannotBeSent):
        begin()
    with pytest.raises(checks.CannotBeSent):
        begin(checks.LONG_CONFIRMED - 60)
    assert begin(checks.LONG_CONFIRMED) == NEW


def test_an_address_that_nobody_confirms_is_deleted_with_its_e_mail(site: Site) -> None:
    ask(person(site), NEW)
    with site.database.write() as tx:
        tx.execute(update(OutboxEntry).values(sent_at=site.service.now))
    clean(site.database, site.service.now + 7 * 86_400)
    assert waiting(site) == []
