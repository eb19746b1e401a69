"""As test_light_clients, for software that is fetched and built first: Go and Java."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.peers.clients.login import PEERS, SECRET, Framework, Running, log_in, running_broker

pytestmark = [pytest.mark.full, pytest.mark.timeout(3600)]

GO = str(PEERS / "go")


def go_build(name: str, package: str) -> tuple[str, ...]:
    """The command that builds a package into the client's folder."""
    return ("go", "build", "-C", GO, "-o", f"{{folder}}/{name}", package)


OAUTH2_PROXY = (
    *("{folder}/oauth2-proxy", "--config", "oauth2-proxy.cfg", "--http-address", "127.0.0.1:{port}"),
    *("--cookie-secure=false",),
)
MAVEN = ("mvn", "--quiet", "--batch-mode", "package")
SPRING = ("java", "-jar", "target/app-1.jar", "--server.port={port}", "--server.address=127.0.0.1")
BOOT_3 = "3.5.16"
FRAMEWORKS = (
    Framework("go-oidc", ("{folder}/client",), before=[go_build("client", "{folder}/main.go")]),
    Framework(
        "oauth2-proxy",
        OAUTH2_PROXY,
        "/oauth2/start?rd=/oauth2/userinfo",
        ["email"],
        [go_build("oauth2-proxy", "github.com/oauth2-proxy/oauth2-proxy/v7")],
        {"OAUTH2_PROXY_CLIENT_SECRET": SECRET, "OAUTH2_PROXY_COOKIE_SECRET": "of 32 bytes, as it is demanded.."},
    ),
    Framework("spring-boot", SPRING, "/me", before=[MAVEN]),
)


@pytest.fixture(scope="module")
def running(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_broker(tmp_path_factory.mktemp("built"), stack_state, FRAMEWORKS) as running:
        yield running


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.page)
def test_a_client_connects_as_its_page_tells(
    framework: Framework, running: Running, browser: requests.Session, tmp_path: Path
) -> None:
    log_in(framework, running, browser, tmp_path)


def test_spring_boot_3_connects_by_the_same_page(running: Running, browser: requests.Session, tmp_path: Path) -> None:
    boot_3 = ("sed", "--in-place", f"/<parent>/,/<.parent>/ s,<version>.*<,<version>{BOOT_3}<,", "pom.xml")
    log_in(Framework("spring-boot", SPRING, "/me", before=[boot_3, MAVEN]), running, browser, tmp_path)
    assert (tmp_path / "pom.xml").read_text().count(BOOT_3) == 1
