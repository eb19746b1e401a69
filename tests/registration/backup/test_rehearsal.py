"""The rehearsal of a disaster, on both kinds of database: registered, backed up, erased, lost, restored."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner
from sqlalchemy import text, update

from demo.runner.registrant import PASSWORD, Page
from kit.backup.archive import extract
from registration.backup.erasure_list import Erasure, ErasureList
from registration.cli import main
from registration.database.models import Account, AuditRecord, Company, Draft, Representation, Session
from tests.harness.postgres import PostgresServer
from tests.harness.registration import ROOT, TESTISAHKO, Harness, Site, know, open_site, registered, sign_in, to_form
from tests.harness.tables import rows

pytestmark = pytest.mark.smoke

WHY = ("--operator", "maija", "--reason", "disk lost")


@dataclass
class Place:
    """Registration on a database that can be lost, and its commands."""

    harness: Harness
    folder: Path
    url: str
    new_url: Callable[[], str]
    programs: Path | None
    values: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copytree(self.harness.folder / "keys", self.folder / "keys")
        shutil.copytree(ROOT / "config" / "terms", self.folder / "terms")
        erasures = {"file": str(self.folder / "erasures.jsonl")}
        self.values = self.harness.config(self.url) | {
            "erasures": erasures,
            "keys": {"dir": str(self.folder / "keys")},
            "terms": {"dir": "terms", "version": "2026-11-01"},
        }
        self.write()

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.folder / "registration.toml"

    @property
    def erasures(self) -> ErasureList:
        """The list of erasures."""
        return ErasureList(self.folder / "erasures.jsonl")

    def write(self) -> None:
        """Write the configuration."""
        self.file.write_text(tomli_w.dumps(self.values))

    def serve(self) -> Site:
        """Registration on the database, at the harness's address."""
        values = self.values | {"terms": {"dir": str(self.folder / "terms"), "version": "2026-11-01"}}
        return open_site(self.harness, values, self.harness.system.clock)

    def lose_the_database(self) -> None:
        """From now on the configuration names another one, which is empty."""
        self.url = self.new_url()
        self.values["database"] = {"url": self.url}
        self.write()

    def done(self, *arguments: str | Path) -> str:
        """The output of a command that must succeed."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return str(result.output)

    def refused(self, *arguments: str | Path) -> str:
        """The error of a command that must be refused."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert isinstance(result.exception, SystemExit)
        return str(result.stderr)

    def run(self, *arguments: str | Path) -> Any:
        """The outcome of a command."""
        programs = {"REGISTRATION_PG_BIN": str(self.programs)} if self.programs else {}
        words = [str(word) for word in arguments]
        return CliRunner().invoke(main, [*words, "--config", str(self.file)], env=programs)

    def back_up(self) -> tuple[Path, Path]:
        """The archives of the database and of the keys."""
        to = self.folder / f"backups-{len(list(self.folder.iterdir()))}"
        database, keys = self.done("backup", "--to", to).split()
        return Path(database), Path(keys)


@pytest.fixture(params=list(rows([("sqlite", True, ("sqlite",)), ("postgresql", False, ("postgresql",))])))
def place(request: pytest.FixtureRequest, harness: Harness, tmp_path: Path) -> Iterator[Place]:
    harness.system.reset()
    if request.param == "sqlite":
        names = iter(f"sqlite:///{tmp_path / name}.sqlite" for name in "abcdef")
        yield Place(harness, tmp_path, next(names), lambda: next(names), None)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    made: list[str] = []

    def new_url() -> str:
        made.append(server.create_database())
        return made[-1]

    yield Place(harness, tmp_path, new_url(), new_url, server.programs)
    for url in made:
        server.drop(url)


@pytest.fixture
def site(place: Place) -> Site:
    """Registration with two users of one company: `first`, its administrator, and `second`."""
    site = place.serve()
    know(site, [TESTISAHKO])
    registered(site, "first")
    registered(site, "second")
    place.done("migrate")
    return site


def signs_in(site: Site, user_name: str) -> bool:
    return sign_in(site.registrant(), user_name, PASSWORD).path == "/rights"


def names(site: Site) -> set[str]:
    return {account.user_name for account in site.rows(Account)}


@pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)
def test_a_person_who_was_erased_is_gone_again_after_a_restore(place: Place, site: Site) -> None:
    database, _ = place.back_up()
    place.done("forget", "first", "--leave-without-administrator", "--yes", *WHY)
    assert names(site) == {"second"}
    place.lose_the_database()
    assert "1 accounts, 1 erased again" in place.done("restore", database, *WHY)
    restored = place.serve()
    assert names(restored) == {"second"}
    assert (signs_in(restored, "first"), signs_in(restored, "second")) == (False, True)
    assert [record.event for record in restored.rows(AuditRecord)].count("forgotten") == 1
    (record,) = [record for record in restored.rows(AuditRecord) if record.event == "restored"]
    assert (record.actor, record.details["reason"]) == ("operator:maija", "disk lost")


def test_somebody_who_had_only_identified_is_gone_again_too(place: Place, site: Site) -> None:
    person = site.registrant()
    person.fill(to_form(person), TESTISAHKO, right="")
    (draft,) = site.rows(Draft)
    database, _ = place.back_up()
    place.done("forget", "--sub", draft.sub, "--yes", *WHY)
    place.lose_the_database()
    assert "2 accounts, 1 erased again" in place.done("restore", database, *WHY)
    assert place.serve().rows(Draft) == []


def company_key(site: Site) -> str:
    (company,) = site.rows(Company)
    return company.key


def remove(site: Site, user_name: str) -> Page:
    """Let the administrator remove a user, by the page."""
    administrator = site.registrant()
    sign_in(administrator, "first", PASSWORD)
    with site.database.write() as transaction:  # as if they had just identified
        transaction.execute(update(Session).values(identified_at=site.service.now))
    address = f"/companies/{company_key(site)}/users/{site.account(user_name).id}/remove"
    return administrator.post(address, administrator.get(address))


def test_a_right_that_was_taken_is_gone_again_unless_it_was_given_anew(place: Place, site: Site) -> None:
    before, _ = place.back_up()
    first, second = site.account("first").id, site.account("second").id
    site.harness.system.clock.offset += 60
    remove(site, "second")
    assert len(site.rows(Representation)) == 1
    site.harness.system.clock.offset += 60
    with site.database.write() as tx:
        tx.add(
            Representation(account_id=second, fo_nummer=TESTISAHKO.fo_nummer, since=site.service.now, given_by=first)
        )
    after, _ = place.back_up()
    for archive, erased, held in ((before, 1, {first}), (after, 0, {first, second})):
        place.lose_the_database()
        assert f"2 accounts, {erased} erased again" in place.done("restore", archive, *WHY)
        assert {row.account_id for row in place.serve().rows(Representation)} == held


def test_after_a_restore_everybody_signs_in_anew(place: Place, site: Site) -> None:
    person = site.registrant()
    assert sign_in(person, "second", PASSWORD).path == "/rights"
    database, _ = place.back_up()
    place.lose_the_database()
    place.done("restore", database, *WHY)
    restored = place.serve()
    assert person.get("/rights").status == 401
    assert restored.rows(Session) == []


def test_a_database_restored_by_other_means_is_not_served_until_it_was_erased_again(place: Place, site: Site) -> None:
    database, _ = place.back_up()
    place.done("forget", "second", "--yes", *WHY)
    place.lose_the_database()
    place.done("restore", database, "--without-erasures", *WHY)
    said = place.refused("check")
    assert "1 erasures that the database does not have" in said
    assert f"mend: tunnus-registration erase-again --config {place.file}" in said
    assert place.done("erase-again", *WHY) == "1 erased again\n"
    assert place.done("erase-again", *WHY) == "0 erased again\n"
    assert place.done("check").endswith("all is well\n")
    assert names(place.serve()) == {"first"}


@pytest.mark.drill
def test_nor_is_one_whose_list_of_erasures_is_lost(place: Place, site: Site) -> None:
    assert place.erasures.file is not None
    place.erasures.file.unlink()
    serve = [sys.executable, "-m", "registration", "serve", "--config", place.file]
    done = subprocess.run(serve, capture_output=True, text=True, check=False)
    assert (done.returncode, "put its latest copy there" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_a_lost_machine_comes_back_from_its_two_archives(place: Place, site: Site, tmp_path: Path) -> None:
    person = site.registrant()
    person.fill(to_form(person), TESTISAHKO, email="kept@example.com", right="")
    database, keys = place.back_up()
    for lost in (place.file, place.folder / "terms"):
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    shutil.rmtree(place.folder / "keys")
    with tarfile.open(keys) as archive:
        extract(archive, tmp_path / "unpacked")
    shutil.copytree(tmp_path / "unpacked" / "configuration", place.folder, dirs_exist_ok=True)
    place.lose_the_database()
    said = place.done("restore", keys, database, *WHY)
    assert "6 keys of " in said
    assert "2 accounts, 0 erased again" in said
    assert place.done("check").endswith("all is well\n")
    restored = place.serve()
    assert signs_in(restored, "second")
    assert 'value="kept@example.com"' in to_form(restored.registrant(person.persona)).text  # the keys open it


def test_archives_are_for_their_owner_alone_and_keys_are_not_beside_data(place: Place, site: Site) -> None:
    database, keys = place.back_up()
    assert [path.stat().st_mode & 0o777 for path in (database, keys, database.parent)] == [0o600, 0o600, 0o700]
    with tarfile.open(database) as archive:
        content = "database.dump" if place.programs else "database.sqlite"
        assert archive.getnames() == ["about.json", content, "digests.json"]
    with tarfile.open(keys) as archive:
        folders = {name.partition("/")[0] for name in archive.getnames()}
        found = set(archive.getnames())
    assert folders == {"about.json", "keys", "configuration", "digests.json"}
    assert {"configuration/registration.toml", "configuration/terms/2026-11-01/fi.md"} <= found
    assert not [name for name in found if "sqlite" in name or "erasures" in name]


def test_what_is_there_is_not_written_over(place: Place, site: Site) -> None:
    database, keys = place.back_up()
    said = place.refused("restore", database, *WHY)
    assert ("is not empty" if place.programs else "move it away first") in said
    assert "has keys in it: move it away first" in place.refused("restore", keys, *WHY)
    assert names(site) == {"first", "second"}


def test_a_restore_needs_the_list_of_erasures(place: Place, site: Site) -> None:
    database, keys = place.back_up()
    place.lose_the_database()
    assert place.erasures.file is not None
    place.erasures.file.unlink()
    shutil.rmtree(place.folder / "keys")
    assert "put its latest copy there" in place.refused("restore", keys, database, *WHY)
    assert not (place.folder / "keys").exists()  # nothing was done
    other = place.folder / "other-machine.jsonl"
    ErasureList(other).add(Erasure(1, account=site.account("first").id))
    place.erasures.make()
    assert "1 erased again" in place.done("restore", keys, database, "--erasures", other, *WHY)


def test_a_right_is_not_taken_if_the_list_cannot_be_written(place: Place, site: Site) -> None:
    assert place.erasures.file is not None
    place.erasures.file.unlink()
    place.erasures.file.mkdir()
    said = place.refused("forget", "second", "--yes", *WHY)
    assert said.startswith("nothing was erased: ")
    page = remove(site, "second")
    assert (page.status, page.path.rsplit("/", 1)[1]) == (503, "remove")
    assert len(site.rows(Representation)) == 2


def test_the_list_holds_ids_and_digests_alone(place: Place, site: Site) -> None:
    account = site.account("second")
    place.done("revoke", "second", "--fo-nummer", TESTISAHKO.fo_nummer, "--yes", *WHY)
    place.done("forget", "second", "--yes", *WHY)
    assert place.erasures.file is not None
    right, person = map(json.loads, place.erasures.file.read_text().splitlines())
    assert right.keys() == {"format", "at", "account", "company"}
    assert person.keys() == {"format", "at", "account", "person"}
    assert right["account"] == person["account"] == account.id
    assert person["person"] == site.service.keys.keyed_digest("erased", account.sub)
    written = place.erasures.file.read_text()
    for secret in (account.sub, account.user_name, account.email, account.family_name, TESTISAHKO.fo_nummer):
        assert secret not in written


def test_a_backup_of_a_newer_version_is_refused_before_anything_is_done(place: Place, site: Site) -> None:
    with site.database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    assert "newer version" in place.refused("backup", "--to", place.folder / "backups")
    with site.database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
