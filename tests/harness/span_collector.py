"""An OpenTelemetry collector in a thread: takes spans by OTLP over HTTP, and keeps them as they came."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from flask import Flask, Response, request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.runner.processes import free_port
from tests.harness.serving import Served

ERROR = 2
"""`Status.StatusCode` of OTLP."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span that came. ids in hexadecimal; parent is empty where it has none."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: bool
    start: int
    end: int


class Collector:
    """Where it listens is `endpoint`; what came stands in `raw`, and read in `spans`."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self._lock = threading.Lock()
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}/v1/traces"
        app = Flask("collector")
        app.add_url_rule("/v1/traces", view_func=self._take, methods=["POST"])
        self._served = Served(app, port)

    def _take(self) -> Response:
        body = request.get_data()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with self._lock:
            self.raw.append(body)
        return Response(b"", content_type="application/x-protobuf")

    @property
    def messages(self) -> list[ExportTraceServiceRequest]:
        """Each request that came."""
        with self._lock:
            return [ExportTraceServiceRequest.FromString(body) for body in self.raw]

    @property
    def spans(self) -> list[Span]:
        """Every span, in the order of their beginnings."""
        found = [
            Span(
                name=span.name,
                trace=span.trace_id.hex(),
                id=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                attributes={held.key: held.value.string_value for held in span.attributes},
                failed=span.status.code == ERROR,
                start=span.start_time_unix_nano,
                end=span.end_time_unix_nano,
            )
            for message in self.messages
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        return sorted(found, key=lambda span: span.start)

    def __enter__(self) -> Collector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._served.close()
