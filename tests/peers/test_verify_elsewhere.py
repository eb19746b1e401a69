"""The examples of docs/verify-a-token.md, run as they stand there, on the files of good and bad tokens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from demo.runner.processes import Processes, free_port
from tests.harness.engine.bank_server import answer, answering, served
from tests.peers.clients.pages import ClientPage
from tunnus_verifier.testing import TokenMint, served_mint
from tunnus_verifier.testing.mint import TEST_LEVEL

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SECONDS = 900
"""A build that fetches its parts may take so long."""


def block(language: str) -> str:
    """The one example in a language."""
    document = (ROOT / "docs" / "verify-a-token.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    return str(found)


def lines(command: Sequence[str], tokens: Iterable[str], folder: Path) -> list[str]:
    """What a program says of each token."""
    sent = "".join(f"{token}\n" for token in tokens)
    said = subprocess.run(command, input=sent, text=True, capture_output=True, timeout=SECONDS, cwd=folder, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


@pytest.fixture(params=["es256", "rs256"])
def kit(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A file of tokens."""
    found: dict[str, Any] = json.loads((ROOT / "verifier" / "bad-tokens" / f"v1-{request.param}.json").read_text())
    return found


@pytest.fixture
def settings(kit: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """For the examples; the file's keys are served."""
    with served(answering(answer(json.dumps(kit["jwks"]).encode()))) as keys:
        yield {
            "issuer": kit["issuer"],
            "audience": kit["audience"],
            "jwksUri": f"{keys.url}/jwks",
            "parties": kit["authorized_parties"],
            "levels": kit["accepted_acr"],
            "clock": kit["clock"],
        }


def wrong_verdicts(kit: dict[str, Any], said: Sequence[bool]) -> list[str]:
    """The tokens of which something else was said than is expected. max_age and nonce are not the examples' matter."""
    looked_at = [one for one in kit["tokens"] if one.get("needs") in (None, "accepted_acr")]
    verdicts = dict(zip((one["name"] for one in kit["tokens"]), said, strict=True))
    return [one["name"] for one in looked_at if one["expected"] not in ("either", verdict(verdicts[one["name"]]))]


def verdict(accepted: bool) -> str:
    return "accept" if accepted else "refuse"


def tokens_of(kit: dict[str, Any]) -> list[str]:
    return [one["token"] for one in kit["tokens"]]


@pytest.mark.peers
class TestNode:
    @pytest.fixture
    def command(self, node: str, tmp_path: Path) -> Sequence[str]:
        (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
        (tmp_path / "example.mjs").write_text(block("js"))
        return node, str(HERE / "verify.mjs"), str(tmp_path / "example.mjs")

    def test_it_says_what_is_expected(
        self, command: Sequence[str], kit: dict[str, Any], settings: dict[str, Any], tmp_path: Path
    ) -> None:
        said = [json.loads(line) for line in lines([*command, json.dumps(settings)], tokens_of(kit), tmp_path)]
        assert wrong_verdicts(kit, ["refused" not in one for one in said]) == []
        assert said[0]["claims"]["name"] == "Testi Henkilö"

    def test_it_tells_lacking_keys_from_a_bad_token(self, command: Sequence[str], tmp_path: Path) -> None:
        def refusal(mint: TokenMint) -> str:
            given = {"issuer": mint.issuer, "audience": mint.audience, "jwksUri": mint.jwks_uri, "levels": [TEST_LEVEL]}
            (line,) = lines([*command, json.dumps(given)], [mint.token()], tmp_path)
            return str(json.loads(line)["refused"])

        with served_mint() as mint:
            mint.down = True
            assert refusal(mint) == "ERR_JOSE_GENERIC"
        assert refusal(mint) == "fetch failed"


@pytest.fixture(scope="module", params=["go", "java"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """An example that is built first."""
    folder = tmp_path_factory.mktemp(request.param) / request.param
    shutil.copytree(HERE / request.param, folder)
    return built_go(folder) if request.param == "go" else built_java(folder)


@pytest.mark.full
@pytest.mark.timeout(SECONDS)
def test_what_is_built_says_what_is_expected(
    program: Sequence[str], kit: dict[str, Any], settings: dict[str, Any], tmp_path: Path
) -> None:
    said = lines([*program, json.dumps(settings)], tokens_of(kit), tmp_path)
    assert wrong_verdicts(kit, [line == "accepted" for line in said]) == []


def built_go(folder: Path) -> tuple[str, ...]:
    """The Go example, built."""
    (folder / "identitytoken").mkdir()
    (folder / "identitytoken" / "verifier.go").write_text(block("go"))
    subprocess.run(["go", "build", "-o", "verifier", "./verify"], cwd=folder, check=True, timeout=SECONDS)
    return (str(folder / "verifier"),)


def built_java(folder: Path) -> tuple[str, ...]:
    """The Java example, built."""
    sources = folder / "src" / "main" / "java"
    sources.mkdir(parents=True)
    (sources / "IdentityTokens.java").write_text(block("java"))
    (folder / "Verify.java").rename(sources / "Verify.java")
    maven = ["mvn", "--quiet", "--batch-mode", "package", "dependency:copy-dependencies"]
    subprocess.run(maven, cwd=folder, check=True, timeout=SECONDS)
    return "java", "-cp", f"{folder}/target/classes:{folder}/target/dependency/*", "Verify"


@pytest.mark.full
@pytest.mark.timeout(SECONDS)
def test_a_spring_resource_server_answers_what_is_expected(
    kit: dict[str, Any], settings: dict[str, Any], tmp_path: Path
) -> None:
    ClientPage.read("spring-resource-server").write(tmp_path, "https://app.example.fi", settings["issuer"])
    source = tmp_path / "src" / "main" / "java" / "app" / "App.java"
    at = f"Clock.fixed(java.time.Instant.ofEpochSecond({kit['clock']}), java.time.ZoneOffset.UTC)"
    source.write_text(source.read_text().replace("Clock.systemUTC()", at))
    subprocess.run(["mvn", "--quiet", "--batch-mode", "package"], cwd=tmp_path, check=True, timeout=SECONDS)
    port = free_port()
    given = {"issuer": kit["issuer"], "jwks-uri": settings["jwksUri"], "audience": kit["audience"]}
    given |= {"parties": ",".join(kit["authorized_parties"]), "levels": ",".join(kit["accepted_acr"])}
    options = [f"--tunnus.{name}={value}" for name, value in given.items()]
    with Processes(tmp_path / "processes") as processes, requests.Session() as session:
        session.trust_env = False
        processes.start(
            "service", ["java", "-jar", "target/app-1.jar", f"--server.port={port}", *options], None, tmp_path
        )
        session.mount(
            "http://", HTTPAdapter(max_retries=Retry(total=None, connect=500, backoff_factor=0.1, backoff_max=0.5))
        )
        said = [
            session.get(f"http://127.0.0.1:{port}/me", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            for token in tokens_of(kit)
        ]
    assert {answer.status_code for answer in said} == {200, 400, 401}  # 400: no token at all
    assert wrong_verdicts(kit, [answer.status_code == 200 for answer in said]) == []
