"""The table of the collector: which addresses it takes."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kit.audit.settings import CollectorSettings


@pytest.mark.parametrize(
    "url",
    ["syslog+tls://logs.energy.fi", "syslog+udp://[::1]:514", "https://logs.energy.fi/heads?source=tunnus"],
)
def test_what_is_an_address_of_a_collector(url: str) -> None:
    assert CollectorSettings(url=url).url == url


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("syslog://logs.energy.fi", "no URL"),
        ("tcp://logs.energy.fi", "no URL"),
        ("syslog+tls://", "no URL"),
        ("syslog+tls://logs.energy.fi:99999", "no URL"),
        ("syslog+tls://logs.energy.fi:0", "no URL"),
        ("https://user:word@logs.energy.fi/", "no URL"),
        ("https://logs.energy.fi/#x", "no URL"),
        ("https://logs.energy.fi/a b", "no URL"),
        ("syslog+tls://logs.energy.fi/audit", "has a path"),
    ],
)
def test_what_is_none(url: str, wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        CollectorSettings(url=url)


def test_a_header_is_one_line() -> None:
    with pytest.raises(ValidationError):
        CollectorSettings(url="https://logs.energy.fi/", authorization_secret="Bearer x\r\nHost: y")
