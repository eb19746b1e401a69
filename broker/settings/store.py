"""The table `store` of the configuration file: where Redis or Valkey is."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from kit.settings.report import refusal
from kit.settings.types import AtLeastOne, Line, NoneTwice, Section

HostAndPort = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]+:[0-9]{1,5}$")]
_STORE_SCHEMES = {"valkey": "redis", "valkeys": "rediss"}
"""Other words for what we know, to ours."""


def _store_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme in _STORE_SCHEMES:
        ours = _STORE_SCHEMES[scheme]
        raise refusal(f"begins with {scheme}://", allowed=STORE_URLS, mend=f"write {ours}:// in its place")
    if scheme not in {"redis", "rediss", "unix"} or not separator or not rest or re.search(r"\s", value):
        raise refusal("has characters or a form that is not allowed for a store", allowed=STORE_URLS, mend="mend it")
    return value


STORE_URLS = "redis://host:port/0, rediss://host:port/0 (TLS), unix:///path"
StoreUrl = Annotated[str, AfterValidator(_store_url)]


class SentinelSettings(Section):
    """A Sentinel set. hosts: `host:port` of each Sentinel. service: the name of the primary."""

    hosts: Annotated[tuple[HostAndPort, ...], AtLeastOne, NoneTwice]
    service: Line

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each Sentinel."""
        pairs = (host.rsplit(":", 1) for host in self.hosts)
        return [(name, int(port)) for name, port in pairs]


class StoreSettings(Section):
    """Redis or Valkey: a URL (redis, rediss, unix), or Sentinels. timeout: seconds to connect and to answer."""

    url: StoreUrl | None = None
    sentinel: SentinelSettings | None = None
    cluster: bool = False
    timeout: Annotated[float, Field(ge=0.1, le=30)] = 2.0

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.sentinel is None):
            raise refusal("needs exactly one way to the store", allowed="url, or a [store.sentinel] table")
        if self.cluster and (self.url is None or self.url.startswith("unix:")):
            raise refusal("a cluster needs a url with a host", mend="set url to one node, as redis://host:port")
        return self
