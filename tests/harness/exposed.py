"""The metrics that both services expose, by name, as a fresh process of each has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from prometheus_client import CollectorRegistry

from broker.app import create_app as create_broker
from broker.settings import Settings as BrokerSettings
from registration.app import create_app as create_registration
from registration.key_folder import make_keys
from registration.settings import Settings as RegistrationSettings
from tests.harness.broker_pages import SETTINGS as OF_BROKER
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
    """The broker and registration, as they are after a start. folder: for registration's keys and database."""
    make_keys(folder / "keys", 0)
    files = {
        "keys": {"dir": str(folder / "keys")},
        "database": {"url": f"sqlite:///{folder / 'none.sqlite'}"},
        "terms": {"dir": str(ROOT / "config" / "terms"), "version": "2026-11-01"},
    }
    store = {"store": {"url": f"unix://{folder / 'none.sock'}"}, "keys": {"dir": str(broker_keys)}}
    return {
        "broker": create_broker(BrokerSettings.model_validate(OF_BROKER | store)),
        "registration": create_registration(RegistrationSettings.model_validate(OF_REGISTRATION | files)),
    }


def exposed_metrics(services: dict[str, Flask]) -> list[Exposed]:
    """Every metric of the broker and of registration."""
    registries = {
        "broker": services["broker"].extensions["tunnus"].metrics.registry,
        "registration": services["registration"].extensions["metrics"].registry,
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
