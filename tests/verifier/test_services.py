"""The demo's service and the examples: a good token opens, a bad one does not, and lacking keys are told apart."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from werkzeug.test import Client

import demo.service.app
from demo.runner.processes import free_port
from tunnus_verifier import Verifier
from tunnus_verifier.testing import BAD_TOKENS, BadToken, TokenMint, served_mint

ROOT = Path(__file__).resolve().parents[2]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "verifier" / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain_wsgi(verifier: Verifier) -> Any:
    module = example("wsgi_service")
    return module.door(module.whoami, verifier)


SERVICES: dict[str, Callable[[Verifier], Any]] = {
    "demo": demo.service.app.create_app,
    "flask": lambda verifier: example("flask_service").create_app(verifier),
    "wsgi": plain_wsgi,
}


@pytest.fixture(params=SERVICES)
def make_service(request: pytest.FixtureRequest) -> Callable[[Verifier], Any]:
    return SERVICES[request.param]


@pytest.fixture
def mint() -> TokenMint:
    return TokenMint()


@pytest.fixture
def client(make_service: Callable[[Verifier], Any], mint: TokenMint) -> Client:
    return Client(make_service(Verifier(mint.issuer, mint.audience, fetch=mint.fetch)))


def ask(client: Client, token: str, scheme: str = "Bearer") -> Any:
    return client.get("/whoami", headers={"Authorization": f"{scheme} {token}"})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_good_token_tells_who_came(client: Client, mint: TokenMint, scheme: str) -> None:
    answer = ask(client, mint.token(), scheme)
    assert answer.status_code == 200
    assert answer.get_json(force=True).items() >= {"sub": "made-up-subject", "name": "Testi Henkilö"}.items()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_gets_401_with_a_reason(client: Client, mint: TokenMint, bad: BadToken) -> None:
    answer = ask(client, bad.make(mint))
    assert answer.status_code == 401
    assert answer.data == b""
    # RFC 6750 §3: what an error_description may hold.
    pattern = r'Bearer error="invalid_token", error_description="[\x20-\x21\x23-\x5b\x5d-\x7e]+"'
    assert re.fullmatch(pattern, answer.headers["WWW-Authenticate"])


@pytest.mark.parametrize("header", [None, "", "Basic dXNlcjp3b3Jk", "Bearer"])
def test_who_brings_no_token_is_asked_for_one(client: Client, header: str | None) -> None:
    answer = client.get("/whoami", headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_while_the_keys_cannot_be_had_it_is_503(client: Client, mint: TokenMint) -> None:
    mint.down = True
    answer = ask(client, mint.token())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "WWW-Authenticate" not in answer.headers


def test_the_demos_service_runs_as_a_process() -> None:
    with served_mint("service") as mint:
        port = free_port()
        env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'verifier'}", "SERVICE_PARTIES": "portal other"}
        env |= {"SERVICE_ISSUER": mint.issuer, "SERVICE_AUDIENCE": "service", "SERVICE_PORT": str(port)}
        with subprocess.Popen([sys.executable, "-m", "demo.service"], cwd=ROOT, env=env) as process:
            try:
                token = mint.token(aud=["portal", "service"], azp="portal")
                answer = until_it_answers(f"http://127.0.0.1:{port}/whoami", token)
                assert answer.json()["azp"] == "portal"
            finally:
                process.terminate()


def until_it_answers(url: str, token: str) -> requests.Response:
    until = time.monotonic() + 30
    with requests.Session() as session:
        session.trust_env = False
        while True:
            try:
                return session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5)
            except requests.ConnectionError:
                assert time.monotonic() < until
                time.sleep(0.05)
