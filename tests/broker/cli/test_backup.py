"""`tunnus backup | restore`: the broker's keys, configuration and audit trail."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result

from broker.audit import AuditTrail
from broker.cli import main
from kit.backup.archive import extract, write_archive
from tests.broker.conftest import NOW
from tests.harness.closed_folder import closed


def tunnus(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "machine"
    made.mkdir()
    return made


@pytest.fixture
def trail(folder: Path) -> AuditTrail:
    """A trail that a broker still writes."""
    made = AuditTrail(folder / "audit", lambda: NOW)
    made.record("identified", txn="T1")
    return made


@pytest.fixture
def config(folder: Path, data: dict[str, Any], made_keys: Path) -> Path:
    """A configuration that names a file beside it and one elsewhere."""
    shutil.copytree(made_keys, folder / "keys")
    (folder / "notices.toml").write_text("")
    data["notices"] = {"file": "notices.toml"}
    data["keys"]["dir"] = str(folder / "keys")
    data["audit"]["dir"] = str(folder / "audit")
    (folder / "tunnus.toml").write_text(tomli_w.dumps(data))
    return folder / "tunnus.toml"


@pytest.fixture
def archives(config: Path, trail: AuditTrail, tmp_path: Path) -> tuple[Path, Path]:
    """Of keys, and of the audit trail."""
    done = tunnus("backup", "--config", config, "--to", tmp_path / "backups")
    assert done.exit_code == 0, done.output
    keys, audit = map(Path, done.output.split())
    return keys, audit


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def test_a_lost_machine_comes_back(archives: tuple[Path, Path], config: Path, folder: Path, tmp_path: Path) -> None:
    keys, trail = content(folder / "keys"), content(folder / "audit")
    shutil.rmtree(folder)
    with tarfile.open(archives[0]) as archive:
        extract(archive, tmp_path / "unpacked")
    shutil.copytree(tmp_path / "unpacked" / "configuration", folder)
    done = tunnus("restore", "--config", config, *archives)
    assert done.exit_code == 0, done.output
    assert (content(folder / "keys"), content(folder / "audit")) == (keys, trail)
    modes = {path.stat().st_mode & 0o777 for path in (folder / "keys").iterdir()}
    assert ((folder / "keys").stat().st_mode & 0o777, modes) == (0o700, {0o600})
    assert tunnus("check", "--config", config).exit_code == 0
    assert tunnus("audit", "find", "T1", "--config", config).exit_code == 0


def test_keys_stand_in_no_archive_but_their_own(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[0]) as keys, tarfile.open(archives[1]) as audit:
        first = {name.partition("/")[0] for name in keys.getnames()}
        second = {name.partition("/")[0] for name in audit.getnames()}
        assert {"configuration/tunnus.toml", "configuration/notices.toml"} <= set(keys.getnames())
    assert first == {"about.json", "keys", "configuration", "digests.json"}
    assert second == {"about.json", "audit", "digests.json"}
    assert [file.stat().st_mode & 0o777 for file in archives] == [0o600, 0o600]


def test_keys_that_are_there_are_not_written_over(archives: tuple[Path, Path], config: Path, folder: Path) -> None:
    before = content(folder / "keys")
    done = tunnus("restore", "--config", config, archives[0])
    assert (done.exit_code, f"mv {folder / 'keys'} " in done.stderr) == (1, True)
    assert content(folder / "keys") == before


def test_a_trail_that_has_grown_since_stays(
    archives: tuple[Path, Path], config: Path, folder: Path, trail: AuditTrail
) -> None:
    trail.record("identified", txn="T2")
    grown = content(folder / "audit")
    done = tunnus("restore", "--config", config, archives[1])
    assert (done.exit_code, "0 files of" in done.output, "1 that are there stay" in done.output) == (0, True, True)
    assert content(folder / "audit") == grown


def test_a_trail_that_may_not_be_read_is_told_and_not_left_out(
    config: Path, trail: AuditTrail, folder: Path, tmp_path: Path
) -> None:
    with closed(folder / "audit"):
        done = tunnus("backup", "--config", config, "--to", tmp_path / "backups")
    assert (done.exit_code, done.stderr) == (1, f"{folder / 'audit'}: Permission denied\n")
    assert [path.name.partition("-2")[0] for path in (tmp_path / "backups").iterdir()] == ["broker-keys"]


def test_a_folder_of_the_configuration_that_may_not_be_read_is_told(
    config: Path, data: dict[str, Any], trail: AuditTrail, folder: Path, tmp_path: Path
) -> None:
    (folder / "texts").mkdir()
    data["texts"] = {"dir": "texts"}
    config.write_text(tomli_w.dumps(data))
    with closed(folder / "texts"):
        done = tunnus("backup", "--config", config, "--to", tmp_path / "backups")
    assert (done.exit_code, done.stderr) == (1, f"{folder / 'texts'}: Permission denied\n")


def test_a_trail_that_was_tampered_with_is_told(archives: tuple[Path, Path], config: Path, folder: Path) -> None:
    (file,) = (folder / "audit").iterdir()
    file.write_text(file.read_text().replace("identified", "refused"))
    done = tunnus("restore", "--config", config, archives[1])
    assert (done.exit_code, f"{file.name}:2" in done.stderr) == (1, True)


def test_what_is_another_services_is_refused_before_anything_is_done(
    archives: tuple[Path, Path], config: Path, folder: Path, tmp_path: Path
) -> None:
    write_archive(tmp_path / "other.tar.gz", "registration keys", [], NOW)
    shutil.rmtree(folder / "keys")
    done = tunnus("restore", "--config", config, archives[0], tmp_path / "other.tar.gz")
    assert (done.exit_code, "tunnus-registration restore takes it" in done.stderr) == (1, True)
    assert not (folder / "keys").exists()


def test_an_archive_of_keys_without_keys_is_refused(config: Path, folder: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "other.tar.gz", "broker keys", [], NOW)
    shutil.rmtree(folder / "keys")
    done = tunnus("restore", "--config", config, tmp_path / "other.tar.gz")
    assert (done.exit_code, "holds no keys" in done.stderr) == (1, True)
    assert not (folder / "keys").exists()
