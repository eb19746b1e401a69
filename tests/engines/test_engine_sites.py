"""Cookies in Firefox and in WebKit, where the pages before and after are those of another site."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.browser.registration_demo import Demo
from tests.engines.engine_walk import CHOOSER, Person, Walk

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]

ONNI = Person("Nordea", "onni-korhonen", "Korhonen")


def test_an_authorization_request_that_another_site_posts_keeps_the_browsers_cookie(
    walk: Walk, demo_elsewhere: Demo
) -> None:
    start = f"{demo_elsewhere.portal}/start"
    walk.go(f"{demo_elsewhere.portal}/?ui_locales=sv")
    walk.go(start)
    walk.sees_heading(CHOOSER["sv"])
    kept = walk.has_cookie("tunnus_browser")
    location = requests.get(start, headers={"Accept-Language": "sv"}, allow_redirects=False, timeout=10).headers
    with site_that_posts(location["Location"]) as address:
        walk.go(address)
        walk.press("Go on")
        walk.sees_heading(CHOOSER["sv"])
    assert walk.has_cookie("tunnus_browser") == kept
    walk.identify(ONNI)
    walk.is_at(f"{demo_elsewhere.portal}/failed")  # the broker has answered; the portal did not ask this browser


@contextmanager
def site_that_posts(url: str) -> Iterator[str]:
    """A site whose page posts an address' query to it; the page's address, at localhost and so of another site."""
    place = urlsplit(url)
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in parse_qsl(place.query)
    )
    action = f"{place.scheme}://{place.netloc}{place.path}"
    form = f'<form method="post" action="{action}">{fields}<button>Go on</button></form>'
    page = f"<!doctype html><title>Post</title>{form}".encode()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
