"""Registration as a process that can be killed, and a person's browser that reaches it behind its public address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from demo.runner.registrant import Page, Registrant
from tests.harness.process import ROOT, START_SECONDS, ServiceProcess, environment

HERE = Path(__file__).parent
AS_IT_IS = (sys.executable, "-m", "registration", "serve", "--config")
KILLABLE = (sys.executable, str(HERE / "launcher.py"), "serve")
SENDER = (sys.executable, str(HERE / "launcher.py"), "send-mail")


class RegistrationProcess(ServiceProcess):
    """Registration as a process."""

    def __init__(self, config: dict[str, Any], folder: Path, command: Sequence[str] = AS_IT_IS) -> None:
        super().__init__(config, folder, command)


def send_mail_once(config: Path, *point: str) -> int:
    """The sender, until nothing is due; returns its exit status. point: where it dies."""
    command = [*SENDER, str(config), *point]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=False, timeout=START_SECONDS)
    return done.returncode


class Behind(HTTPAdapter):
    """Sends what goes to the public address to the processes behind it, in turn, as a proxy would.

    last: the request that was sent last, for a reload. Cookies know hosts and no ports: they stay the browser's.
    """

    def __init__(self, ports: Iterable[int]) -> None:
        super().__init__()
        self._ports = cycle(ports)
        self.last: requests.PreparedRequest | None = None

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        """Send it, and let the answer come from the public address."""
        self.last = request.copy()
        assert request.url is not None
        public = urlsplit(request.url)
        request.url = public._replace(scheme="http", netloc=f"127.0.0.1:{next(self._ports)}").geturl()
        answer = super().send(request, **how)
        answer.url = request.url = public.geturl()
        return answer


class Visitor(Registrant):
    """A person whose browser reaches registration at these ports; it can reload."""

    def behind(self, *ports: int) -> Visitor:
        """The same person, with the processes named to which requests go in turn."""
        self._behind = Behind(ports)
        self.browser.mount(f"{self.registration}/", self._behind)
        return self

    def reload(self) -> Page:
        """Send again what was sent last, with today's cookies, as a browser does; follow redirects to a page."""
        last = self._behind.last
        assert last is not None
        assert last.method is not None
        assert last.url is not None
        headers = {name: value for name, value in last.headers.items() if name == "Content-Type"}
        again = self.browser.request(
            last.method, last.url, data=last.body, headers=headers, allow_redirects=False, timeout=30
        )
        return self._follow(again)
