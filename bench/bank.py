"""A bank that costs little, so that at 64 at a time it is not what people wait for: the mock banks' ID token, no check.

    python -m bench.bank PORT FILE

It answers `/authorize` and `/token` of one issuer; the nonce of a login's request stands in the code. So several of
it, each a process, share the port. FILE is what `bench.subjects` wrote. Keys and everything else are the mock banks'.
"""

from __future__ import annotations

import base64
import json
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from waitress import serve

from mock_idp.bank import Bank, open_bank
from mock_idp.config import Config
from mock_idp.people.faces import FACES
from mock_idp.people.personas import Persona, personas
from mock_idp.protocol.dialects import LEVELS
from mock_idp.protocol.id_token import LIFETIME, mint
from mock_idp.protocol.issuers import Issuer
from mock_idp.state import AuthorizationRequest, Login
from providers.engine.compact import decode, loads, segments

THREADS = 64
ALIVE = "/livez"
"""Where a process says that it is there."""


@dataclass(frozen=True)
class Told:
    """What a process is told. late: the file that says how many seconds late the token endpoint answers."""

    base_url: str
    state: str
    relying_party: str
    realm: str
    dialect: str
    face: str
    persona: str
    late: str

    def write(self, path: Path) -> None:
        """For `read`."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Told:
        """As it was written."""
        return cls(**json.loads(path.read_text()))


class Answers:
    """The application."""

    def __init__(self, told: Told) -> None:
        self._bank: Bank = open_bank(Config(told.base_url, Path(told.state), told.relying_party))
        self._issuer = Issuer(told.realm, told.dialect)
        self._persona: Persona = personas(time.time())[told.persona]
        self._face = FACES[told.face]
        self._late = Path(told.late)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """For WSGI."""
        if environ["PATH_INFO"] == ALIVE:
            start_response("200 OK", [("Content-Length", "0")])
            return ()
        if environ["REQUEST_METHOD"] == "GET":
            location = self._approve(parse_qs(environ["QUERY_STRING"])["request"][0])
            start_response("303 See Other", [("Location", location), ("Content-Length", "0")])
            return ()
        form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
        time.sleep(float(self._late.read_text()))
        body = json.dumps(self._tokens(form["code"][0])).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return (body,)

    def _approve(self, request: str) -> str:
        """The way back, with a code that holds the request's nonce."""
        claims = loads(decode(segments(request, 3)[1]), "request")
        code = base64.urlsafe_b64encode(claims["nonce"].encode()).decode()
        return f"{claims['redirect_uri']}?{urlencode({'code': code, 'state': claims['state']})}"

    def _tokens(self, code: str) -> dict[str, Any]:
        now = int(self._bank.now())
        request = AuthorizationRequest(
            issuer=self._issuer,
            face=self._face,
            redirect_uri="",
            state="",
            nonce=base64.urlsafe_b64decode(code).decode(),
            acr=LEVELS[0],
            profile=True,
            code_challenge=None,
            ui_locale="fi",
            service_name="",
        )
        login = Login(request, self._face, self._persona, now, (), now + LIFETIME)
        recipient = self._bank.relying_party.encryption_key(now)
        if recipient is None:
            raise LookupError("the relying party publishes no encryption key")
        access_token, signing = secrets.token_urlsafe(32), self._bank.keys.of(self._issuer).current
        id_token = mint(self._bank, login, access_token, signing, recipient, ())
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": LIFETIME, "id_token": id_token}


def main() -> None:
    """Serve until the process is ended."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", int(sys.argv[1])))
    answers = Answers(Told.read(Path(sys.argv[2])))
    serve(
        answers,
        sockets=[listening],
        threads=THREADS,
        connection_limit=1000,  # each subject keeps its own
        ident=None,
        asyncore_use_poll=True,
        _quiet=True,
    )


if __name__ == "__main__":
    main()
