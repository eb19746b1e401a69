"""The fields that a line of registration's log may have, and the loggers that are ours."""

from __future__ import annotations

from kit.logs import Fields

_REQUEST = frozenset(
    {"txn", "attempt", "provider", "client", "code", "step", "reason", "limit", "outcome", "account", "record"}
)
"""account: an account's id."""
FIELDS = Fields(
    own_loggers=frozenset({"tunnus", "registration", "tunnus_verifier"}),
    request=_REQUEST,
    every=_REQUEST | {"method", "endpoint", "status", "ms", "host", "port", "count", "file", "place", "event"},
)
