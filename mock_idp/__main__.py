"""`python -m mock_idp`."""

from __future__ import annotations

from mock_idp.cli import main

main(prog_name="python -m mock_idp")
