"""The fields that a line of the log may have, and the loggers that are ours."""

from __future__ import annotations

from kit.logs import Fields

_REQUEST = frozenset({"code", "step", "reason", "act", "staff", "limit"})
"""staff: the id of a member of staff, as registration's audit trail has it. act: an act's name."""
FIELDS = Fields(
    own_loggers=frozenset({"tunnus", "customer_service"}),
    request=_REQUEST,
    every=_REQUEST | {"method", "endpoint", "status", "ms", "host", "port", "count", "file", "place"},
)
