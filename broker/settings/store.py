"""The table `store` of the configuration file: where Redis or Valkey is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, model_validator
from redis import Connection, RedisError
from redis.connection import parse_url

from kit.settings.report import refusal
from kit.settings.types import (
    AtLeastOne,
    CertificatesFile,
    ExistingFile,
    Line,
    NoneTwice,
    Section,
    holds_certificates,
    is_certificate_of,
    resolve,
)

HostAndPort = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]+:[0-9]{1,5}$")]
_STORE_SCHEMES = {"valkey": "redis", "valkeys": "rediss"}
"""Other words for what we know, to ours."""


_OURS = frozenset({"decode_responses", "encoding", "encoding_errors", "retry", "retry_on_timeout", "retry_on_error"})
"""Options that the broker sets: its answers are bytes, and it never sends a command twice."""
_FILES_OF_TLS = re.compile(r"(?<=[?&])(ssl_ca_certs|ssl_ca_path|ssl_certfile|ssl_keyfile)=([^&]+)")


def _store_url(value: str, info: ValidationInfo) -> str:
    """A store's URL; a relative path of a certificate in it counts from the configuration file."""
    scheme, separator, rest = value.partition("://")
    if scheme in _STORE_SCHEMES:
        ours = _STORE_SCHEMES[scheme]
        raise refusal(f"begins with {scheme}://", allowed=STORE_URLS, mend=f"write {ours}:// in its place")
    if scheme not in {"redis", "rediss", "unix"} or not separator or not rest or re.search(r"\s", value):
        raise refusal("has characters or a form that is not allowed for a store", allowed=STORE_URLS, mend="mend it")
    if scheme == "unix" and not rest.rpartition("@")[2].startswith("/"):
        raise refusal("names no socket by its whole path", allowed=STORE_URLS, mend="write unix:///path: three slashes")
    value = _FILES_OF_TLS.sub(lambda found: f"{found[1]}={quote(str(resolve(Path(unquote(found[2])), info)))}", value)
    wrong = _unusable(value)
    if wrong is not None:
        raise refusal(wrong, allowed=STORE_URLS, mend="mend it, or write it as keys of this table")
    return value


def _unusable(url: str) -> str | None:
    """Why a connection to a store cannot be made of its URL; None if it can. Nobody is asked."""
    try:
        options = parse_url(url)
        parts = urlsplit(url)
        if parts.scheme != "unix" and not re.fullmatch(r"/?|/[0-9]{1,5}/?", parts.path):
            return "names no database by its number"
        if ours := options.keys() & _OURS:
            return f"sets {', '.join(sorted(ours))}, which is not its to set"
        for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
            if name in options and not Path(options[name]).is_file():
                return f"names a file by {name} that is not there"
        if "ssl_ca_certs" in options and not holds_certificates(Path(options["ssl_ca_certs"])):
            return "names a file by ssl_ca_certs that holds no certificate in PEM"
        options.pop("connection_class", Connection)(**options)
    except (ValueError, TypeError, RedisError):
        return "has a host, a port or an option that cannot be"
    return None


STORE_URLS = "redis://host:port/0, rediss://host:port/0 (TLS), unix:///path"
StoreUrl = Annotated[str, AfterValidator(_store_url)]


class StoreAccess(Section):
    """Who we are at a server, and how we know it. ca_file: of who signed its certificate, the system's if None.

    certificate_file, key_file: ours, where the server wants one. tls: where no URL says it.
    """

    username: Line | None = None
    password: Line | None = None
    tls: bool = False
    ca_file: CertificatesFile | None = None
    certificate_file: ExistingFile | None = None
    key_file: ExistingFile | None = None

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if self.certificate_file is None:
            if self.key_file is not None:
                raise refusal("key_file is never used", mend="name its certificate_file too, or remove it")
        elif not is_certificate_of(self.certificate_file, self.key_file):
            wrong = "certificate_file and key_file are no certificate and its key, in PEM and without a password"
            raise refusal(wrong, mend="name the two that were made together; leave key_file out where one holds both")
        return self


class SentinelSettings(StoreAccess):
    """A Sentinel set. hosts: `host:port` of each Sentinel. service: the name of the primary."""

    hosts: Annotated[tuple[HostAndPort, ...], AtLeastOne, NoneTwice]
    service: Line

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each Sentinel."""
        return _addresses(self.hosts)


class StoreSettings(StoreAccess):
    """Redis or Valkey: a URL (redis, rediss, unix), or Sentinels. timeout: seconds to connect and to answer.

    cluster: url is a node of a Cluster; nodes: others, to begin with where that one is down. database: by number.
    durable_replicas: how many replicas must confirm that a one-time thing was taken; durable_timeout: seconds for it.
    """

    url: StoreUrl | None = None
    sentinel: SentinelSettings | None = None
    cluster: bool = False
    nodes: Annotated[tuple[HostAndPort, ...], NoneTwice] = ()
    database: Annotated[int, Field(ge=0, le=65535)] = 0
    timeout: Annotated[float, Field(ge=0.1, le=30)] = 2.0
    durable_replicas: Annotated[int, Field(ge=0, le=20)] = 0
    durable_timeout: Annotated[float, Field(ge=0.01, le=10)] = 1.0

    @property
    def node_addresses(self) -> list[tuple[str, int]]:
        """Host and port of each further node."""
        return _addresses(self.nodes)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.sentinel is None):
            raise refusal("needs exactly one way to the store", allowed="url, or a [store.sentinel] table")
        if self.cluster and (self.url is None or self.url.startswith("unix:")):
            raise refusal("a cluster needs a url with a host", mend="set url to one node, as redis://host:port")
        if self.nodes and not self.cluster:
            raise refusal("nodes are of a cluster", mend="set cluster = true, or remove nodes")
        if self.durable_replicas and self.durable_timeout >= self.timeout:
            raise refusal("durable_timeout leaves no time for an answer", mend="set it lower than timeout")
        return self

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.url is None:
            return self
        if self.tls:
            raise refusal("tls stands in the url", mend="write rediss:// there, and remove tls")
        if self.database:
            raise refusal("the database stands in the url", mend="write redis://host:port/NUMBER, and remove database")
        if (self.username or self.password) and "@" in self.url:
            raise refusal("the url has a user or password of its own", mend="remove it there, or the keys here")
        if any((self.ca_file, self.certificate_file, self.key_file)) and not self.url.startswith("rediss:"):
            raise refusal("has certificates and no TLS", mend="write rediss:// in url, or remove them")
        return self


def _addresses(hosts: tuple[str, ...]) -> list[tuple[str, int]]:
    pairs = (host.rsplit(":", 1) for host in hosts)
    return [(name, int(port)) for name, port in pairs]
