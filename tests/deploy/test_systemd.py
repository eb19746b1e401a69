"""deploy/systemd: units that systemd takes, that give a process little, and whose commands there are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from broker.cli import main as broker
from customer_service.cli import main as customer_service
from kit.serving.server import LAST_ANSWERS
from kit.settings.proxies import drain_seconds
from registration.cli import main as registration
from tests.harness.deployment import DEPLOY, ROOT, unit_lines

pytestmark = pytest.mark.deployment

FOLDER = DEPLOY / "systemd"
SERVICES = sorted(file.name for file in FOLDER.glob("*.service"))
MOST_EXPOSED = 2.0
DRAIN = drain_seconds(None, "production")
COMMANDS: dict[str, click.Command] = {
    "tunnus": broker,
    "tunnus-registration": registration,
    "tunnus-customer-service": customer_service,
}
USERS = ("tunnus-broker", "tunnus-registration", "tunnus-customer-service")


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze, of units in a folder."""
    environ = os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"}
    command = ["systemd-analyze", "--no-pager", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    for file in FOLDER.rglob("*"):
        if file.is_file():
            copy = tmp_path / file.relative_to(FOLDER)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(file.read_text().replace("/opt/tunnus", str(ROOT)))  # where the commands are here
    units = sorted(str(file) for kind in ("*.service", "*.timer") for file in tmp_path.glob(kind))
    done = analyze(tmp_path, "verify", *units)
    assert [line for line in (done.stdout + done.stderr).splitlines() if "tunnus" in line] == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_process_is_exposed_to_little(name: str, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "units")
    done = analyze(tmp_path / "units", "security", "--offline=yes", str(tmp_path / "units" / name))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) < MOST_EXPOSED


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_runs_a_command_that_there_is_as_a_user_without_rights(name: str) -> None:
    lines = unit_lines(name)
    for command in lines["ExecStart"]:
        program, *words = command.split()
        group: click.Command = COMMANDS[Path(program).name]
        while words and isinstance(group, click.Group):
            group = group.commands[words.pop(0)]
        known = {option for parameter in group.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known
    assert lines["User"] == [next(user for user in USERS if name.startswith(user))]
    assert {f"u {lines['User'][0]}"} <= {
        " ".join(line.split()[:2]) for line in (FOLDER / "sysusers.conf").read_text().splitlines()
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_may_write_where_its_user_does(name: str) -> None:
    lines = unit_lines(name)
    made = {
        line.split()[1]: line.split()[2:]
        for line in (FOLDER / "tmpfiles.conf").read_text().splitlines()
        if line.startswith("d ")
    }
    for path in " ".join(lines.get("ReadWritePaths", ())).split():
        mode, owner, _ = made[path]
        assert owner == lines["User"][0]
        assert mode == ("0755" if path.endswith("/public") else "0700")
    assert all(made[str(Path(path).parent)] for path in made if path != "/var/lib/tunnus")


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_sets_nothing_that_a_drop_in_would_set_anew(name: str) -> None:
    added = {"Environment", "LoadCredential", "ExecStart", "SystemCallFilter"}
    assert [key for key, values in unit_lines(name).items() if len(values) > 1 and key not in added] == []


def test_a_service_has_the_time_that_it_needs_to_end() -> None:
    for name in ("tunnus-broker.service", "tunnus-registration-web.service", "tunnus-customer-service.service"):
        assert int(unit_lines(name)["TimeoutStopSec"][0]) >= DRAIN + LAST_ANSWERS + 10


def test_keys_that_are_due_are_replaced_every_hour() -> None:
    for name in ("tunnus-broker-keys", "tunnus-registration-keys", "tunnus-customer-service-keys"):
        assert "keys rotate --due" in unit_lines(f"{name}.service")["ExecStart"][0]
        (when,) = re.findall(r"^OnCalendar=(.+)$", (FOLDER / f"{name}.timer").read_text(), re.MULTILINE)
        command = ["systemd-analyze", "calendar", when]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert re.search(r"Normalized form: \*-\*-\* \*:\d\d:00\n", done.stdout)
