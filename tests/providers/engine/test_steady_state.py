"""What a login costs once keys and connections are there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from providers.connection import SignedJwks
from providers.engine import entity_statement
from tests.harness.engine.adapter import Make
from tests.harness.engine.bank import Bank
from tests.harness.engine.parts import (
    NOW,
    STATE,
    MemoryKeys,
    make_attempt,
    message,
)


class _Bank(BaseHTTPRequestHandler):
    """A bank that keeps its connections; the server counts them."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        self._answer(self.server.jwks, "application/jwk-set+jwt")  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.token, "application/json")  # type: ignore[attr-defined]

    def _answer(self, body: str, content_type: str) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def served() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bank)
    server.connections, server.paths = 0, []  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_steady_state_opens_no_connection_fetches_no_keys_and_imports_none(
    served: Any, make: Make, bank: Bank, signed: SignedJwks, keys: MemoryKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"http://127.0.0.1:{served.server_address[1]}"
    adapter = make(jwks=replace(signed, uri=f"{base}/jwks"), token_endpoint=f"{base}/token")
    served.jwks = bank.signed_jwks()
    served.token = json.dumps(bank.token_response(adapter.connection))

    def identify() -> None:
        adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(), NOW)

    identify()
    imports: list[object] = []
    plain = RSAKey.import_key
    monkeypatch.setattr(RSAKey, "import_key", lambda *args, **options: imports.append(args) or plain(*args, **options))
    monkeypatch.setattr(entity_statement, "usable_keys", lambda *args: imports.append(args))
    before, keys.signed = served.connections, 0
    for _ in range(20):
        identify()
    assert served.connections == before == 1
    assert served.paths == ["/token", "/jwks"] + ["/token"] * 20
    assert (imports, keys.signed) == ([], 20)
    adapter._http._session.close()
