"""Make the hashed locks from their `.in` files, or check that they still fit.

Without --check, every version is the newest that fits and has been out for a week: a bad release is mostly found
by then. No index host or path is written into a lock.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NAMES = ("lint", "test", "valkey", "hsm", "demo", "main", "clients")
"""The largest first: the others take its versions, so that all locks agree."""
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate")
COOLDOWN = timedelta(days=7)


def compile_lock(name: str, output: Path, *options: str) -> None:
    """Write the lock of one `.in` file; versions that `output` already names are kept."""
    source = FOLDER / f"{name}.in"
    command = ["uv", "pip", "compile", "--quiet", *OPTIONS, *options, str(source), "--output-file", str(output)]
    subprocess.run([sys.executable, "-m", *command], check=True)  # noqa: S603 - our own arguments


def renew() -> None:
    """Write every lock anew."""
    newest = (datetime.now(UTC) - COOLDOWN).strftime("%Y-%m-%d")
    largest = FOLDER / f"{NAMES[0]}.txt"
    largest.unlink(missing_ok=True)
    compile_lock(NAMES[0], largest, "--exclude-newer", newest)
    for name in NAMES[1:]:
        (FOLDER / f"{name}.txt").write_text(largest.read_text())
        compile_lock(name, FOLDER / f"{name}.txt")


def stale() -> list[str]:
    """The locks that do not fit their `.in` files."""
    found = []
    for name in NAMES:
        lock = FOLDER / f"{name}.txt"
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder, lock.name)
            fresh.write_text(lock.read_text())
            compile_lock(name, fresh)
            if fresh.read_text() != lock.read_text():
                found.append(lock.name)
    return found


def main() -> int:
    """0 if all is well; 1 if a lock does not fit."""
    if "--check" not in sys.argv[1:]:
        renew()
        return 0
    found = stale()
    for name in found:
        sys.stderr.write(f"requirements/{name} does not fit its .in file; mend: make lock\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
