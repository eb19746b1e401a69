"""The command line: entity statements to pin, and a server that answers and ends when told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from demo.runner.processes import free_port
from mock_idp.cli import main
from mock_idp.config import FetchFailed, fetch, named
from tests.harness.certificates import certificate, context
from tests.harness.engine.bank_server import answer, answering, served

ROOT = Path(__file__).parents[2]


def wait_for(url: str) -> requests.Response:
    for _ in range(1200):
        try:
            return requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_server_answers_and_ends_promptly_when_told(tmp_path: Path, end: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-m", "mock_idp", "serve", "--port", str(port), "--state-dir", str(tmp_path)]
    environment = os.environ | {"MOCK_BASE_URL": f"http://127.0.0.1:{port}"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert wait_for(f"http://127.0.0.1:{port}/livez").json() == {"status": "ok"}
        metadata = requests.get(f"http://127.0.0.1:{port}/op/ftn/.well-known/openid-configuration", timeout=5).json()
        assert metadata["issuer"] == f"http://127.0.0.1:{port}/op/ftn"
        before = time.monotonic()
        process.send_signal(end)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert time.monotonic() - before < 5
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}" in out.decode()
    assert "--rp-entity-statement" in err.decode()
    assert "Traceback" not in err.decode()


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["serve", "--port", str(port), "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "choose another --port" in result.output


def test_a_self_signed_front_is_trusted_where_its_authority_is_named(tmp_path: Path) -> None:
    own = certificate(tmp_path, "127.0.0.1")
    with served(answering(answer(b"statement")), context(own)) as server:
        with pytest.raises(FetchFailed, match="--rp-ca-bundle"):
            fetch(server.url)
        assert fetch(server.url, own) == b"statement"


def test_a_statement_may_be_given_itself_and_is_not_repeated_in_a_message() -> None:
    given = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln"
    assert fetch(given) == given.encode()
    assert given not in named(given)
    assert named("/somewhere/rp.jwt") == "/somewhere/rp.jwt"
    with pytest.raises(FetchFailed, match="cannot be read"):
        fetch(given.replace(".", "/"))


def test_an_authority_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve"], env={"MOCK_RP_CA_BUNDLE": str(tmp_path / "nowhere.pem")})
    assert (result.exit_code, "rp-ca-bundle" in result.output) == (2, True)


def test_every_issuers_statement_is_written_under_its_name(mock_state_dir: Path, tmp_path: Path) -> None:
    options = ["--state-dir", str(mock_state_dir), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, ["entity-statements", *options])
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert len(names) == 36
    assert {"shared-telia.jwt", "mobile-certificate-isb.jwt"} <= names


def test_faults_and_personas_are_listed() -> None:
    assert "invalid-iss" in CliRunner().invoke(main, ["faults"]).output
    assert "tero-ayramo" in CliRunner().invoke(main, ["personas"]).output


def test_every_command_explains_itself() -> None:
    for command in ("serve", "entity-statements", "faults", "personas"):
        result = CliRunner().invoke(main, [command, "--help"])
        assert result.exit_code == 0
        assert len(result.output.splitlines()) > 5
