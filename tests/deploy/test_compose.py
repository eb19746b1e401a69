"""deploy/compose: valid, hardened, closed; its configuration is right, and its store takes what the broker does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
import yaml

from broker.operations.checks import check_store
from demo.runner.processes import free_port
from kit.serving.server import LAST_ANSWERS
from kit.settings.proxies import drain_seconds
from tests.deploy.test_proxies import SECONDS, Upstream, until
from tests.harness import valkey
from tests.harness.deployment import COMMANDS, DEPLOY, PUBLIC_KEYS

pytestmark = pytest.mark.deployment

COMPOSE = DEPLOY / "compose"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
NETWORKS: dict[str, dict[str, Any]] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["networks"]


def test_it_is_what_the_compose_specification_says() -> None:
    tool = Path(sys.executable).with_name("check-jsonschema")
    command = [tool, "--builtin-schema", "vendor.compose-spec", COMPOSE / "compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 200
    assert service["mem_limit"] == service["memswap_limit"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & service.keys()
    ours = service["image"].startswith("${IMAGE")
    assert ours or service["user"].partition(":")[0] not in {"", "0", "root"}  # ours says so itself


def test_a_service_has_the_time_that_it_needs_to_end() -> None:
    for name in ("broker-1", "broker-2", "registration-1", "registration-2", "customer-service"):
        grace = SERVICES[name]["stop_grace_period"]
        assert int(grace.removesuffix("s")) >= drain_seconds(None, "production") + LAST_ANSWERS + 10


def test_only_the_proxy_can_be_reached_and_only_from_this_machine() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "proxy": ["127.0.0.1:8000:8000", "127.0.0.1:8001:8001", "127.0.0.1:8005:8005"]
    }


def test_store_and_database_meet_only_those_who_use_them() -> None:
    def on(network: str) -> set[str]:
        return {name for name, service in SERVICES.items() if network in service["networks"]}

    assert on("store") == {"valkey", "broker-1", "broker-2", "tunnus"}
    assert on("database") - {"registration-1", "registration-2", "send-mail"} == {
        "postgres",
        "migrate",
        "tunnus-registration",
    }
    assert {name for name, network in NETWORKS.items() if network.get("internal")} == {"front", "store", "database"}
    assert SERVICES["valkey"]["networks"] == ["store"]
    assert SERVICES["postgres"]["networks"] == ["database"]


def test_no_secret_stands_in_an_environment() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if any(word in name for word in ("PASSWORD", "TOKEN", "SECRET")):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_only_commands_write_keys() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            if "-keys:" in volume:
                assert volume.endswith(":ro") is (name not in set(COMMANDS))


def test_what_others_keys_a_process_reads_is_mounted_and_only_who_shows_them_writes_them() -> None:
    writers = {"public": "tunnus-registration", "customer-service-public": "tunnus-customer-service"}
    for name, service in SERVICES.items():
        program = next(iter(service.get("entrypoint", service.get("command", ["tunnus"]))))
        if not service["image"].startswith("${IMAGE"):
            continue
        mounted = dict(volume.split(":", 1) for volume in service["volumes"] if not volume.startswith("$"))
        volume, path = PUBLIC_KEYS.get(program, (None, None))
        assert volume is None or mounted[volume].removesuffix(":ro") == path
        for public, writer in writers.items():
            assert mounted.get(public, ":ro").endswith(":ro") or name == writer


def test_customer_service_is_one_process_with_keys_of_its_own() -> None:
    only = [
        name for name, service in SERVICES.items() if service.get("command") == ["tunnus-customer-service", "serve"]
    ]
    assert only == ["customer-service"]
    assert "replicas" not in SERVICES["customer-service"].get("deploy", {})
    keys = {name for name, service in SERVICES.items() if "customer-service-keys:" in str(service.get("volumes"))}
    assert keys == {"customer-service", "tunnus-customer-service"}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[dict[str, str]]:
    """HAProxy as compose runs it, with one server of the test as every service: its addresses by compose's ports."""
    text, upstream = (COMPOSE / "haproxy.cfg").read_text(), Upstream()
    ports = {port: free_port() for port in re.findall(r"bind :(\d+)", text)}
    for port, here in ports.items():
        text = text.replace(f"bind :{port}\n", f"bind 127.0.0.1:{here}\n")
    here = upstream.server_port
    text = re.sub(r"(server \S+) [\w-]+:\d+", rf"\1 127.0.0.1:{here}", text)
    (tmp_path / "haproxy.cfg").write_text(re.sub(r"check port \d+", f"check port {here}", text))
    command = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    assert command, "HAProxy is not installed; on Debian: sudo apt install haproxy"
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen([command, "-db", "-f", tmp_path / "haproxy.cfg"], stdout=log, stderr=log)
    places = {port: f"http://127.0.0.1:{here}" for port, here in ports.items()}
    until(lambda: process.poll() is not None or status(f"{places['8001']}/") == 200)
    assert process.poll() is None, (tmp_path / "log").read_text()
    yield places
    process.terminate()
    process.wait(SECONDS)
    upstream.end()


def status(url: str) -> int:
    """Of a GET; 0 if nobody listens."""
    try:
        return requests.get(url, timeout=SECONDS, proxies={"http": ""}).status_code
    except requests.ConnectionError:
        return 0


def test_of_registration_customer_service_reaches_staffs_api_alone(proxy: dict[str, str]) -> None:
    asked = SERVICES["customer-service"]["environment"]["REGISTRATION"].removeprefix("http://proxy:")
    paths = ("api/staff/search", "api/staff", "api/session", "token", "", "caller", "x/api/staff/search")
    assert [status(f"{proxy[asked]}/{path}") for path in paths] == [200, 404, 404, 404, 404, 404, 404]


def test_what_is_published_leads_to_a_service(proxy: dict[str, str]) -> None:
    for published in SERVICES["proxy"]["ports"]:
        assert status(f"{proxy[published.rpartition(':')[2]]}/service") == 200


@pytest.fixture
def store() -> Iterator[Path]:
    """The store as compose runs it, on a socket: the folder, with the secrets that `make-secrets` has made."""
    folder = Path(tempfile.mkdtemp(prefix="tunnus-store-", dir="/tmp"))  # a path short enough for a socket
    shutil.copy(COMPOSE / "make-secrets", folder)
    (folder / "bin").mkdir()
    (folder / "bin" / "chown").write_text("#!/bin/sh\n")  # only root may give a file to somebody
    (folder / "bin" / "chown").chmod(0o755)
    path = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
    first = subprocess.run([folder / "make-secrets"], env=path, capture_output=True, text=True, check=False)
    assert first.returncode == 1
    assert "missing: secrets/mail_password" in first.stderr
    for name in ("customer_register_token", "mail_password", "customer_service_client_secret"):
        (folder / "secrets" / name).write_text("word")
    subprocess.run([folder / "make-secrets"], env=path, check=True)
    config = (
        (COMPOSE / "valkey.conf")
        .read_text()
        .replace("/data", str(folder))
        .replace("/run/secrets", str(folder / "secrets"))
    )
    (folder / "valkey.conf").write_text(f"{config}port 0\nunixsocket {folder / 'v.sock'}\n")
    server = valkey.run(str(folder / "valkey.conf"))
    end = time.monotonic() + valkey.START_SECONDS
    while not (folder / "v.sock").exists():
        assert time.monotonic() < end, "Valkey does not answer"
        time.sleep(valkey.STEP)
    yield folder
    server.communicate()
    shutil.rmtree(folder)


def test_the_store_takes_the_password_that_was_made_and_gives_the_broker_what_it_needs(store: Path) -> None:
    password = (store / "secrets" / "store_password").read_text()
    for file in (store / "secrets").iterdir():
        assert file.stat().st_mode & 0o777 == 0o400
    url = f"unix://{store / 'v.sock'}"
    with redis.Redis.from_url(url, username="tunnus", password=password) as client:
        assert {check.state for check in check_store(client)} == {"ok"}
        for forbidden in ("FLUSHALL", "CONFIG SET dir /", "ACL LIST", "KEYS *", "SHUTDOWN"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*forbidden.split())
    with redis.Redis.from_url(url) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    with redis.Redis.from_url(url, username="health", password="") as health:
        assert health.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            health.get("anything")
