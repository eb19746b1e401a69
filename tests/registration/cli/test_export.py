"""`export`: all that is held on a person but the hash of the password, and nothing of another."""

from __future__ import annotations

import json

from registration.database.models import Draft, Session
from registration.mail import outbox
from registration.rights import changes, ending, sharing
from tests.harness.registration_commands import DRAFT, WHY, Commands, last_record
from tests.harness.registration_rights import ALL, FO, READER, Harness


def test_an_export_tells_of_each_right_by_the_names_of_the_api_and_who_gave_it(
    harness: Harness, commands: Commands
) -> None:
    (aino,) = harness.people("aino")
    cecilia = harness.person("cecilia")
    with harness.database.write() as tx:
        sharing.share(tx, aino, harness.key(), "cecilia", "cecilia@example.com", READER, 1)
    given = json.loads(commands.done("export", "--account", cecilia.id, *WHY))["rights"]
    (own,) = json.loads(commands.done("export", "aino", *WHY))["rights"]
    assert [right["given_by"] for right in given] == [aino.id]
    assert own == {
        "fo_nummer": FO,
        "name": "Företag 123 Ab",
        "customer_numbers": ["1001"],
        "administrator": True,
        "sections": ALL,
        "since": "2026-09-21T14:13:20+00:00",
        "given_by": "registration",
        "suspended_numbers": [],
        "ends_at": None,
        "suspended_at": None,
        "reviewed_at": None,
        "shares": [],
    }


def test_an_export_of_one_who_has_only_identified_holds_nothing_of_another(
    harness: Harness, commands: Commands
) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    commands.identified("other-sub", "Berta", "cd" * 16)
    out = commands.done("export", "--sub", "new-sub", *WHY)
    assert len(json.loads(out)["sessions"]) == 1
    assert "other-sub" not in out


def test_an_export_holds_all_that_is_held_but_the_passwords_hash(harness: Harness, commands: Commands) -> None:
    first, bertil, _ = harness.people("aino", "bertil", "cecilia")
    with harness.database.write() as tx:
        changes.appoint(tx, first, harness.key(), bertil.id, 1_790_000_000)
    with harness.database.write() as tx:
        ending.remove(tx, bertil, harness.key(), first.id, 1_790_000_000)
        outbox.write_to(tx, first, "new@example.com", outbox.NEW_ADDRESS, 1_790_000_000)
        sealed = commands.keys.seal(f"draft:{first.sub}", DRAFT)
        tx.add(Draft(sub=first.sub, sealed=sealed, expires_at=2**40))
        tx.add(
            Session(
                id="secret id", key="secret key", account_id=first.id, browser="Firefox", created_at=1, seen_at=1,
                expires_at=2**40,
            )
        )  # fmt: skip
    out = commands.done("export", "aino", *WHY)
    found = json.loads(out)
    assert found["account"]["email"] == "aino@example.com"
    assert found["account"]["created_at"].startswith("2026-09-21T")
    assert found["draft"] == {"email": "draft@example.com"}
    assert found["rights"] == []
    mails = {(mail["kind"], mail["address"]) for mail in found["e_mails"]}
    assert mails == {("user_removed", "aino@example.com"), ("new_address", "new@example.com")}
    assert [mail["kind"] for mail in found["e_mails_to_others"]] == ["administrator_received"]
    assert [session["browser"] for session in found["sessions"]] == ["Firefox"]
    assert {record["event"] for record in found["audit"]} == {"rights_changed", "user_removed", "exported"}
    for secret in ("never a hash", "secret id", "secret key"):
        assert secret not in out
    assert last_record(harness).event == "exported"


def test_an_export_of_somebody_who_has_only_identified_holds_their_draft(harness: Harness, commands: Commands) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    found = json.loads(commands.done("export", "--sub", "new-sub", *WHY))
    assert found["draft"] == {"email": "draft@example.com"}
    assert "account" not in found
