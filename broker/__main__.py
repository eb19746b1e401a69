"""`python -m broker` is the `tunnus` command."""

from __future__ import annotations

from broker.cli import main

main(prog_name="tunnus")
