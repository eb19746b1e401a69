"""deploy/config, with the environment that each way of running it gives: both services find nothing wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml

from registration.settings import load_settings
from tests.harness.deployment import DEPLOY, Deployment, unit_lines

pytestmark = pytest.mark.deployment

Environ = Mapping[str, str]


def of_compose() -> tuple[Environ, Environ]:
    """What compose gives to broker and registration."""
    services = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"]
    return services["broker-1"]["environment"], services["registration-1"]["environment"]


def of_kubernetes() -> tuple[Environ, Environ]:
    """What Kubernetes does."""

    def of(file: str) -> Environ:
        deployment = next(yaml.safe_load_all((DEPLOY / "kubernetes" / file).read_text()))
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        return {variable["name"]: variable["value"] for variable in container["env"]}

    return of("broker.yaml"), of("registration.yaml")


def of_systemd() -> tuple[Environ, Environ]:
    """What systemd does."""

    def of(unit: str) -> Environ:
        lines = unit_lines(unit)
        loaded = {credential.partition(":")[0] for credential in lines["LoadCredential"]}
        given = dict(word.split("=", 1) for line in lines["Environment"] for word in line.split())
        assert {value.removeprefix("%d/") for name, value in given.items() if name.endswith("_FILE")} == loaded
        return given

    return of("tunnus-broker.service"), of("tunnus-registration-web.service")


WAYS = (of_compose, of_kubernetes, of_systemd)


def test_both_services_find_nothing_wrong(deployment: Deployment) -> None:
    deployment.first_start(*WAYS[0]())
    for way in WAYS:
        broker, registration = way()
        assert "no problems. Environment production" in deployment.run("check", "tunnus", broker)
        assert "all is well" in deployment.run("check", "tunnus-registration", registration)
        settings = load_settings(deployment.folder / "config" / "registration.toml", deployment.environ(registration))
        assert settings.private_network or "sslmode=verify-full" in settings.database.url
