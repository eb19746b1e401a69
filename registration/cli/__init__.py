"""The command `tunnus-registration`."""

from registration.cli.main import main

__all__ = ["main"]
