"""The `tunnus` command.

Exit status: 0 all is well · 1 something is wrong and was said · 2 the command was given wrongly · 3 `audit verify`
found nothing tampered with, but a file that was never closed.
"""

from __future__ import annotations

from broker.cli.main import main

__all__ = ["main"]
