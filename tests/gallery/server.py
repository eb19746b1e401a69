"""Serves every state over HTTP, on a free port in a thread.

    /<service>/<state>?ui_locales=sv     a page, with the status and headers that it has in its service
    anything else                        what the services themselves serve there: styles, pictures, lists

An answer is drawn once for each language and kept, so that a page that has been looked at can be looked at again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from tests.gallery.broker_states import broker_states
from tests.gallery.customer_service_states import customer_service_states
from tests.gallery.mail_states import mail_states
from tests.gallery.mailbox_states import mailbox_states
from tests.gallery.mock_states import mock_states
from tests.gallery.online_states import online_states
from tests.gallery.portal_states import portal_states
from tests.gallery.registration_states import registration_states
from tests.gallery.rights_states import rights_states, settle
from tests.gallery.state import State
from tests.gallery.status_states import status_states

DISTURBED = "/disturbed"
WITHOUT = {"set-cookie", "refresh", "connection", "date", "server"}
"""Headers that one page would do to the next: a cookie would set its language, a reload would take it away."""


@dataclass
class GalleryServer:
    """All states, and what serves them.

    apps: the services' own, asked in this order for what is no state. disturbed: the broker at `/disturbed`.
    close: ends what the services hold open.
    """

    url: str
    states: list[State] = field(default_factory=list)
    apps: list[Flask] = field(default_factory=list)
    disturbed: Flask | None = None
    close: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._by_path: dict[str, State] = {}
        self._drawn: dict[tuple[str, str], Response] = {}
        self._guard = threading.Lock()

    def add(self, states: list[State]) -> None:
        """Serve states more; each needs an address of its own."""
        self.states += states
        self._by_path = {f"/{state.id}": state for state in self.states}
        assert len(self._by_path) == len(self.states), "two states have one address"

    def address(self, state: State, locale: str) -> str:
        """Where a state is."""
        return f"{self.url}/{state.id}?ui_locales={locale}"

    def draw(self, state: State, locale: str) -> Response:
        """A state's answer, drawn at the first call."""
        with self._guard:
            key = (state.id, locale)
            if key not in self._drawn:
                drawn = state.draw(locale)
                headers = [(name, value) for name, value in drawn.headers if name.lower() not in WITHOUT]
                self._drawn[key] = Response(drawn.get_data(), drawn.status, headers)
                drawn.close()
            return self._drawn[key]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        state = self._by_path.get(request.path)
        if state is not None:
            response = self.draw(state, request.args.get("ui_locales", state.locales[0]))
        else:
            response = self._of_the_services(environ)
        return response(environ, start_response)

    def _of_the_services(self, environ: dict[str, Any]) -> Response:
        path, apps = environ["PATH_INFO"], self.apps
        if self.disturbed and path.startswith(f"{DISTURBED}/"):
            environ, apps = environ | {"PATH_INFO": path.removeprefix(DISTURBED)}, [self.disturbed]
        for app in apps:
            body, status, headers = run_wsgi_app(app, environ.copy(), buffered=True)
            if not status.startswith("404"):
                return Response(body, status, headers)
        return NotFound().get_response(environ)


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments: Any) -> None:
        """Thousands of pages are asked for: none is told of."""


@contextmanager
def open_gallery() -> Iterator[GalleryServer]:
    """The gallery, until the block ends."""
    with TemporaryDirectory() as folder:
        server = make_server("127.0.0.1", 0, _nothing, threaded=True, request_handler=_Quiet)
        server.app = gallery = build_gallery(Path(folder), f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield gallery
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            gallery.close()


def build_gallery(folder: Path, url: str) -> GalleryServer:
    """The gallery without its server. folder: for databases, keys and files of settings. url: where it will be."""
    gallery = GalleryServer(url)
    broker, harnesses = broker_states(folder, url)
    registration, pages_harnesses = registration_states(folder, url)
    pages_harness = pages_harnesses[0]
    people = settle(folder)
    mock, mock_app = mock_states(folder, url)
    portal, portal_app = portal_states(url, url + DISTURBED)
    online, online_app = online_states()
    mailbox, mailbox_app = mailbox_states(pages_harness)
    staff, staff_app = customer_service_states(folder / "customer-service-keys")
    status, status_app = status_states(folder, people.app)
    of_registration = [*registration, *rights_states(people), *mail_states(pages_harness)]
    gallery.add([*broker, *of_registration, *mock, *portal, *online, *mailbox, *staff, *status])
    of_broker, of_pages = [harness.app for harness in harnesses.values()], [harness.app for harness in pages_harnesses]
    others = [mock_app, portal_app, online_app, mailbox_app, staff_app, status_app]
    gallery.apps = [*of_broker, *of_pages, people.app, *others]
    gallery.disturbed, gallery.close = harnesses["disturbed"].app, people.close
    return gallery


def _nothing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Until the gallery is built, which needs the port first."""
    return NotFound().get_response(environ)(environ, start_response)
