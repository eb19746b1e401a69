"""Traces of logins, where the configuration asks for them: `[tracing] otlp_endpoint`.

Nothing here imports OpenTelemetry: only `spans` does, and only a broker that traces imports that. Without traces a
request has no `Trace`, and what is asked of one ends at that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flask import g, has_request_context

from broker.settings import Settings

if TYPE_CHECKING:
    from broker.tracing.spans import Tracing

NAME = "login_trace"


class Trace(Protocol):
    """The trace that a request is part of."""

    def join(self, traceparent: str | None) -> None:
        """Go on with a login's trace, as an earlier request of it has kept it; the first call counts."""
        ...

    def traceparent(self) -> str:
        """For what comes later of this login (W3C Trace Context §3.2)."""
        ...


def join(traceparent: str | None) -> None:
    """Make this request part of a login's trace; nothing where none is traced."""
    trace: Trace | None = g.get(NAME) if has_request_context() else None
    if trace is not None:
        trace.join(traceparent)


def kept() -> str | None:
    """What a login keeps of its trace, so that its later requests join it; None where none is traced."""
    trace: Trace | None = g.get(NAME) if has_request_context() else None
    return None if trace is None else trace.traceparent()


def tracing_of(settings: Settings) -> Tracing | None:
    """What traces, None unless the configuration asks for it."""
    endpoint = settings.tracing.otlp_endpoint
    if endpoint is None:
        return None
    from broker.tracing.spans import Tracing  # whoever wants no traces imports none

    return Tracing(endpoint, settings.providers.keys() | settings.connections.keys())
