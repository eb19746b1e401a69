"""`forget`: a person is erased, and stands in the audit trail by an id."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from registration.database.models import AuditRecord, Draft, OutboxEntry, Session
from registration.mail import outbox
from registration.rights import changes, sharing
from tests.harness.registration_commands import WHY, Commands, last_record
from tests.harness.registration_rights import FO, NONE, OTHER_FO, READER, Harness


def test_a_forgotten_person_is_nowhere_but_in_the_audit_trail_by_an_id(harness: Harness, commands: Commands) -> None:
    (bertil,) = harness.people("bertil")
    account = harness.person("aino", family_name="Salainen")
    harness.join(account)
    other = harness.person("cecilia")
    with harness.database.write() as tx:
        sharing.share(tx, account, harness.key(), "cecilia", "cecilia@example.com", READER, 1)
        tx.add(Draft(sub=account.sub, sealed="sealed", expires_at=2**40))
        times = {"created_at": 1, "seen_at": 1, "expires_at": 2**40}
        tx.add(Session(id="x", key="y", account_id=account.id, sub=account.sub, browser="Firefox", **times))
    with harness.database.write() as tx:
        changes.change(tx, bertil, harness.key(), account.id, NONE, 1)
        outbox.write_to(tx, account, "elsewhere@example.com", outbox.NEW_ADDRESS, 1)
    before = commands.dump()
    for secret in ("Salainen", "aino@example.com", "sub-aino", "elsewhere@example.com"):
        assert secret in before
    commands.done("forget", "aino", "--keep-given", *WHY, "--yes")
    after = commands.dump()
    for secret in ("Salainen", "Aino", "aino", "elsewhere", "never a hash', 'Aino"):
        assert secret not in after
    with harness.database.read() as tx:
        places = {
            "audit": len(tx.scalars(select(AuditRecord).where(AuditRecord.subject == account.id)).all()),
            "outbox": len(tx.scalars(select(OutboxEntry).where(OutboxEntry.account_id == account.id)).all()),
            "sessions": len(tx.scalars(select(Session)).all()),
            "drafts": len(tx.scalars(select(Draft)).all()),
        }
        (message,) = tx.scalars(select(OutboxEntry).where(OutboxEntry.account_id == other.id))
    assert places == {"audit": 2, "outbox": 0, "sessions": 0, "drafts": 0}
    assert message.words["by"] == "Företag 123 Ab"
    assert last_record(harness).event == "forgotten"
    right = harness.right(other)
    assert right is not None
    assert right.given_by == "customer service"


def test_what_a_forgotten_person_gave_ends_too_and_is_on_the_list_of_erasures(
    harness: Harness, commands: Commands
) -> None:
    _, account = harness.people("bertil", "aino")
    other = harness.person("cecilia")
    with harness.database.write() as tx:
        sharing.share(tx, account, harness.key(), "cecilia", "cecilia@example.com", READER, 1)
    commands.list_erasures()
    commands.done("forget", "aino", *WHY, "--yes")
    assert harness.right(other) is None
    assert [erasure.account for erasure in commands.erasures()] == [account.id, other.id]


@pytest.mark.parametrize("keep", [(), ("--keep-given",)])
def test_a_right_that_is_revoked_takes_along_what_it_gave_unless_that_is_kept(
    harness: Harness, commands: Commands, keep: tuple[str, ...]
) -> None:
    _, account = harness.people("bertil", "aino")
    other = harness.person("cecilia")
    with harness.database.write() as tx:
        sharing.share(tx, account, harness.key(), "cecilia", "cecilia@example.com", READER, 1)
    commands.list_erasures()
    said = commands.done("revoke", "aino", "--fo-nummer", FO, *keep, *WHY, "--yes")
    assert ("lose the rights that they were given: 1;" in said) == (not keep)
    assert [erasure.account for erasure in commands.erasures()] == [account.id] + [other.id] * (not keep)
    assert (harness.right(other) is None) == (not keep)


@pytest.mark.parametrize("command", [("revoke", "aino", "--fo-nummer", FO), ("forget", "aino")])
@pytest.mark.parametrize("keep", [(), ("--keep-given",)])
def test_who_keeps_a_right_of_their_own_is_not_counted_among_those_who_lose_theirs(
    harness: Harness, commands: Commands, command: tuple[str, ...], keep: tuple[str, ...]
) -> None:
    _, account = harness.people("bertil", "aino")
    harness.person("cecilia")
    for name in ("david", "eva"):
        harness.join(harness.person(name))
    harness.give(account, invoices="read")
    with harness.database.write() as tx:
        for name in ("cecilia", "david", "eva"):
            sharing.share(tx, account, harness.key(), name, f"{name}@example.com", READER | {"invoices": "read"}, 1)
    said = commands.done(*command, *keep, *WHY, "--yes")
    assert ("lose the rights that they were given: 1;" in said) == (not keep)
    assert ("on top of their own: 2;" in said) == (not keep)


def test_nobody_is_forgotten_whose_gifts_are_all_the_administrators_there_are(
    harness: Harness, commands: Commands
) -> None:
    first, second = harness.people("aino", "bertil")
    other = harness.person("cecilia")
    with harness.database.write() as tx:
        sharing.share(tx, second, harness.key(), "cecilia", "cecilia@example.com", READER, 1)
    harness.give(first, administrator=False)
    harness.give(other, administrator=True)
    assert FO in commands.refused("forget", "bertil", *WHY, "--yes")
    commands.refused("revoke", "bertil", "--fo-nummer", FO, *WHY, "--yes")
    commands.done("forget", "bertil", "--keep-given", *WHY, "--yes")
    assert harness.administrators() == {other.id}


def test_the_last_administrator_is_not_forgotten_while_others_need_one(harness: Harness, commands: Commands) -> None:
    first, second = harness.people("aino", "bertil")
    harness.join(first, OTHER_FO)
    refusal = commands.refused("forget", "aino", *WHY, "--yes")
    assert FO in refusal
    assert OTHER_FO not in refusal
    commands.done("forget", "aino", "--leave-without-administrator", *WHY, "--yes")
    assert harness.right(second) is not None
    assert harness.administrators() == set()


def test_the_only_user_of_a_company_is_forgotten_and_the_company_stays_founded(
    harness: Harness, commands: Commands
) -> None:
    harness.people("aino")
    commands.done("forget", "aino", *WHY, "--yes")
    assert harness.join(harness.person("bertil")) is False


def test_somebody_who_has_only_identified_is_forgotten_by_sub(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    commands.identified("new-sub", "Aina", "ab" * 16)
    assert "has an account" in commands.refused("forget", "--sub", "sub-aino", *WHY, "--yes")
    commands.done("forget", "--sub", "new-sub", *WHY, "--yes")
    assert "new-sub" not in commands.dump()


def test_a_person_who_was_erased_is_erased_again_by_the_id_that_the_log_has(
    harness: Harness, commands: Commands
) -> None:
    _, account = harness.people("bertil", "aino")
    first = commands.run("forget", "aino", *WHY, "--yes")
    (line,) = first.stderr.splitlines()
    logged = json.loads(line)
    assert {name: logged[name] for name in ("level", "message", "event", "account")} == {
        "level": "INFO",
        "message": "forgotten",
        "event": "forgotten",
        "account": account.id,
    }
    assert not [secret for secret in ("aino", "Aino", "maija", "phone") if secret in line]
    harness.join(harness.person("aino"))  # as a backup brings them back
    commands.done("forget", "--account", logged["account"], *WHY, "--yes")
    assert "Aino" not in commands.dump()


def test_somebody_who_has_only_identified_is_logged_without_their_sub(harness: Harness, commands: Commands) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    said = commands.run("forget", "--sub", "new-sub", *WHY, "--yes").stderr
    assert json.loads(said)["event"] == "forgotten"
    assert "new-sub" not in said
