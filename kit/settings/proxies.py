"""The reverse proxies in front: how many add to X-Forwarded-For, and how long they need to notice that we end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from kit.settings.report import Problem

Proxies = Annotated[int, Field(ge=0, le=5)] | None
"""None: as many as the environment needs at least (`proxies_in_front`)."""

Drain = Annotated[int, Field(ge=0, le=120)] | None
"""Seconds from SIGTERM until no connection is accepted any more. None: as the environment needs (`drain_seconds`)."""
PRODUCTION_DRAIN = 5


def drain_seconds(given: int | None, environment: str) -> int:
    """As the configuration says; without a word enough for a proxy in production, none in a test."""
    return (PRODUCTION_DRAIN if environment == "production" else 0) if given is None else given


def proxies_in_front(given: int | None, environment: str) -> int:
    """As many as the configuration says; without a word one in production, none in a test.

    Production is reached by https, and the servers here speak none: there is always a proxy in front.
    """
    return (environment == "production") if given is None else given


def without_proxies(settings: Any) -> Iterator[Problem]:
    """What is wrong with none in production."""
    if settings.server.trusted_proxies == 0:
        wrong = "would take the proxy's address for everybody's, and count all wrong tries as one person's"
        mend = "say how many proxies in front add to X-Forwarded-For: mostly 1"
        yield Problem(("server", "trusted_proxies"), wrong, "0", mend=mend)
