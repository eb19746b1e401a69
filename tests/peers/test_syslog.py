"""Debian's rsyslog as the collector of the audit trail's heads, over UDP, TCP and TLS."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner, Result

from broker.cli import main
from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import free_port
from demo.runner.proof import prove
from demo.runner.stack import Stack
from tests.demo.running import CONTRACT, running_stack
from tests.harness.certificates import certificate
from tests.peers.conftest import command

pytestmark = pytest.mark.peers

CONFIG = """
module(load="imudp")
module(load="imtcp")
global(workDirectory="{folder}" defaultNetstreamDriverCAFile="{pem}"
       defaultNetstreamDriverCertFile="{pem}" defaultNetstreamDriverKeyFile="{pem}")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imtcp" address="127.0.0.1" port="{tcp}")
input(type="imtcp" address="127.0.0.1" port="{tls}"
      streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="parts" type="list" option.jsonf="on") {{
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="protocol" name="protocol-version" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="id" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
}}
action(type="omfile" file="{folder}/collected" template="parts")
"""


@dataclass
class Rsyslog:
    """A running rsyslogd, and the file of what it has understood."""

    folder: Path
    pem: Path
    ports: dict[str, int]

    @property
    def collected(self) -> Path:
        return self.folder / "collected"

    def entries(self) -> list[dict[str, str]]:
        lines = self.collected.read_text().splitlines() if self.collected.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def rsyslog(tmp_path: Path) -> Iterator[Rsyslog]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        ports = {"udp": probe.getsockname()[1], "tcp": free_port(), "tls": free_port()}
    made = Rsyslog(tmp_path, certificate(tmp_path, "127.0.0.1"), ports)
    config = tmp_path / "rsyslog.conf"
    config.write_text(CONFIG.format(folder=tmp_path, pem=made.pem, **made.ports))
    arguments = [command("rsyslogd"), "-n", "-f", str(config), "-i", str(tmp_path / "pid")]
    with (tmp_path / "rsyslog.log").open("wb") as log, subprocess.Popen(arguments, stdout=log, stderr=log) as process:
        yield made
        process.terminate()


@pytest.fixture(scope="module")
def stack(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all brokers, each of which has a trail of its own."""
    with running_stack(tmp_path_factory.mktemp("stack"), stack_state) as made:
        yield made


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
def test_a_brokers_heads_come_signed_and_verify(rsyslog: Rsyslog, stack: Stack, tmp_path: Path, way: str) -> None:
    """The process sends its last head when it ends; what rsyslog has written down is the file that verify reads."""
    collector = {"url": f"syslog+{way}://127.0.0.1:{rsyslog.ports[way]}"}
    if way == "tls":
        collector["ca_file"] = str(rsyslog.pem)
    config = broker_config(*CONTRACT, stack.places)
    config["audit"] = {**config["audit"], "dir": str(tmp_path / "audit"), "collector": collector}
    stack.start_broker(config)
    mock = MockBanks(stack.places.mock)
    assert prove(stack.client, mock, "op", "op", mock.people()[0], "op").problem is None
    stack.processes.end("broker")
    written = tmp_path / "verify.toml"
    written.write_text(tomli_w.dumps(config))
    end = time.monotonic() + 60
    while not rsyslog.entries() and time.monotonic() < end:
        time.sleep(0.02)
    (entry,) = rsyslog.entries()
    assert {name: entry[name] for name in ("facility", "protocol", "app", "id")} == {
        "facility": "audit",
        "protocol": "1",
        "app": "tunnus",
        "id": "audit-head",
    }
    assert entry["data"].startswith("[tunnusAuditHead@32473 file=")

    def verify() -> Result:
        run = ["audit", "verify", "--config", str(written), "--heads", str(rsyslog.collected)]
        return CliRunner().invoke(main, run)

    done = verify()
    assert (done.exit_code, "1 heads compared, 0 findings" in done.output) == (0, True), done.output
    (trail,) = Path(config["audit"]["dir"]).glob("*.jsonl")
    trail.write_text("".join(trail.read_text().splitlines(keepends=True)[:-2]))
    assert "is missing; its hash was kept" in verify().stderr
