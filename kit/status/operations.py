"""The second port of a service that holds its keys in a folder, with its status page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flask import Flask

from kit.keys.checks import check_folder
from kit.keys.watch import WatchedKeys, ages
from kit.serving.operations import Check, RequestMetrics, create_operations_app
from kit.settings.service import ServiceSettings
from kit.status.page import Status, Used, add_status_page


def create_service_operations(
    name: str,
    settings: ServiceSettings,
    keys: WatchedKeys,
    rotate_every: Mapping[str, int],
    clock: Callable[[], float],
    metrics: RequestMetrics,
    checks: Callable[[], Iterable[Check]],
    used: Callable[[], dict[str, Sequence[Used]]],
) -> Flask:
    """The application of the second port. name: for people, and with hyphens of the command.

    rotate_every: days, by purpose. metrics: those that requests are counted in. checks: besides those of the
    configuration and the keys. used: what the status page shows besides limits, by heading.
    """
    metrics.watch_keys(lambda: ages(keys.status(), rotate_every, clock()))

    def every_check() -> Iterator[Check]:
        yield Check("configuration", "ok", f"environment {settings.environment}")
        yield from check_folder(keys, clock(), rotate_every, f"tunnus-{name.lower().replace(' ', '-')} keys")
        yield from checks()

    def status() -> Status:
        limits = [Used(limit.replace("_", " "), now, most) for limit, now, most in metrics.limits()]
        return Status(keys.status(), rotate_every, used() | {"Queues and limits": limits})

    app = create_operations_app(every_check, metrics)
    add_status_page(
        app,
        service=name,
        brand=settings.brand.name.en,
        environment=settings.environment,
        clock=clock,
        checks=every_check,
        status=status,
    )
    return app
