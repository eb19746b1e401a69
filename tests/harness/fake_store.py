"""A store for the checks of the second port, without a server."""

from __future__ import annotations

from typing import Any

import redis


class FakeStore:
    """A redis-py client that says what a test wants. now: seconds since the epoch."""

    def __init__(self, now: float, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"aof_enabled": 1, "maxmemory_policy": "noeviction"} | answers
        self.time_told: Any = (now, 0)
        self.down = False

    def info(self, section: str) -> dict[str, Any]:
        if self.down:
            raise redis.ConnectionError("no")
        return self.answers

    def time(self) -> Any:
        return self.time_told

    def execute_command(self, *command: Any) -> None:
        """For what is written; see the tests on a real store for what one refuses."""
