"""The fields that a line of the log may have, and the loggers that are ours."""

from __future__ import annotations

STORY_FIELDS = frozenset({"txn", "attempt", "provider", "client", "code", "step", "reason", "outcome", "account"})
"""What a request's line may tell, besides method, endpoint, status and duration. account: an account's id."""
FIELDS = STORY_FIELDS | {"method", "endpoint", "status", "ms", "host", "port", "count", "file", "place", "event"}
"""Every field there is; any other `extra` of a log record is dropped."""

OURS = ("tunnus", "registration", "tunnus_verifier")
"""First parts of the names of loggers whose messages are constants."""
