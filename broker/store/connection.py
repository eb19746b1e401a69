"""A client for the configured store: one server, the primary of a Sentinel set, or a Cluster.

Nothing is asked before the client is used: a store that is away stops no broker from starting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

if TYPE_CHECKING:
    from broker.settings.store import StoreAccess, StoreSettings

Client = Any
"""redis.Redis or RedisCluster; redis-py types the two too differently for one useful annotation."""


def connect(store: StoreSettings) -> Client:
    """A client for a store.

    A command is never sent twice by itself: the caller cannot know whether the first one took effect.
    """
    times = {"socket_timeout": store.timeout, "socket_connect_timeout": store.timeout}
    options: dict[str, Any] = {
        **times,
        **_access(store),
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": False,
    }
    if store.sentinel is not None:
        sentinel = store.sentinel
        sentinels = Sentinel(sentinel.addresses, sentinel_kwargs={**times, **_access(sentinel), "ssl": sentinel.tls})
        return sentinels.master_for(sentinel.service, db=store.database, ssl=store.tls, **options)
    if store.cluster:
        return _LazyCluster(lambda: _cluster(store, options))
    return redis.Redis.from_url(str(store.url), **options)


def _access(access: StoreAccess) -> dict[str, Any]:
    """Who we are there, and how its certificate is checked, as redis-py calls it."""
    wanted = {
        "username": access.username,
        "password": access.password,
        "ssl_ca_certs": access.ca_file,
        "ssl_certfile": access.certificate_file,
        "ssl_keyfile": access.key_file,
    }
    return {name: str(value) for name, value in wanted.items() if value is not None}


def _cluster(store: StoreSettings, options: dict[str, Any]) -> Any:
    url = str(store.url)
    read = redis.Redis.from_url(url).connection_pool.connection_kwargs
    first = ClusterNode(read.pop("host"), read.pop("port"))
    nodes = [first, *(ClusterNode(host, port) for host, port in store.node_addresses)]
    try:
        return RedisCluster(startup_nodes=nodes, ssl=url.startswith("rediss:"), **(read | options))
    except RedisClusterException as error:  # no RedisError, though it says the same: none of the nodes answers
        raise redis.ConnectionError("no node of the cluster answers") from error


class _LazyCluster:
    """A RedisCluster that is made when it is first used, since to make one is to ask its nodes."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)

    def close(self) -> None:
        """Close what was opened."""
        if self._made is not None:
            self._made.close()
