"""What a service's developer has: the package installed, the fixtures found, the README's words true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tunnus_verifier.testing import BAD_TOKENS

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "verifier"

SERVICE = """
from flask import Flask
from tunnus_verifier import Verifier
from flask_service import create_app as create_service


def create_app(verifier):
    app = create_service(verifier)
    app.view_functions["front"] = app.view_functions["whoami"]
    return app


"""

CONFTEST = """
import pytest


@pytest.fixture(scope="session")
def tunnus_issuer():
    return "https://id.other.fi"


@pytest.fixture(scope="session")
def tunnus_audience():
    return "other-service"
"""

OVERRIDDEN = """
def test_the_mint_is_ours(tunnus_mint):
    assert (tunnus_mint.issuer, tunnus_mint.audience) == ("https://id.other.fi", "other-service")
"""


def run_pytest(folder: Path, path: Path = VERIFIER) -> str:
    """What a service's own test run says, in a process of its own."""
    known = path != VERIFIER or entry_points(group="pytest11", name="tunnus_verifier")
    options = [] if known else ["-p", "tunnus_verifier.testing.plugin"]
    env = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{VERIFIER / 'examples'}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), *options, "."]
    return subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, timeout=60).stdout


@pytest.mark.drill
def test_the_readmes_tests_pass_and_run_once_for_each_bad_token(tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", (VERIFIER / "README.md").read_text(), re.DOTALL)
    (tests,) = (block for block in examples if "def test_" in block)
    (tmp_path / "test_service.py").write_text(SERVICE + tests)
    said = run_pytest(tmp_path)
    assert f"{1 + len(BAD_TOKENS)} passed" in said, said


def test_a_service_sets_its_own_issuer_and_audience(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_service.py").write_text(OVERRIDDEN)
    said = run_pytest(tmp_path)
    assert "1 passed" in said, said


def test_the_package_and_its_plugin_load_no_web_library_and_nothing_of_the_broker() -> None:
    program = "import sys, tunnus_verifier, tunnus_verifier.testing.plugin; print(*sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(VERIFIER)}
    said = subprocess.run([sys.executable, "-c", program], env=env, text=True, capture_output=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in said.split()}
    assert {"jwt", "cryptography", "pytest"} <= loaded
    assert not loaded & {"flask", "werkzeug", "requests", "urllib3", "authlib", "joserfc", "broker", "providers"}


@pytest.mark.drill
def test_installed_from_its_folder_the_fixtures_are_found_by_themselves(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(VERIFIER, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    installed = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(installed), str(source)], check=True, timeout=60)
    assert (installed / "tunnus_verifier" / "py.typed").exists()
    service = tmp_path / "service"
    service.mkdir()
    (service / "conftest.py").write_text(CONFTEST)
    (service / "test_service.py").write_text(OVERRIDDEN)
    said = run_pytest(service, installed)
    assert "1 passed" in said, said


def test_the_python_of_the_document_runs() -> None:
    document = (ROOT / "docs" / "verify-a-token.md").read_text()
    service, tests = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    names: dict[str, Any] = {}
    exec(service, names)  # noqa: S102
    assert names["who"]("not-a-token") is None
    exec(tests, {})  # noqa: S102
