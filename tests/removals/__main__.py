"""`make check-alive`: exit status 0 only if every removal is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.removals.of_broker import MUTATIONS, Mutation
from tests.removals.of_deployment import DEPLOYMENT
from tests.removals.of_fapi import FAPI
from tests.removals.of_registration import REGISTRATION
from tests.removals.of_staff import STAFF

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "kit",
    "broker",
    "providers",
    "registration",
    "verifier",
    "mock_idp",
    "demo",
    "tests",
    "config",
    "docs",
    "deploy",
    "requirements",
)


def notices(tree: Path, mutation: Mutation) -> str:
    """What the tests say of a tree without the check: `noticed`, `NOT NOTICED`, or what else went wrong."""
    file = tree / mutation.file
    before = file.read_text()
    if before.count(mutation.old) != 1:
        return f"the text stands {before.count(mutation.old)} times in {mutation.file}"
    file.write_text(before.replace(mutation.old, mutation.new))
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", mutation.tests, "-k", mutation.rows, "-m", "not browser"]
        done = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": f"{tree}:{tree / 'verifier'}", "TUNNUS_WHOLE_TABLES": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(before)
    return {0: "NOT NOTICED", 1: "noticed"}.get(done.returncode, f"pytest ended with {done.returncode}")


def main() -> int:
    """Print a row for each check."""
    wanted = sys.argv[1:]
    chosen = [
        m
        for m in (*MUTATIONS, *FAPI, *REGISTRATION, *STAFF, *DEPLOYMENT)
        if not wanted or any(word in m.what or word in m.rows or word in m.file for word in wanted)
    ]
    alive = 0
    with tempfile.TemporaryDirectory(prefix="tunnus-alive-") as folder:
        tree = Path(folder)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        for name in ("pyproject.toml", "babel.cfg"):
            shutil.copy(ROOT / name, tree)
        for mutation in chosen:
            said = notices(tree, mutation)
            alive += said == "noticed"
            sys.stdout.write(f"{mutation.what:<44} {mutation.rows:<44} {said}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{alive} of {len(chosen)} removals noticed\n")
    return 0 if alive == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
