"""What the second port tells: whether customer service can work, and what the operator counts."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from prometheus_client import Gauge

from customer_service.service import Service
from kit.keys.checks import check_folder
from kit.keys.watch import ages
from kit.serving.operations import Check, RequestMetrics, create_operations_app
from kit.status.page import Status, Used, add_status_page


def create_app(service: Service, metrics: RequestMetrics) -> Flask:
    """The application of the second port; metrics: those that requests are counted in."""
    signed_in = Gauge("tunnus_staff_sessions", "Sessions of staff in this process.", registry=metrics.registry)
    signed_in.set_function(lambda: len(service.sessions))
    every = service.settings.keys.rotate_every
    metrics.watch_keys(lambda: ages(service.keys.status(), every, service.now))

    def checks() -> Iterator[Check]:
        yield Check("configuration", "ok", f"environment {service.settings.environment}")
        yield from check_folder(service.keys, service.now, every, "tunnus-customer-service keys")

    def status() -> Status:
        sessions = [Used("sessions of staff", len(service.sessions))]
        limits = [Used(name.replace("_", " "), used, most) for name, used, most in metrics.limits()]
        return Status(service.keys.status(), every, {"Sessions": sessions, "Queues and limits": limits})

    app = create_operations_app(checks, metrics)
    add_status_page(
        app,
        service="Customer service",
        brand=service.settings.brand.name.en,
        environment=service.settings.environment,
        clock=service.clock,
        checks=checks,
        status=status,
    )
    return app
