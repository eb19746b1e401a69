"""`python -m broker` is the `tunnus` command."""

from __future__ import annotations

import sys


def main() -> None:
    """The command; `serve` uses greenlets, which nothing may be imported before."""
    if "serve" in sys.argv[1:]:
        from kit.serving import greenlets

        greenlets.use()
    from broker.cli import main as command

    command(prog_name="tunnus")


if __name__ == "__main__":
    main()
