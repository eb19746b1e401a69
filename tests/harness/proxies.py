"""nginx and HAProxy as processes of a test, by the very samples of deploy/, with addresses of this machine put in."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.runner.processes import free_port
from tests.harness.certificates import certificate
from tests.harness.process import ROOT, START_SECONDS, STEP

SAMPLES = ROOT / "deploy"
MAIN = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    {paths}
    include {folder}/tunnus.conf;
}}
"""
PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Member:
    """A process behind a proxy, by its ports on 127.0.0.1."""

    port: int
    operations_port: int


@dataclass
class Proxy:
    """One of the two in front of brokers, registrations and customer service's pages. kind: nginx, haproxy.

    staff_from: the network that customer service's pages are shown to. other: what else of the sample is replaced,
    and by what.
    """

    kind: str
    folder: Path
    broker_port: int = field(default_factory=free_port)
    internal_port: int = field(default_factory=free_port)
    registration_port: int = field(default_factory=free_port)
    customer_service_port: int = field(default_factory=free_port)
    staff_from: str = "127.0.0.0/8"
    other: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def broker(self) -> str:
        """Where browsers reach the brokers."""
        return f"https://127.0.0.1:{self.broker_port}"

    @property
    def internal(self) -> str:
        """Where services reach them."""
        return f"http://127.0.0.1:{self.internal_port}"

    @property
    def registration(self) -> str:
        """Where browsers reach registration."""
        return f"https://127.0.0.1:{self.registration_port}"

    @property
    def customer_service(self) -> str:
        """Where staff's browsers reach customer service's pages."""
        return f"https://127.0.0.1:{self.customer_service_port}"

    @property
    def authority(self) -> Path:
        """The certificate that browsers must know."""
        return self.folder / "127.0.0.1.pem"

    @property
    def log(self) -> Path:
        """A line for each request, its status among it."""
        return self.folder / "access.log"

    def start(
        self, brokers: Sequence[Member], registrations: Sequence[Member], customer_service: Sequence[Member] = ()
    ) -> None:
        """Start it before two of each and, if there is one, customer service; return when it listens."""
        command = shutil.which(self.kind, path=f"{os.environ['PATH']}:/usr/sbin")
        assert command, f"{self.kind} is not installed; on Debian: sudo apt install {self.kind}"
        certificate(self.folder, "127.0.0.1")
        places = self._places(brokers, registrations, customer_service) | self.other
        if self.kind == "nginx":
            (self.folder / "tunnus.conf").write_text(rendered("nginx/tunnus.conf", places))
            paths = "".join(f"{name}_temp_path {self.folder}/{name};\n" for name in PATHS)
            main = MAIN.format(user=getpass.getuser(), folder=self.folder, paths=paths)
            (self.folder / "nginx.conf").write_text(main)
            arguments = ["-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        else:
            (self.folder / "haproxy.cfg").write_text(rendered("haproxy/haproxy.cfg", places))
            arguments = ["-db", "-f", str(self.folder / "haproxy.cfg")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([command, *arguments], stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while not _listens(self.registration_port):
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"{self.kind} does not listen"
            time.sleep(STEP)

    def end(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
            self._process = None

    def statuses(self) -> list[int]:
        """The status of each request so far."""
        place = 4 if self.kind == "nginx" else 5
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [int(line[place]) for line in lines if len(line) > place and line[place].isdigit()]

    def _places(self, *members: Sequence[Member]) -> dict[str, str]:
        """What stands in the samples, and what there is here."""
        pem = str(self.authority)
        here = {
            "192.0.2.10:443": f"127.0.0.1:{self.broker_port}",
            "10.0.0.10:8080": f"127.0.0.1:{self.internal_port}",
            "192.0.2.11:443": f"127.0.0.1:{self.registration_port}",
            "/etc/ssl/tunnus/id.energy.example.pem": pem,
            "192.0.2.12:443": f"127.0.0.1:{self.customer_service_port}",
            "198.51.100.0/24": self.staff_from,
            "/etc/ssl/tunnus/registration.energy.example.pem": pem,
            "/etc/ssl/tunnus/customer-service.energy.example.pem": pem,
        }
        checks = {"nginx": "", "haproxy": " check port {}"}[self.kind]
        for net, port, of_one in zip("123", (8000, 8001, 8005), members, strict=True):
            for host, member in enumerate(of_one, 1):
                was = f"10.0.0.{net}{host}:{port}"
                now = f"127.0.0.1:{member.port}"
                if net != "3":  # customer service is not checked: there is no other one
                    here[was + checks.format(port + 1000)] = now + checks.format(member.operations_port)
                here[was] = now
        if self.kind == "nginx":
            here |= {
                "/etc/ssl/tunnus/id.energy.example.key": pem,
                "/etc/ssl/tunnus/registration.energy.example.key": pem,
                "/etc/ssl/tunnus/customer-service.energy.example.key": pem,
                "/var/log/nginx/tunnus.log": str(self.log),
                "/var/log/nginx/tunnus-error.log": str(self.folder / "error.log"),
            }
        return here


def rendered(sample: str, places: Mapping[str, str]) -> str:
    """A sample of deploy/ with each place put in; it must stand there."""
    text = (SAMPLES / sample).read_text()
    for was, here in places.items():
        assert was in text, f"{was} does not stand in deploy/{sample}"
        text = text.replace(was, here)
    return text


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
