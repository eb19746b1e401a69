"""Sign-ins of staff as the operator counts them: how many were begun, and how each ended."""

from __future__ import annotations

from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter

Outcome = Literal["signed_in", "provider_unavailable", "not_signed_in", "lost_attempt"]
"""How a sign-in ends: but for the first as the log's `code` has it."""


class SignInCounts:
    """The two metrics, each outcome counted from nothing, so that its first is seen. registry: where they stand."""

    def __init__(self, registry: CollectorRegistry) -> None:
        said = "Sign-ins of staff that were sent to the employer's provider."
        self._started = Counter("tunnus_staff_sign_ins_started", said, registry=registry)
        said = "Sign-ins of staff that ended, by how; one that could not begin among them."
        self._ended = Counter("tunnus_staff_sign_ins", said, ["outcome"], registry=registry)
        for outcome in get_args(Outcome):
            self._ended.labels(outcome)

    def started(self) -> None:
        """Somebody was sent to the employer's provider."""
        self._started.inc()

    def ended(self, outcome: Outcome) -> None:
        """A sign-in has come to its end."""
        self._ended.labels(outcome).inc()
