"""`python -m demo.by_hand`: a person's browser walks, and the terminal says what went and what came."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest
import requests

from demo.by_hand import main
from demo.runner.client import SECONDS
from demo.runner.mock_banks import MockBanks
from demo.runner.profiles import PROFILES


@pytest.mark.parametrize(("words", "status"), [([], 0), (["fapi3"], 2)])
def test_without_a_profile_it_lists_them_and_a_wrong_one_is_an_error(
    words: list[str], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["by_hand", *words])
    assert main() == status
    assert capsys.readouterr().out == f"python -m demo.by_hand {'|'.join(profile.name for profile in PROFILES)}\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary one whose path is short enough for the store's socket."""
    with tempfile.TemporaryDirectory(prefix="by-hand-", dir="/tmp") as made:
        yield Path(made)


@contextmanager
def by_hand(profile: str, folder: Path) -> Iterator[Iterator[str]]:
    """The lines that it says. It is ended as by Ctrl-C, and then must have left nothing."""
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-m", "demo.by_hand", profile], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        yield iter(process.stdout.readline, "")
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().endswith("ended\n")
    assert process.returncode == 0
    assert list(folder.iterdir()) == []


def until(lines: Iterator[str], name: str) -> str:
    """The value of the next line of that name."""
    return next(line[22:].strip() for line in lines if line.startswith(name))


@pytest.mark.smoke
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("profile", "method"), [("form-post", "POST"), ("fapi2-signed", "GET")])
def test_a_login_by_hand_says_what_went_and_what_came(profile: str, method: str, folder: Path) -> None:
    with by_hand(profile, folder) as lines, requests.Session() as browser:
        browser.trust_env = False
        banks = MockBanks(until(lines, "the mock banks"))
        person = banks.people()[0]
        banks.next("*", persona=person["id"])
        chooser = browser.get(until(lines, "open"), timeout=SECONDS)
        (link,) = re.findall(r'href="([^"]*/identify/[^"]*/nordea)"', chooser.text)
        page = browser.get(requests.compat.urljoin(chooser.url, link), timeout=SECONDS)
        if method == "POST":
            (action,) = re.findall(r'method="post" action="([^"]+)"', page.text)
            fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
            page = browser.post(action, {name: unescape(value) for name, value in fields}, timeout=SECONDS)
        assert "It arrived" in page.text
        assert until(lines, "came by") == method
        assert json.loads(until(lines, "identity token"))["family_name"] == person["family_name"]
        assert browser.get(until(lines, "open"), timeout=SECONDS).status_code == 200
