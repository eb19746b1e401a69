"""deploy/config, with the environment that each way of running it gives: no service finds anything wrong.

What is made before a first start is made by the commands of that way, in the order that it has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
import yaml

from customer_service.settings import load_settings as load_customer_service
from registration.settings import load_settings
from tests.harness.deployment import COMMANDS, DEPLOY, ROOT, Deployment, unit_lines

pytestmark = pytest.mark.deployment

Environ = Mapping[str, str]
"""What a file of deploy/ gives to a process."""
Command = tuple[str, str]
"""Of which service, and its words."""
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"]
DEPLOYMENT_DOCS = (ROOT / "docs" / "deployment.md").read_text()


def of_compose() -> dict[str, Environ]:
    """What compose gives to each service."""
    made = dict(zip(COMMANDS, ("broker-1", "registration-1", "customer-service"), strict=True))
    return {program: COMPOSE[name]["environment"] for program, name in made.items()}


def of_kubernetes() -> dict[str, Environ]:
    """What Kubernetes does."""

    def of(file: str) -> Environ:
        deployment = next(yaml.safe_load_all((DEPLOY / "kubernetes" / file).read_text()))
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        return {variable["name"]: variable["value"] for variable in container["env"]}

    files = ("broker.yaml", "registration.yaml", "customer-service.yaml")
    return {program: of(file) for program, file in zip(COMMANDS, files, strict=True)}


def of_systemd() -> dict[str, Environ]:
    """What systemd does."""

    def of(unit: str) -> Environ:
        lines = unit_lines(unit)
        loaded = {credential.partition(":")[0] for credential in lines.get("LoadCredential", ())}
        given = dict(word.split("=", 1) for line in lines["Environment"] for word in line.split())
        assert {value.removeprefix("%d/") for name, value in given.items() if name.endswith("_FILE")} == loaded
        return given

    units = ("tunnus-broker.service", "tunnus-registration-web.service", "tunnus-customer-service.service")
    return {program: of(unit) for program, unit in zip(COMMANDS, units, strict=True)}


def first_by_compose() -> Iterator[Command]:
    """What docs/deployment.md has run before `up`."""
    section = DEPLOYMENT_DOCS.partition("\n## Compose")[2].partition("docker compose up")[0]
    for service, words in re.findall(r"(?m)^docker compose run --rm ([\w-]+) ([^#\n]+?) *(?:#.*)?$", section):
        yield COMPOSE[service]["entrypoint"][0], words


def first_by_kubernetes() -> Iterator[Command]:
    """What the job has before everything else."""
    job = yaml.safe_load((DEPLOY / "kubernetes" / "first-start" / "job.yaml").read_text())["spec"]["template"]["spec"]
    for container in (*job["initContainers"], *job["containers"]):
        program, *words = container["args"]
        yield program, " ".join(words)


def first_by_systemd() -> Iterator[Command]:
    """What docs/deployment.md has run before the units are started."""
    section = DEPLOYMENT_DOCS.partition("\n## systemd")[2].partition("\nsystemctl start")[0].replace("\\\n", "")
    for program, words in re.findall(r"(?m)^runuser -u \S+ -- \.venv/bin/([\w-]+) ([^#\n]+?) *(?:#.*)?$", section):
        yield program, " ".join(words.split())


def first_start(deployment: Deployment, given: Mapping[str, Environ]) -> None:
    """Make what has to be there, as compose does."""
    for program, words in first_by_compose():
        deployment.run(words, program, given[program])


WAYS = {"compose": (of_compose, first_by_compose), "kubernetes": (of_kubernetes, first_by_kubernetes)}
WAYS["systemd"] = (of_systemd, first_by_systemd)


@pytest.mark.parametrize("way", WAYS)
def test_after_the_commands_of_a_first_start_every_service_finds_nothing_wrong(
    way: str, deployment: Deployment
) -> None:
    given, first = WAYS[way][0](), list(WAYS[way][1]())
    assert {program for program, words in first if words.startswith("keys init")} == set(COMMANDS)
    for program, words in first:
        deployment.run(words, program, given[program])
    deployment.run("migrate", "tunnus-registration", given["tunnus-registration"])
    assert "no problems. Environment production" in deployment.run("check", "tunnus", given["tunnus"])
    for program in ("tunnus-registration", "tunnus-customer-service"):
        assert "all is well" in deployment.run("check", program, given[program])
    config = deployment.folder / "config"
    registration = load_settings(config / "registration.toml", deployment.environ(given["tunnus-registration"]))
    assert registration.private_network or "sslmode=verify-full" in registration.database.url


@pytest.mark.parametrize("way", ["compose", "kubernetes"])
def test_a_variable_that_is_given_is_one_that_the_configuration_asks_for(way: str) -> None:
    for program, given in WAYS[way][0]().items():
        text = (DEPLOY / "config" / COMMANDS[program][1]).read_text()
        asked = set(re.findall(r"\$\{(\w+)", text))
        assert {name.removesuffix("_FILE") for name in given} - {"READY"} <= asked, program


def test_what_customer_services_configuration_offers_in_comments_is_taken(deployment: Deployment) -> None:
    given = of_compose()
    first_start(deployment, given)
    file, program = deployment.folder / "config" / "customer-service.toml", "tunnus-customer-service"
    text, count = re.subn(
        r"(?m)^# (?=(?:auth_method|client_secret|operations_urls) = |\[broker\])", "", file.read_text()
    )
    assert count == 4
    file.write_text(text)
    secret = {"CUSTOMER_SERVICE_CLIENT_SECRET_FILE": "/run/secrets/customer_service_client_secret"}
    assert "all is well" in deployment.run("check", program, given[program] | secret)
    pages = load_customer_service(file, deployment.environ(given[program] | secret))
    assert pages.sign_in.client_secret == deployment.secrets["CUSTOMER_SERVICE_CLIENT_SECRET"]
    assert pages.broker.operations_urls == ("http://broker-1:9000",)
    assert "broker-1" in COMPOSE


def test_registration_lets_customer_service_act_for_staff(deployment: Deployment) -> None:
    config, given = deployment.folder / "config", of_compose()
    first_start(deployment, given)
    registration = load_settings(config / "registration.toml", deployment.environ(given["tunnus-registration"]))
    pages = load_customer_service(config / "customer-service.toml", given["tunnus-customer-service"])
    client = registration.api.clients[pages.registration.client_id]
    assert client.acts_for_staff
    roles = {role for role in ("agent", "supervisor", "auditor") if getattr(pages.sign_in.roles, role)}
    assert set(client.roles) == roles
    assert pages.registration.url == registration.url
