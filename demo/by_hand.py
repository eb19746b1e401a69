"""One profile of a client by hand: `python -m demo.by_hand fapi2-dpop`; without a name it lists them.

It starts Valkey, the mock banks and a broker on free ports, and is the client itself: it says what it sends, waits for
your browser at its redirect URI, and says what came. Until Ctrl-C each address serves one login.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from joserfc.errors import JoseError

from demo.runner.client import NotIdentified
from demo.runner.configs import broker_config
from demo.runner.processes import CannotStart, Processes, end_by_signal, free_port
from demo.runner.profile_client import ProfileClient
from demo.runner.profiles import PROFILES, Profile, with_profiles
from demo.runner.stack import free_ports, prepare

THANKS = b"It arrived; look at the terminal."


class Callback(BaseHTTPRequestHandler):
    """The client's redirect URI, for a GET and a POST."""

    def do_GET(self) -> None:
        """A redirect brought the response."""
        self._take(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """A form brought it."""
        self._take(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

    def _take(self, query: str) -> None:
        here = urlsplit(self.path).path == "/callback"
        if here and isinstance(self.server, Redirected):
            self.server.came = {name: values[0] for name, values in parse_qs(query).items()}
            self.server.method = self.command
        self.send_response(200 if here else 404)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(THANKS if here else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Addresses hold codes: nothing is logged."""


class Redirected(HTTPServer):
    """Where the browser comes back. came: the parameters, once it did."""

    came: dict[str, str] | None = None
    method = ""

    def wait(self) -> dict[str, str]:
        """What came to the redirect URI, and by which method."""
        self.came = None
        while self.came is None:
            self.handle_request()
        return self.came


def by_hand(profile: Profile, processes: Processes) -> None:
    """Log in by a profile until Ctrl-C. Raises CannotStart."""
    broker, operations, mock = free_ports()
    own = free_port()
    portal = f"http://127.0.0.1:{own}"
    stack = prepare(processes, issuer_port=broker, operations_port=operations, mock_port=mock, portal=portal)
    config = with_profiles(broker_config("telia", "shared", stack.places), stack.client)
    stack.write_our_statement(config)
    stack.start_mock()
    stack.start_broker(config)
    section = {name: value for name, value in profile.section.items() if name != "secret_hash"}
    say("the broker", stack.places.issuer, "the mock banks", stack.places.mock, "the client's section", dict(section))
    with Redirected(("127.0.0.1", own), Callback) as back, requests.Session() as server:
        server.trust_env = False
        client = ProfileClient(replace(stack.client, client_id=profile.name), profile, server)
        while True:
            begun = client.begin()
            say("it asks for", sorted(begun.wanted), "pushed to /par", profile.pushed, "open", begun.url)
            came = back.wait()
            say("came by", back.method, "with", sorted(came))
            try:
                done = client.finish(begun, came)
            except (NotIdentified, jwt.PyJWTError, JoseError) as error:
                say("refused", str(error))
                continue
            say("token_type", done.token_type, "scope", done.scope, "identity token", done.claims)


def say(*pairs: object) -> None:
    """Print names and values, a line each."""
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        print(f"{name:<22}{shown}", flush=True)


def main() -> int:
    """The command. 0: ended by Ctrl-C, or it listed the profiles; 2: no such profile, or it could not start."""
    found = {profile.name: profile for profile in PROFILES}
    (name,) = sys.argv[1:] or ("",)
    if name not in found:
        print(f"python -m demo.by_hand {'|'.join(found)}")
        return 2 if name else 0
    end_by_signal()
    try:
        with tempfile.TemporaryDirectory(prefix="tunnus-by-hand-") as state, Processes(Path(state)) as processes:
            by_hand(found[name], processes)
    except CannotStart as problem:
        print(f"by hand: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
