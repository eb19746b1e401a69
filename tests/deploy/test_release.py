"""`make release` is made of the commit alone: whoever makes it, and wherever, the bytes are the same."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from deploy import release as made
from requirements.audit import locked, requirements_of
from tests.harness.deployment import ROOT

pytestmark = pytest.mark.deployment


def clone(folder: Path) -> Path:
    """This commit, checked out elsewhere."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """The files of two releases: of other folders, another umask, another time zone, another time of the files."""
    found = []
    for mask, zone in ((0o022, "UTC"), (0o077, "Asia/Tokyo")):
        before = os.umask(mask)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", zone)
            folder = tmp_path_factory.mktemp("release")
            root = clone(folder / f"of-{mask}")
            (root / "verifier" / "README.md").touch()
            files = made.release(root, folder / "dist")
        os.umask(before)
        found.append({file.name: file.read_bytes() for file in (*files, folder / "dist" / "SHA256SUMS")})
    return found


def test_two_releases_of_a_commit_are_the_same_bytes(releases: list[dict[str, bytes]]) -> None:
    first, second = releases
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert {name.partition("-")[0] for name in first} == {"tunnus_verifier", "tunnus", "SHA256SUMS"}


def test_the_application_is_what_the_image_holds(releases: list[dict[str, bytes]], tmp_path: Path) -> None:
    (name,) = (name for name in releases[0] if name.endswith(".tar.gz"))
    (tmp_path / name).write_bytes(releases[0][name])
    with tarfile.open(tmp_path / name) as archive:
        files = {file.partition("/")[2] for file in archive.getnames()}
    assert {"broker/server.py", "registration/server.py", "requirements/main.txt", "deploy/Dockerfile"} <= files
    assert not [file for file in files if file.startswith(("mock_idp", "demo", "tests"))]


def test_the_wheel_holds_the_verifier_alone(releases: list[dict[str, bytes]], tmp_path: Path) -> None:
    (name,) = (name for name in releases[0] if name.endswith(".whl"))
    (tmp_path / name).write_bytes(releases[0][name])
    tops = {file.partition("/")[0] for file in zipfile.ZipFile(tmp_path / name).namelist()}
    assert tops == {"tunnus_verifier", name.replace("-py3-none-any.whl", ".dist-info")}


def test_the_bill_of_materials_names_every_package_and_its_licence(releases: list[dict[str, bytes]]) -> None:
    (text,) = (content.decode() for name, content in releases[0].items() if name.endswith(".cdx.json"))
    from cyclonedx.schema import SchemaVersion  # of requirements/lint.txt, which `make test` does without
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    lock = [one for one in requirements_of(ROOT / "requirements/main.txt") if not one.marker or one.marker.evaluate()]
    parts = {(part["purl"].partition("@")[0], part["version"]) for part in bill["components"]}
    assert {(canonicalize_name(name.removeprefix("pkg:pypi/")), version) for name, version in parts} == {
        (name, str(version)) for name, version in locked(lock)
    }
    (listed,) = (content.decode() for name, content in releases[0].items() if name.endswith(".licences.txt"))
    assert len(listed.splitlines()) == len(lock)
    assert "says none" not in listed
    assert not [line for line in listed.splitlines() if "GPL" in line and "LGPL" not in line and "Lesser" not in line]


def test_what_is_not_committed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = clone(tmp_path / "clone")
    (root / "broker" / "server.py").write_text("changed")
    monkeypatch.setattr(made, "ROOT", root)
    assert made.main() == 1
    assert "broker/server.py" in capsys.readouterr().err
    assert not (root / "dist").exists()
