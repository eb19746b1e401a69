"""The fields that a line of the log may have, and the loggers that are ours."""

from __future__ import annotations

STORY_FIELDS = frozenset(
    {
        "txn",
        "attempt",
        "provider",
        "connection",
        "client",
        "code",
        "step",
        "reason",
        "claim",
        "outcome",
        "acr",
        "audit",
    }
)
"""What a request's line may tell, besides method, endpoint, status and duration."""
FIELDS = STORY_FIELDS | {
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
}
"""Every field there is; any other `extra` of a log record is dropped."""

OURS = ("tunnus", "broker", "providers")
"""First parts of the names of loggers whose messages are constants."""
