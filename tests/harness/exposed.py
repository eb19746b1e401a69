"""The metrics that services expose, by name, as a fresh process of each has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from prometheus_client import CollectorRegistry

from broker.app import create_app as create_broker
from broker.settings import Settings as BrokerSettings
from customer_service.app import create_app as create_customer_service
from customer_service.keys import PURPOSES
from customer_service.settings import Settings as CustomerServiceSettings
from kit.keys.rotation import Rotation
from registration.app import create_app as create_registration
from registration.settings import Settings as RegistrationSettings
from tests.harness.broker_pages import SETTINGS as OF_BROKER
from tests.harness.customer_service import BRAND, ROLES
from tests.harness.registration_keys import make_keys
from tests.harness.registration_pages import SETTINGS as OF_REGISTRATION

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Exposed:
    """A metric. name: as documented. series: the names of its time series. services: that have it."""

    name: str
    series: frozenset[str]
    labels: frozenset[str]
    services: frozenset[str]


def fresh_services(broker_keys: Path, folder: Path) -> dict[str, Flask]:
    """Each service by its name as a job of Prometheus, as it is after a start. folder: for keys and a database."""
    make_keys(folder / "keys", 0)
    files = {
        "keys": {"dir": str(folder / "keys")},
        "database": {"url": f"sqlite:///{folder / 'none.sqlite'}"},
        "terms": {"dir": str(ROOT / "config" / "terms"), "version": "2026-11-01"},
    }
    store = {"store": {"url": f"unix://{folder / 'none.sock'}"}, "keys": {"dir": str(broker_keys)}}
    Rotation(folder / "staff-keys", PURPOSES).init(0)
    pages = {
        "environment": "test",
        "url": "http://127.0.0.1:8005",
        "keys": {"dir": str(folder / "staff-keys")},
        "brand": BRAND,
        "sign_in": {"issuer": "http://127.0.0.1:8006", "roles": ROLES},
        "registration": {"url": "http://127.0.0.1:8001"},
    }
    return {
        "broker": create_broker(BrokerSettings.model_validate(OF_BROKER | store)),
        "registration": create_registration(RegistrationSettings.model_validate(OF_REGISTRATION | files)),
        "customer-service": create_customer_service(CustomerServiceSettings.model_validate(pages)),
    }


def exposed_metrics(services: dict[str, Flask]) -> list[Exposed]:
    """Every metric of every service."""
    registries = {
        "broker": services["broker"].extensions["tunnus"].metrics.registry,
        "registration": services["registration"].extensions["metrics"].registry,
        "customer-service": services["customer-service"].extensions["metrics"].registry,
    }
    found: dict[str, Exposed] = {}
    for service, registry in registries.items():
        for metric in _metrics_of(registry, service):
            before = found.get(metric.name)
            if before is not None:
                assert (before.series, before.labels) == (metric.series, metric.labels)
                metric = Exposed(metric.name, metric.series, metric.labels, before.services | metric.services)
            found[metric.name] = metric
    return list(found.values())


def _metrics_of(registry: CollectorRegistry, service: str) -> list[Exposed]:
    found = []
    for family in registry.collect():
        collector = registry._names_to_collectors.get(family.name)
        own = {name for sample in family.samples for name in sample.labels}
        labels = frozenset(getattr(collector, "_labelnames", own)) - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        ends = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
        found.append(Exposed(name, frozenset(name + end for end in ends), labels, frozenset({service})))
    return found
