"""Once, before registration starts in the demo's containers: its schema, and the made-up companies."""

from __future__ import annotations

import sys

from demo.runner.processes import PYTHON, CannotStart, run
from demo.runner.services import CUSTOMERS


def main() -> int:
    """The command. 0: both are there; 1: something failed, and was said."""
    why = ["--yes", "--operator", "demo", "--reason", "the demo's companies"]
    try:
        run([PYTHON, "-m", "registration", "migrate"])
        run([PYTHON, "-m", "registration", "customers", "import", str(CUSTOMERS), *why])
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1
    print("the schema and the companies are in place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
