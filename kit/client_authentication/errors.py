"""The one refusal."""

from __future__ import annotations


class ClientRefused(Exception):
    """A client has not proved itself; the reason is a constant of ours, for the log and the client."""
