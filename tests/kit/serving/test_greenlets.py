"""Greenlets in place of threads, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.serving.greenlets import LOOKUPS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("line", "told", "lookups"),
    [("written\n", "on the disk\n", 0), ("the disk fails\n", "refused\n", 0), ("written\n", "on the disk\n", LOOKUPS)],
    ids=["it is written", "it is refused", "no name server answers"],
)
def test_a_record_that_waits_for_the_disk_holds_nobody_up(tmp_path: Path, line: str, told: str, lookups: int) -> None:
    command = [sys.executable, "-m", "tests.kit.serving.blocked_disk", str(tmp_path), str(lookups)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout.readline() == "others go on\n"
            assert process.communicate(line) == (told, "audit_unavailable\n" if told == "refused\n" else "")
            assert process.returncode == 0
        finally:
            process.kill()


def test_a_command_but_serve_has_no_greenlets() -> None:
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "broker", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert told.returncode == 0
    assert "gevent" not in told.stderr
