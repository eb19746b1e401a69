"""`make audit` finds what an advisory names, and never says that all is well when nothing was looked at."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from requirements.audit import FOLDER, concerns, locked, main, requirements_of

FLASK = dict(locked(requirements_of(FOLDER / "main.txt")))["flask"]


def advisory(*events: dict[str, str], name: str = "Flask", **more: Any) -> dict[str, Any]:
    """One of a package, as OSV has it."""
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}]
    made = {
        "id": "GHSA-0000-0000-0000",
        "modified": "2026-11-01T00:00:00Z",
        "summary": "made for a test",
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}],
    }
    return made | more


def audit(folder: Path, *advisories: Any, pyproject: str = "") -> int:
    """The exit status for a file of advisories."""
    (folder / "all.json").write_text(json.dumps(list(advisories)))
    (folder / "pyproject.toml").write_text(pyproject)
    return main([str(folder / "all.json")], folder / "pyproject.toml")


def test_a_locked_version_that_an_advisory_names_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(tmp_path, advisory({"introduced": "0"}, {"fixed": f"{FLASK}.1"})) == 1
    said = capsys.readouterr().out
    locks = ", ".join(lock.name for lock in sorted(FOLDER.glob("*.txt")) if "\nflask==" in lock.read_text())
    assert f"Flask {FLASK} in {locks}: GHSA-0000-0000-0000: VULNERABLE" in said
    assert "the newest of 2026-11-01" in said


@pytest.mark.parametrize(
    "made",
    [
        advisory({"introduced": "0"}, {"fixed": str(FLASK)}),
        advisory({"introduced": f"{FLASK}.1"}),
        advisory({"introduced": "0"}, name="another-package"),
        advisory({"introduced": "0"}, withdrawn="2026-11-02T00:00:00Z"),
    ],
)
def test_one_that_does_not_concern_us_is_not(tmp_path: Path, made: dict[str, Any]) -> None:
    assert audit(tmp_path, made, advisory({"introduced": "0"}, name="one-that-is-not-locked")) == 0


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [
        ("0.1", True),
        ("1.0rc1", True),
        ("1.0", False),
        ("1.9", False),
        ("2.0", True),
        ("2.5", True),
        ("2.6", False),
        ("3.0.0", True),
    ],
)
def test_a_version_is_within_what_was_introduced_and_fixed(version: str, is_affected: bool) -> None:
    events = [{"fixed": "1.0"}, {"introduced": "0"}, {"introduced": "2.0"}, {"last_affected": "2.5"}]
    entry = {
        "versions": ["3.0", "not a version"],
        "ranges": [{"type": "ECOSYSTEM", "events": events}, {"type": "GIT", "events": []}],
    }
    assert concerns(entry, Version(version)) is is_affected


def test_one_that_was_reviewed_does_not_fail_and_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = advisory({"introduced": "0"}, aliases=["CVE-2026-0000"])
    assert audit(tmp_path, made, pyproject='[tool.tunnus.advisories]\n"CVE-2026-0000" = "we never call it"\n') == 0
    assert "reviewed: we never call it" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [None, "", "not JSON", "[]", "[1]", '[{"id": "GO-1", "affected": [{"package": {"ecosystem": "Go"}}]}]']
)
def test_without_data_it_says_that_nothing_was_audited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "all.json"
    if content is not None:
        file.write_text(content)
    assert main([str(file)]) == 2
    assert main([]) == 2
    assert capsys.readouterr().out.count("NOTHING WAS AUDITED") == 2


def test_a_file_that_holds_something_else_is_no_data(tmp_path: Path) -> None:
    assert audit(tmp_path, advisory({"introduced": f"{FLASK}.1"}), {"no": "advisory"}) == 2


def test_an_export_of_osv_is_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("GHSA-0000-0000-0000.json", json.dumps(advisory({"introduced": "0"})))
    assert main([str(tmp_path / "all.zip")]) == 1


def test_every_package_of_a_lock_is_looked_at() -> None:
    for lock in FOLDER.glob("*.txt"):
        assert len(list(requirements_of(lock))) == len(re.findall(r"^\S+==\S+", lock.read_text(), re.MULTILINE))
