"""Every endpoint and every method, media type and body: never a fault, JSON only where no browser goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from broker.oidc import CALLED_BY_CLIENTS
from tests.harness.broker import System

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get")
BODIES: dict[str, tuple[str | None, bytes]] = {
    "nothing": (None, b""),
    "a form": ("application/x-www-form-urlencoded", b"client_id=portal&client_id=portal&=&%ff=%00"),
    "a form that is none": ("application/x-www-form-urlencoded", b"\xff\x00%%%&&&==="),
    "JSON": ("application/json", b'{"client_id": "portal"}'),
    "multipart": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="client_id"\r\n\r\n',
    ),
    "multipart without a boundary": ("multipart/form-data", b"x"),
    "XML": ("text/xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    "a media type that is none": ("x" * 300 + ";;;=\x7f", b"x"),
    "another character set": ("application/x-www-form-urlencoded; charset=utf-16", b"client_id=portal"),
}
ABSENT = (
    "/introspect",
    "/revoke",
    "/register",
    "/logout",
    "/.well-known/oauth-authorization-server",
    "/device",
)
READ_BY_MACHINES = re.compile(r"/(\.well-known/|jwks|signed-jwks|api/|static/|logos/)")


def answers(system: System) -> Iterator[tuple[str, str, str, Any]]:
    app = system.broker("telia", "shared").app
    paths = {re.sub(r"<(?:\w+:)?(\w+)>", "0123abcdX", rule.rule) for rule in app.url_map.iter_rules()} | set(ABSENT)
    paths |= {"/callback/" + next(iter(app.extensions["tunnus"].flow.adapters))}
    client = app.test_client(use_cookies=False)
    for path in sorted(paths):
        for method in METHODS:
            for name, (media_type, body) in BODIES.items():
                if method in {"POST", "PUT"} or name in {"nothing", "JSON"}:
                    yield path, method, name, client.open(path, method=method, data=body, content_type=media_type)


def test_no_method_and_no_body_is_a_fault(system: System) -> None:
    wrong = []
    for path, method, name, answer in answers(system):
        if answer.status_code >= 500:
            wrong.append((path, method, name, answer.status_code))
        if answer.status_code == 405 and not answer.headers.get("Allow"):
            wrong.append((path, method, name, "405 without Allow"))
        if answer.mimetype == "application/json" and path not in CALLED_BY_CLIENTS:
            if not READ_BY_MACHINES.match(path):
                wrong.append((path, method, name, "JSON to a browser"))
        elif path in CALLED_BY_CLIENTS and answer.mimetype == "text/html" and method != "OPTIONS":
            wrong.append((path, method, name, "a page for a client"))
        if method == "HEAD" and answer.get_data():
            wrong.append((path, method, name, "HEAD with a body"))
    assert not wrong


@pytest.mark.parametrize("path", ABSENT)
def test_an_endpoint_that_there_is_not_is_a_page_that_is_not_found(system: System, path: str) -> None:
    client = system.broker("telia", "shared").app.test_client()
    for method in ("GET", "POST"):
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")


@pytest.mark.parametrize("path", sorted(CALLED_BY_CLIENTS))
def test_a_client_gets_json_for_a_method_that_is_none(system: System, path: str) -> None:
    answer = system.broker("telia", "shared").app.test_client().put(path)
    assert (answer.status_code, answer.get_json()["error"]) == (405, "invalid_request")
    assert "POST" in answer.headers["Allow"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["error_description"].startswith("the method must be one of ")


def test_a_head_request_uses_nothing_up_and_begins_nothing(system: System) -> None:
    answer = system.broker("telia", "shared").app.test_client().head("/token")
    assert answer.status_code == 405
