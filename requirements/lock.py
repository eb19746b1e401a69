"""Make the hashed locks from their `.in` files, or check that they still fit.

Without --check, every version is the newest that fits. No index host or path is written into a lock.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NAMES = ("main", "demo", "test")
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate")


def compile_lock(name: str, output: Path) -> None:
    """Write the lock of one `.in` file; versions that `output` already names are kept."""
    source = FOLDER / f"{name}.in"
    command = ["uv", "pip", "compile", "--quiet", *OPTIONS, str(source), "--output-file", str(output)]
    subprocess.run([sys.executable, "-m", *command], check=True)  # noqa: S603 - our own arguments


def main() -> int:
    """0 if all is well; 1 if a lock does not fit."""
    if "--check" not in sys.argv[1:]:
        for name in NAMES:
            (FOLDER / f"{name}.txt").unlink(missing_ok=True)
            compile_lock(name, FOLDER / f"{name}.txt")
        return 0
    stale = []
    for name in NAMES:
        lock = FOLDER / f"{name}.txt"
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder, lock.name)
            fresh.write_text(lock.read_text())
            compile_lock(name, fresh)
            if fresh.read_text() != lock.read_text():
                stale.append(lock.name)
    for name in stale:
        sys.stderr.write(f"requirements/{name} does not fit its .in file; mend: make lock\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
