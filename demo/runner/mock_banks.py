"""Telling the mock banks what comes next, by their control API."""

from __future__ import annotations

from typing import Any

import requests


class MockBanks:
    """The control API of one mock. base: its address."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session = requests.Session()
        self._session.trust_env = False

    def personas(self) -> list[dict[str, Any]]:
        """The persons that can be identified."""
        answer: list[dict[str, Any]] = self._get("personas")["personas"]
        return answer

    def people(self) -> list[dict[str, Any]]:
        """The persons who can be identified through any provider, and have both names."""
        usual = [p for p in self.personas() if p["expected_code"] is None and len(p["providers"]) > 1]
        return [p for p in usual if p["given_name"] and p["family_name"]]

    def next(self, provider: str, **outcome: Any) -> None:
        """Enqueue the next outcome at a provider (`*` for any): `persona="…"`, `outcome="cancel"`, `faults=["…"]`."""
        answer = self._session.post(f"{self._base}/control/next", json={"provider": provider, **outcome}, timeout=10)
        if not answer.ok:
            raise ValueError(f"the mock banks refused: {answer.text[:300]}")

    def made_adult(self) -> dict[str, Any]:
        """A made-up adult of the test range."""
        answer = self._session.post(f"{self._base}/control/adults", timeout=10)
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    def requests(self) -> list[dict[str, Any]]:
        """What relying parties sent, and which rules it broke."""
        sent: list[dict[str, Any]] = self._get("requests")["requests"]
        return sent

    def clear(self) -> None:
        """Forget what was enqueued and what was sent, and nothing else."""
        for what in ("next", "requests"):
            self._session.delete(f"{self._base}/control/{what}", timeout=10).raise_for_status()

    def reset(self) -> None:
        """Forget what was enqueued and what was sent; the clock is right again."""
        self._session.post(f"{self._base}/control/reset", timeout=10).raise_for_status()

    def _get(self, what: str) -> dict[str, Any]:
        answer = self._session.get(f"{self._base}/control/{what}", timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
