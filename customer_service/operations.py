"""What the second port tells: whether customer service can work, and what the operator counts."""

from __future__ import annotations

from flask import Flask

from customer_service.service import Service
from kit.serving.operations import RequestMetrics
from kit.status.operations import create_service_operations
from kit.status.page import Used


def create_app(service: Service, metrics: RequestMetrics) -> Flask:
    """The application of the second port; metrics: those that requests are counted in."""
    metrics.watch_number("tunnus_staff_sessions", "Sessions of staff in this process.", lambda: len(service.sessions))
    settings = service.settings
    return create_service_operations(
        "Customer service",
        settings,
        service.keys,
        settings.keys.rotate_every,
        service.clock,
        metrics,
        checks=tuple,
        used=lambda: {"Sessions": [Used("sessions of staff", len(service.sessions))]},
    )
