"""The images: for production, and of the mock banks. What is in them is what they copy, and that is enough to run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.proof import prove
from demo.runner.stack import free_ports, prepare
from deploy.release import copied
from tests.harness.imported_commands import ImportedCommands

pytestmark = pytest.mark.deployment

ROOT = Path(__file__).parents[2]
PRODUCTION, MOCK = "deploy/Dockerfile", "deploy/mock-idp/Dockerfile"
CONTENT = {
    PRODUCTION: {
        "kit",
        "providers",
        "broker",
        "verifier/tunnus_verifier",
        "registration",
        "customer_service",
        "requirements/install.py",
    },
    MOCK: {"kit", "mock_idp"},
}
IMPORT_ALL = """
import importlib, importlib.metadata, os, pkgutil, re, sys
here, tops, allowed = os.getcwd(), sys.argv[1].split(), set(sys.argv[2:])
sys.path[:] = [here, here + "/verifier", *(place for place in sys.path if "/lib/" in place)]
packages = importlib.metadata.packages_distributions()
names = {module: {re.sub("[-_.]+", "-", name).lower() for name in of} for module, of in packages.items()}
class Refused:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in names and not names[top] & allowed:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)
sys.meta_path.insert(0, Refused())
aside = ("tunnus_verifier.testing", "registration.database.migrations", "broker.tracing.spans")  # tracing.txt
for top in tops:
    package = importlib.import_module(top)
    assert package.__file__.startswith(here), package.__file__
    for found in pkgutil.walk_packages(package.__path__, top + "."):
        if not found.name.endswith("__main__") and not found.name.startswith(aside):
            importlib.import_module(found.name)
"""


@pytest.fixture(params=[PRODUCTION, MOCK])
def dockerfile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unpacked(dockerfile: str, folder: Path) -> Path:
    """A folder that holds what the image's /srv/tunnus does."""
    for source in copied(ROOT, dockerfile):
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / source).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / source, folder / source)
    return folder


def test_the_dockerfile_has_nothing_that_hadolint_minds(dockerfile: str) -> None:
    tool = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([tool, ROOT / dockerfile], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_nothing_but_what_it_is_for_is_in_the_image(dockerfile: str) -> None:
    assert copied(ROOT, dockerfile) == CONTENT[dockerfile] | {"requirements/main.txt"}
    ignored = (ROOT / f"{dockerfile}.dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied(ROOT, dockerfile)


def test_the_image_runs_as_a_user_without_rights(dockerfile: str) -> None:
    final = (ROOT / dockerfile).read_text().rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", final, re.MULTILINE) == ["10001:10001"]
    assert "HEALTHCHECK" in final
    assert "RUN" not in final  # it has what the stage before it made, and nothing that it was made with


def test_what_is_copied_needs_no_package_beyond_the_lock(dockerfile: str, tmp_path: Path) -> None:
    allowed = re.findall(r"^([a-z0-9][a-z0-9.\-]*)(?:\[[^]]*\])?==", (ROOT / "requirements/main.txt").read_text(), re.M)
    assert len(allowed) > 20
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    packages = " ".join(source.rpartition("/")[2] for source in CONTENT[dockerfile] if not source.endswith(".py"))
    command = [sys.executable, "-c", IMPORT_ALL, packages, *allowed]
    image = unpacked(dockerfile, tmp_path)
    done = subprocess.run(command, cwd=image, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_mock_banks_run_by_their_environment_alone(stack_state: Path, tmp_path: Path) -> None:
    """As a `services:` container of somebody's CI does, with the relying party's statement in a variable."""
    for name in ("image", "state"):
        (tmp_path / name).mkdir()
    image = unpacked(MOCK, tmp_path / "image")
    shutil.copytree(stack_state, tmp_path / "state", dirs_exist_ok=True)
    text = (ROOT / MOCK).read_text()
    environment = dict(re.findall(r"(MOCK_\w+)=(\S+)", text))
    assert environment == {"MOCK_HOST": "0.0.0.0", "MOCK_PORT": "8002", "MOCK_STATE_DIR": "/var/lib/mock-idp"}
    (check, command) = (json.loads(found) for found in re.findall(r"^(?:  )?CMD (\[.*\])$", text, re.MULTILINE))
    broker, operations, mock = free_ports()
    with ImportedCommands(tmp_path / "state") as processes:
        stack = prepare(
            processes, issuer_port=broker, operations_port=operations, mock_port=mock, portal="http://127.0.0.1:9"
        )
        config = broker_config("telia", "shared", stack.places)
        stack.write_our_statement(config)
        environment = {
            "MOCK_HOST": "127.0.0.1",
            "MOCK_PORT": str(mock),
            "MOCK_BASE_URL": stack.places.mock,
            "MOCK_STATE_DIR": str(tmp_path / "state" / "mock"),
            "MOCK_RP_ENTITY_STATEMENT": (tmp_path / "state" / "relying-party.jwt").read_text().strip(),
        }
        processes.start("mock-idp", [sys.executable, *command[1:]], environment, image)
        processes.wait_for("mock-idp", f"{stack.places.mock}/livez")
        subprocess.run([sys.executable, *check[1:]], env=os.environ | environment, check=True)
        stack.start_broker(config)
        banks = MockBanks(stack.places.mock)
        assert prove(stack.client, banks, "nordea", "nordea", banks.people()[0], "nordea").problem is None
