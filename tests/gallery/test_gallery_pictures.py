"""`make pictures`: a picture of each size and scheme, and an index that needs nothing but them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.gallery, pytest.mark.enable_socket]
ROOT = Path(__file__).resolve().parent.parent.parent


def draw(out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "tests.gallery.pictures", "--out", str(out), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)


def test_pictures_of_one_state_are_taken_and_all_that_stand_there_are_shown(tmp_path: Path) -> None:
    earlier = tmp_path / "mailbox" / "mails-none.en.phone.light.png"
    earlier.parent.mkdir()
    earlier.write_bytes(b"an earlier one")
    run = draw(tmp_path, "registration/confirmed")
    assert run.returncode == 0, run.stderr
    assert "3/3 registration/confirmed" in run.stdout
    pictures = sorted(path.name for path in (tmp_path / "registration").iterdir())
    kinds = [f"{size}.{scheme}" for size in ("desktop", "phone") for scheme in ("dark", "light")]
    assert pictures == [f"confirmed.{locale}.{kind}.png" for locale in ("en", "fi", "sv") for kind in kinds]
    index = (tmp_path / "index.html").read_text("utf-8")
    shown = set(re.findall(r'<img src="([^"]+)"', index))
    assert shown == {f"registration/{name}" for name in pictures} | {"mailbox/mails-none.en.phone.light.png"}
    assert "http" not in index.replace("http-equiv", "")


def test_a_word_that_no_state_has_is_told_with_those_there_are(tmp_path: Path) -> None:
    run = draw(tmp_path, "nothing-like-it")
    assert run.returncode == 2
    assert "broker/chooser" in run.stderr
