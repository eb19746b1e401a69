"""What readiness and `tunnus doctor` say of `durable_replicas`, of real servers that do and do not fit it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from broker.operations.configuration import what_a_failover_risks
from broker.operations.durability import check_durability
from broker.settings.store import StoreSettings
from broker.store import connect
from tests.harness.redis_cluster import Cluster
from tests.harness.replicated import Replicated
from tests.harness.sentinels import Sentinels

Store = Replicated | Cluster


@pytest.fixture(scope="module")
def servers() -> Iterator[Replicated]:
    made = Replicated(durable=1)
    made.start()
    yield made
    made.remove()


@pytest.fixture
def primary(servers: Replicated) -> Iterator[redis.Redis]:
    with servers.client(0) as client:
        client.config_set("min-replicas-to-write", 1)
        yield client


def told(store: Store, **changes: Any) -> dict[str, tuple[str, str]]:
    """Each check's state and words."""
    settings = StoreSettings.model_validate(store.settings | changes)
    client = connect(settings)
    try:
        checks = list(check_durability(client, settings))
    finally:
        client.close()
    assert all(check.mend for check in checks if check.state != "ok")
    return {check.name: (check.state, check.said) for check in checks}


@pytest.mark.usefixtures("primary")
def test_a_primary_that_demands_its_replica_is_well(servers: Replicated) -> None:
    assert told(servers) == {"store durability": ("ok", "1 replicas confirm what is taken, 1 follow")}


def test_a_primary_that_demands_too_few_is_not_ready(servers: Replicated, primary: redis.Redis) -> None:
    primary.config_set("min-replicas-to-write", 0)
    state, said = told(servers)["store durability"]
    assert (state, "min-replicas-to-write is lower" in said) == ("failed", True)


@pytest.mark.usefixtures("primary")
def test_too_few_replicas_are_not_ready(servers: Replicated) -> None:
    state, said = told(servers, durable_replicas=2)["store durability"]
    assert (state, said.startswith("1 replicas follow")) == ("failed", True)


def test_a_user_that_may_not_read_the_configuration_is_a_warning(servers: Replicated, primary: redis.Redis) -> None:
    primary.acl_setuser("reader", enabled=True, passwords=["+reads"], keys=["*"], commands=["+@all", "-config|get"])
    changes = {"username": "reader", "password": "reads"}
    assert told(servers, **changes)["store durability"][0] == "warning"


def test_a_server_that_tells_no_replication_id_is_a_warning(servers: Replicated, primary: redis.Redis) -> None:
    class Silent:
        """As a managed service may be."""

        def info(self, section: str) -> dict[str, Any]:
            return {name: value for name, value in primary.info(section).items() if name != "master_replid"}

        def config_get(self, name: str) -> Any:
            return primary.config_get(name)

    settings = StoreSettings.model_validate(servers.settings)
    states = {check.name: check.state for check in check_durability(Silent(), settings)}
    assert states == {"store history": "warning", "store durability": "ok"}


def test_a_store_that_is_away_is_told(servers: Replicated) -> None:
    assert told(servers, url="redis://127.0.0.1:9/0")["store durability"][0] == "failed"


@pytest.mark.usefixtures("primary")
def test_where_nothing_is_demanded_that_is_said(servers: Replicated) -> None:
    assert told(servers, durable_replicas=0)["store durability"][0] == "ok"


@pytest.mark.smoke
def test_a_replica_that_may_be_promoted_unasked_is_a_warning_by_sentinels() -> None:
    servers = Sentinels(replicas=2, durable=1)
    try:
        servers.start()
        assert told(servers)["store promotion"][0] == "warning"
        assert "store promotion" not in told(servers, durable_replicas=2)
        servers.kill(2)  # it is known to them all the same, and may come back as the one that lags behind
        assert told(servers)["store promotion"][0] == "warning"
    finally:
        servers.remove()


@pytest.mark.smoke
def test_each_primary_of_a_cluster_is_asked() -> None:
    servers = Cluster(replicas=1, durable=1)
    try:
        servers.start()
        assert told(servers) == {"store durability": ("ok", "1 replicas confirm what is taken, 1 follow")}
        with servers.client(2) as client:
            client.config_set("min-replicas-to-write", 0)
        assert told(servers)["store durability"][0] == "failed"
    finally:
        servers.remove()


SENTINEL = {"sentinel": {"hosts": ["a:1"], "service": "x"}}


@pytest.mark.parametrize(
    ("store", "risk"),
    [
        (SENTINEL, "= 0: a failover can forget"),
        ({"url": "redis://a:1", "cluster": True}, "= 0: a failover can forget"),
        (SENTINEL | {"durable_replicas": 2}, "= 2: nothing is given before so many replicas confirm"),
        ({"url": "redis://a:1", "durable_replicas": 1}, "= 1: nothing is given"),
    ],
)
def test_check_says_what_the_choice_risks(store: dict[str, Any], risk: str) -> None:
    (said,) = what_a_failover_risks(StoreSettings.model_validate(store))
    assert risk in said


def test_check_says_nothing_of_a_store_that_cannot_fail_over() -> None:
    assert not list(what_a_failover_risks(StoreSettings(url="redis://a:1")))
