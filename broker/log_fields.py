"""The fields that a line of the log may have, and the loggers that are ours."""

from __future__ import annotations

from kit.logs import Fields

_REQUEST = frozenset(
    {
        "txn",
        "attempt",
        "provider",
        "connection",
        "client",
        "code",
        "step",
        "reason",
        "limit",
        "claim",
        "outcome",
        "acr",
        "audit",
        "sent_client_id",
        "sent_redirect_uri",
        "record",
    }
)
FIELDS = Fields(
    own_loggers=frozenset({"tunnus", "broker", "providers"}),
    request=_REQUEST,
    every=_REQUEST
    | {
        "method",
        "endpoint",
        "status",
        "ms",
        "host",
        "port",
        "count",
        "file",
        "seq",
        "head",
        "place",
        "event",
        "problems",
    },
)
