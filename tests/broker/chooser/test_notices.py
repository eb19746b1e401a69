"""The notices file: refused when it is broken at start, read again when it changes, the last good one kept."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from broker.chooser.notices import Notices
from kit.settings.report import ConfigurationError

ROOT = Path(__file__).parents[3]
CONNECTIONS = {"telia", "isb"}
GOOD = '[telia.disturbance]\nheader = { fi = "Häiriö" }\ntext = { fi = "Odota" }\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "notices.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def rewrite(file: Path, text: str) -> None:
    """Write, and make sure that the time of change differs."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(before + 10**9, before + 10**9))


def header(notices: Notices) -> str | None:
    disturbance = notices.of("telia").disturbance
    return disturbance.header.in_language("fi").text if disturbance else None


def test_without_a_file_there_are_no_notices() -> None:
    assert header(Notices(None, CONNECTIONS)) is None


def test_a_byte_order_mark_and_line_ends_of_windows_are_taken(file: Path) -> None:
    rewrite(file, "\ufeff" + GOOD.replace("\n", "\r\n"))
    assert header(Notices(file, CONNECTIONS)) == "Häiriö"


def test_a_changed_file_is_read_without_a_restart(file: Path) -> None:
    notices = Notices(file, CONNECTIONS)
    assert header(notices) == "Häiriö"
    rewrite(file, GOOD.replace("Häiriö", "Huolto"))
    assert header(notices) == "Huolto"
    rewrite(file, "")
    assert header(notices) is None


def test_a_broken_change_is_reported_once_and_the_last_good_one_stays(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notices = Notices(file, CONNECTIONS)
    rewrite(file, "[telia.disturbance\n")
    with caplog.at_level(logging.ERROR):
        assert [header(notices), header(notices)] == ["Häiriö", "Häiriö"]
    (record,) = caplog.records
    assert record.getMessage() == "notices refused, the last good ones stay in use"
    assert "is not TOML" in record.__dict__["problems"]
    rewrite(file, GOOD.replace("Häiriö", "Korjattu"))
    assert header(notices) == "Korjattu"


def test_a_file_that_goes_away_is_reported_and_the_last_good_one_stays(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notices = Notices(file, CONNECTIONS)
    file.unlink()
    with caplog.at_level(logging.ERROR):
        assert header(notices) == "Häiriö"
    assert [record.__dict__["problems"] for record in caplog.records] == ["(the file) cannot be read"]
    rewrite(file, GOOD.replace("Häiriö", "Takaisin"))
    assert header(notices) == "Takaisin"


def test_a_file_that_nobody_may_read_yet_is_read_once_somebody_may(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path) -> bytes:
        raise PermissionError

    notices = Notices(file, CONNECTIONS)
    rewrite(file, GOOD.replace("Häiriö", "Huolto"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refused)
        assert header(notices) == "Häiriö"
    before = file.stat()
    while file.stat().st_ctime_ns == before.st_ctime_ns:
        file.chmod(0o644)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert header(notices) == "Huolto"


@pytest.mark.parametrize(
    ("text", "key", "wrong"),
    [
        ("[nobody]\n", "nobody", "is no connection"),
        ('[telia]\nconsnt = { fi = "x" }\n', "telia.consnt", "is not a key"),
        ("[telia]\nconsent = {}\n", "telia.consent", "has no text"),
        ('[telia]\nconsent = { de = "x" }\n', "telia.consent.de", "is no language"),
        ('[telia]\nconsent = { fi = "" }\n', "telia.consent.fi", "at least 1 character"),
        ('[telia.disturbance]\nheader = { fi = "x" }\n', "telia.disturbance.text", "is missing"),
        ('[telia]\nprivacy_text = { fi = "x" }\n', "telia", "go together"),
    ],
)
def test_a_broken_file_is_refused_at_start_with_its_key(file: Path, text: str, key: str, wrong: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        Notices(file, CONNECTIONS)
    report = str(refused.value)
    assert str(file) in report
    assert f"  {key}" in report
    assert wrong in report


@pytest.mark.parametrize(
    "link",
    [
        "http://x.example/",
        "javascript:alert(1)",
        "https://",
        "https://a@x.example/",
        "/x",
        "https://x.example/a b",
        "https://[x",
    ],
)
def test_a_link_for_people_that_is_not_https_is_refused(file: Path, link: str) -> None:
    file.write_text(f'[telia]\nprivacy_text = {{ fi = "x" }}\nprivacy_link = {{ fi = "{link}" }}\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is no link for people") as refused:
        Notices(file, CONNECTIONS)
    assert refused.value.problems[0].key == ("telia", "privacy_link", "fi")


def test_every_problem_is_in_one_report(file: Path) -> None:
    file.write_text('[nobody]\n[telia]\nx = 1\n[isb]\nconsent = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        Notices(file, CONNECTIONS)
    assert len(refused.value.problems) == 3


def test_a_file_that_is_missing_or_huge_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Notices(tmp_path / "nowhere.toml", CONNECTIONS)
    huge = tmp_path / "huge.toml"
    huge.write_text("#" * 300_000, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is too large"):
        Notices(huge, CONNECTIONS)


def test_the_example_in_config_is_accepted() -> None:
    notices = Notices(ROOT / "config" / "notices.example.toml", CONNECTIONS)
    assert notices.of("isb").states
