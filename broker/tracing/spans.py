"""A span for each step of a login, and for each call to a bank in it, sent to a collector by OTLP over HTTP.

    authorize · identify · callback { token_request · keys_fetch } · token

A span's attributes are its step and the provider, both words of ours: nothing of a person, no address, no message of an
error. The trace is the client's if it sends a `traceparent` (W3C Trace Context §3.2), as a header or, since a browser
carries no headers of a client's, as a parameter of the authorization request. It is kept in the transaction.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from flask import Flask, Response, g, request
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from broker.tracing import NAME
from kit import logs

STEPS = {
    "oidc.authorize": "authorize",
    "flow.start_attempt": "identify",
    "flow.receive": "callback",
    "oidc.token": "token",
}
"""The steps of a login, by endpoint."""
STEP, PROVIDER = "tunnus.step", "tunnus.provider"
HEADER = "traceparent"
SECONDS = 5.0
"""That an export, and the end of the process, may wait for the collector."""
_PROPAGATOR = TraceContextTextMapPropagator()


class RequestTrace:
    """See `broker.tracing.Trace`. asked: the traceparent that the client has sent with this request.

    The span begins with the request, but is made once it is known which trace it belongs to.
    """

    def __init__(self, tracer: Tracer, step: str, asked: str | None) -> None:
        self._tracer = tracer
        self._step = step
        self._asked = asked
        self._began = time.time_ns()
        self._span: Span | None = None

    def join(self, traceparent: str | None) -> None:
        """See Trace."""
        if self._span is None:
            parent = self._asked or traceparent
            context = _PROPAGATOR.extract({HEADER: parent}) if parent else Context()
            self._span = self._tracer.start_span(
                self._step, context, SpanKind.SERVER, {STEP: self._step}, start_time=self._began
            )

    @property
    def span(self) -> Span:
        """The request's span, of a trace of its own if it has joined none."""
        self.join(None)
        assert self._span is not None  # noqa: S101 - just made
        return self._span

    def traceparent(self) -> str:
        """See Trace."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, set_span_in_context(self.span))
        return carrier[HEADER]


class Tracing:
    """Traces the logins of this process. endpoint: of the collector. rows: the ids that a provider may have."""

    def __init__(self, endpoint: str, rows: Collection[str]) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": "tunnus-broker"}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=SECONDS)))
        self._tracer = self._provider.get_tracer("tunnus")
        self._rows = frozenset(rows)

    def trace_requests(self, app: Flask) -> None:
        """Give each request of a login a trace, and end its span with the answer."""

        @app.before_request
        def begin() -> None:
            step = STEPS.get(request.endpoint or "")
            if step is not None:
                g.setdefault(NAME, RequestTrace(self._tracer, step, _asked(step)))

        @app.after_request
        def end(response: Response) -> Response:
            trace: RequestTrace | None = g.get(NAME)
            if trace is not None:
                added = logs.added()
                refused = response.status_code >= 500 or added.get("code") not in {None, "cancelled"}
                self._end(trace.span, added.get("provider"), failed=refused)
            return response

    @contextmanager
    def call(self, step: str) -> Iterator[None]:
        """A span around a call to a bank, within the request's. step: `token_request` or `keys_fetch`."""
        trace: RequestTrace | None = g.get(NAME)
        context = set_span_in_context(trace.span) if trace is not None else Context()
        span = self._tracer.start_span(step, context, SpanKind.CLIENT, {STEP: step})
        failed = True
        try:
            yield
            failed = False
        finally:
            self._end(span, logs.added().get("provider"), failed=failed)

    def _end(self, span: Span, provider: object, *, failed: bool) -> None:
        if provider in self._rows:
            span.set_attribute(PROVIDER, str(provider))
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end()

    def flush(self) -> None:
        """Send what has ended."""
        self._provider.force_flush(int(SECONDS * 1000))

    def close(self) -> None:
        """Send what has ended, and end. What the collector does not take in time is lost."""
        self._provider.shutdown()


def _asked(step: str) -> str | None:
    """What the client says that this request is part of; the steps between are the browser's, which knows of none."""
    if step == "authorize":
        return request.args.get(HEADER) or request.headers.get(HEADER)
    return request.headers.get(HEADER) if step == "token" else None
