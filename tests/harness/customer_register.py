"""A small customer register over HTTP, as docs/openapi-customer-register.yaml has it, on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from registration.customer_register import Customer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TOKEN = "the-token-of-the-register"
CUSTOMERS = (
    Customer("100001", "9990001-6", "Testisähkö Oy"),
    Customer("100002", "9990002-4", "Mallbolaget Ab"),
    Customer("100003", "9990002-4", "Mallbolaget Ab"),
)


@dataclass
class RegisterServer:
    """customers: whom it knows, by number. instead: answers in its place while it is set. asked: each path and query.

    url: what goes into `[customer_register] url`.
    """

    customers: dict[str, Customer]
    url: str = ""
    instead: Callable[[Request], Response] | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        """The answer to a request."""
        self.asked.append(request.full_path.rstrip("?"))
        if self.instead:
            return self.instead(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Response(status=401)
        folder, _, number = request.path.rpartition("/")
        customer = self.customers.get(number)
        if folder != "/api/customers" or customer is None or customer.fo_nummer != request.args.get("fo_nummer"):
            return Response(status=404)
        return json_answer(asdict(customer))


def json_answer(value: object, status: int = 200) -> Response:
    """An answer of JSON."""
    return Response(json.dumps(value), status, content_type="application/json")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def running_register(customers: Sequence[Customer] = CUSTOMERS) -> Iterator[RegisterServer]:
    """A register that is up until the end of the block."""
    register = RegisterServer({customer.customer_number: customer for customer in customers})
    with running_app(Request.application(register.answer)) as url:
        register.url = f"{url}/api"
        yield register


@contextlib.contextmanager
def running_app(app: WSGIApplication) -> Iterator[str]:
    """The URL of a WSGI application that is up, with a thread for each connection, until the end of the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
