"""`cases` and `letters`, as customer service gives them, on both databases."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pytest
import tomli_w
from pypdf import PdfReader
from sqlalchemy import delete, select

from registration import cases
from registration.cases import authority, codes
from registration.cases.letters import prune
from registration.customer_register import Customer
from registration.database import models
from registration.database.models import Account
from registration.settings.rules import RulesSettings
from tests.harness.registration_commands import WHY, Commands, last_record
from tests.harness.registration_rights import ALL, FO, NOW, Harness, config

ADDRESS = "Žáček c/o Åkerö, Kauppakatu 1 A, 00100 Helsinki"


@pytest.fixture
def folder(tmp_path: Path, commands: Commands) -> Path:
    """Where the letters come, once the configuration names it."""
    values = config(tmp_path, str(commands.harness.database.engine.url.render_as_string(hide_password=False)))
    commands.file.write_text(tomli_w.dumps(values | {"letters": {"dir": "letters"}}))
    return tmp_path / "letters"


def ask(harness: Harness, account: Account, founding: str = "activation", address: str | None = ADDRESS) -> str:
    """The case of a first administrator; the register knows the company by then."""
    customer = Customer("1001", FO, "Företag 123 Ab", postal_address=address)
    rules = RulesSettings.model_validate({"founding": founding})
    with harness.database.write() as tx:
        tx.merge(models.Customer(customer_number="1001", fo_nummer=FO, company_name="F", postal_address=address))
        _, case = authority.ask(tx, tx.merge(account), customer, rules, int(time.time()))
    assert case is not None
    return case.id


def state(harness: Harness, id: str) -> models.Case:
    with harness.database.read() as tx:
        return cases.case(tx, id)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def test_cases_are_listed_and_decided_by_command(harness: Harness, commands: Commands) -> None:
    aino = harness.person("aino")
    id = ask(harness, aino, "approval")
    listed = commands.done("cases", "list")
    for text in (id, "founding", "approval", FO, "Aino Testinen (aino)"):
        assert text in listed
    assert "granted" in commands.done("cases", "decide", id, "grant", *WHY)
    assert harness.levels(aino) == ALL
    assert id not in commands.done("cases", "list")
    assert id in commands.done("cases", "list", "--state", "granted")
    assert "already" in commands.refused("cases", "decide", id, "refuse", *WHY)
    assert "no case" in commands.refused("cases", "decide", "0" * 32, "refuse", *WHY)


def test_a_dispute_may_end_the_present_administrator_and_a_joining_nobody(harness: Harness, commands: Commands) -> None:
    aino, bertil = harness.people("aino", "bertil")
    cecilia = harness.person("cecilia")
    customer = Customer("1001", FO, "Företag 123 Ab")
    with harness.database.write() as tx:
        dispute = cases.open_case(tx, bertil, "disputed", customer, NOW).id
        joining = cases.open_case(tx, cecilia, "joining", customer, NOW).id
    commands.done("cases", "decide", joining, "grant", "--end", "aino", *WHY)
    assert harness.administrators() == {aino.id}
    commands.done("cases", "decide", dispute, "grant", "--end", "aino", *WHY)
    assert harness.administrators() == {bertil.id}
    assert harness.right(aino) is None


def test_letters_are_written_as_pdf_and_csv_with_the_code_that_then_holds(
    harness: Harness, commands: Commands, folder: Path
) -> None:
    aino, bertil = harness.person("aino"), harness.person("bertil", family_name="Öžmä")
    ids = [ask(harness, aino), ask(harness, bertil)]
    assert "2 letters" in commands.done("letters", "write", *WHY)
    table, paper = sorted(folder.iterdir())
    assert [file.stat().st_mode & 0o777 for file in (table, paper, folder)] == [0o600, 0o600, 0o700]
    letters = {row["case"]: row for row in rows(table)}
    assert set(letters) == set(ids)
    pages = [page.extract_text() for page in PdfReader(paper).pages]
    assert len(pages) == 2
    for row in letters.values():
        (page,) = [page for page in pages if row["code"] in page]
        for text in (*ADDRESS.split(", "), "Företag 123 Ab", row["name"], "Aktiveringskod", "/rights"):
            assert text in page
    record = last_record(harness)
    assert (record.event, record.actor, record.details["letters"]) == ("letters_written", "operator:maija", "2")
    with harness.database.write() as tx:
        assert codes.enter(tx, commands.keys, ids[0], letters[ids[0]]["code"], int(time.time()))
    assert harness.administrators() == {aino.id}


def test_a_letter_is_written_once_and_again_on_demand_which_ends_the_code_before(
    harness: Harness, commands: Commands, folder: Path
) -> None:
    id = ask(harness, harness.person("aino"))
    commands.done("letters", "write", *WHY)
    (first,) = rows(next(folder.glob("*.csv")))
    assert "0 letters" in commands.done("letters", "write", *WHY)
    for file in folder.iterdir():
        file.unlink()
    commands.done("letters", "write", "--again", id, *WHY)
    (second,) = rows(next(folder.glob("*.csv")))
    with harness.database.write() as tx:
        assert not codes.enter(tx, commands.keys, id, first["code"], int(time.time()))
        assert codes.enter(tx, commands.keys, id, second["code"], int(time.time()))
    assert "already" in commands.refused("letters", "write", "--again", id, *WHY)


def test_whose_address_has_left_the_register_waits_for_customer_service(
    harness: Harness, commands: Commands, folder: Path
) -> None:
    id = ask(harness, harness.person("aino"))
    with harness.database.write() as tx:
        tx.execute(delete(models.Customer))
    assert "customer service" in commands.done("letters", "write", *WHY)
    assert state(harness, id).way == "approval"
    assert not folder.exists()


def test_a_letter_that_cannot_be_written_changes_no_code(harness: Harness, commands: Commands, folder: Path) -> None:
    id = ask(harness, harness.person("aino", family_name="漢字"))
    assert "letters.font" in commands.refused("letters", "write", *WHY)
    folder.write_text("no folder")
    with harness.database.write() as tx:
        tx.execute(models.Account.__table__.update().values(family_name="Testinen"))
    assert "nothing was written" in commands.refused("letters", "write", *WHY)
    assert state(harness, id).code_digest is None


def test_letters_need_a_folder(harness: Harness, commands: Commands) -> None:
    ask(harness, harness.person("aino"))
    assert "letters.dir" in commands.refused("letters", "write", *WHY)


def test_letters_are_pruned_by_age_and_nothing_else_is(commands: Commands, folder: Path) -> None:
    folder.mkdir()
    old, new, other = (folder / name for name in ("letters-1.pdf", "letters-2.csv", "notes.pdf"))
    for file in (old, new, other):
        file.touch()
    for file in (old, other):
        os.utime(file, (time.time() - 8 * 86_400,) * 2)
    assert "1 files" in commands.done("letters", "prune")
    assert {file.name for file in folder.iterdir()} == {"letters-2.csv", "notes.pdf"}
    assert prune(folder, time.time() + 1) == [new]


def test_no_code_stands_in_the_database_or_the_output(harness: Harness, commands: Commands, folder: Path) -> None:
    ask(harness, harness.person("aino"))
    output = commands.done("letters", "write", *WHY)
    (letter,) = rows(next(folder.glob("*.csv")))
    for code in (letter["code"], letter["code"].replace("-", "")):
        assert code not in commands.dump()
        assert code not in output
    with harness.database.read() as tx:
        assert tx.scalars(select(models.OutboxEntry)).all() == []
