"""Serves a mint's documents over HTTP, for a service that runs as a process or is written in another language."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tunnus_verifier.testing.mint import TokenMint


@contextmanager
def served_mint(audience: str = "my-service", **settings: Any) -> Iterator[TokenMint]:
    """A mint whose issuer is a web server on a free port of this machine. settings: those of TokenMint."""
    mint = TokenMint("", audience, **settings)

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {"/jwks": mint.jwks, "/.well-known/openid-configuration": mint.discovery}
            found = documents.get(self.path)
            mint.fetched.append(self.path)
            if found is None or mint.down:
                self.send_error(503 if mint.down else 404)
                return
            body = json.dumps(found()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: it is a test."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Documents) as server:
        mint.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield mint
        finally:
            server.shutdown()
            thread.join()
