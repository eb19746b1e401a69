"""What the reverse proxies in front need is the environment's word, unless the configuration has one."""

from __future__ import annotations

import pytest

from kit.settings.proxies import PRODUCTION_DRAIN, drain_seconds, proxies_in_front


@pytest.mark.parametrize(
    ("given", "environment", "seconds"),
    [(None, "production", PRODUCTION_DRAIN), (None, "test", 0), (0, "production", 0), (30, "test", 30)],
)
def test_a_proxy_is_given_time_to_notice_in_production(given: int | None, environment: str, seconds: int) -> None:
    assert drain_seconds(given, environment) == seconds


@pytest.mark.parametrize(
    ("given", "environment", "proxies"), [(None, "production", 1), (None, "test", 0), (2, "test", 2)]
)
def test_there_is_a_proxy_in_front_in_production(given: int | None, environment: str, proxies: int) -> None:
    assert proxies_in_front(given, environment) == proxies
