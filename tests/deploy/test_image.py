"""The image for production: what is in it is what its Dockerfile copies, and that is enough to run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.release import copied

pytestmark = pytest.mark.deployment

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
APPLICATION = {"kit", "providers", "broker", "verifier/tunnus_verifier", "registration", "customer_service"}
IMPORT_ALL = """
import importlib, importlib.metadata, os, pkgutil, re, sys
here, allowed = os.getcwd(), set(sys.argv[1:])
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
for top in ("kit", "providers", "broker", "registration", "customer_service", "tunnus_verifier"):
    package = importlib.import_module(top)
    assert package.__file__.startswith(here), package.__file__
    for found in pkgutil.walk_packages(package.__path__, top + "."):
        if not found.name.endswith("__main__") and not found.name.startswith(aside):
            importlib.import_module(found.name)
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder that holds what the image's /srv/tunnus does."""
    for source in copied(ROOT):
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (tmp_path / source).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / source, tmp_path / source)
    return tmp_path


def test_the_dockerfile_has_nothing_that_hadolint_minds() -> None:
    tool = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([tool, DOCKERFILE], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_nothing_of_mock_demo_or_tests_is_in_the_image() -> None:
    assert copied(ROOT) == APPLICATION | {"requirements/main.txt", "requirements/install.py"}
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied(ROOT)


def test_the_image_runs_as_a_user_without_rights() -> None:
    final = DOCKERFILE.read_text().rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", final, re.MULTILINE) == ["10001:10001"]
    assert "HEALTHCHECK" in final
    assert "RUN" not in final  # it has what the stage before it made, and nothing that it was made with


def test_what_is_copied_needs_no_package_beyond_the_lock(image: Path) -> None:
    allowed = re.findall(r"^([a-z0-9][a-z0-9.\-]*)(?:\[[^]]*\])?==", (ROOT / "requirements/main.txt").read_text(), re.M)
    assert len(allowed) > 20
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", IMPORT_ALL, *allowed]
    done = subprocess.run(command, cwd=image, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
