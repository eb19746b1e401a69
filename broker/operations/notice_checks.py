"""Whether what banks and brokers publish of their state is read: for `/readyz`, `tunnus check` and `tunnus doctor`."""

from __future__ import annotations

from collections.abc import Iterator

from broker.chooser.live_notices import EVERY, LiveNotices, Readers
from broker.settings import Settings
from kit.serving.operations import Check
from providers.dialects import DIALECTS
from providers.engine.bounded import BankUnreachable
from providers.engine.compact import Malformed

_MEND = "let the broker reach it, name its notices_uri, or set notices = false"


def told_of_notices(settings: Settings) -> Iterator[str]:
    """Where the notices of each connection are read, a line for each that could publish some."""
    for name, connection in settings.connections.items():
        if connection.published_at is not None:
            yield f"connections.{name}: what it publishes of its state is read from {connection.published_at}"
        elif DIALECTS[connection.dialect].publishes is not None:
            yield f"connections.{name}: notices = false, what it publishes of its state is not read"


def check_notices(settings: Settings, live: LiveNotices) -> Iterator[Check]:
    """How the readings of a running broker go; nothing is asked of anyone."""
    for name in live.connections:
        age, failure, uri = live.age(name), live.failure(name), settings.connections[name].published_at
        label = f"notices of {name}"
        if failure is not None:
            last = "never read" if age is None else f"last read {age / 60:.0f} minutes ago"
            yield Check(label, "warning", f"{uri} cannot be read ({failure}); {last}", _MEND)
        elif age is None:
            yield Check(label, "ok", f"not read yet, every {EVERY // 60} minutes from the first request on")
        else:
            yield Check(label, "ok", f"read {age / 60:.0f} minutes ago")


def try_notices(settings: Settings, readers: Readers) -> Iterator[Check]:
    """Read the notices of each connection once, for the doctor."""
    for name, read in readers.items():
        label, uri = f"notices of {name}", settings.connections[name].published_at
        try:
            published = read()
        except (BankUnreachable, Malformed) as error:
            yield Check(label, "warning", f"{uri} cannot be read: {error}", _MEND)
        else:
            disturbed = "a disturbance is published" if published.text else "no disturbance is published"
            listed = "" if published.listed is None else f", {len(published.listed)} banks are listed"
            yield Check(label, "ok", f"read from {uri}: {disturbed}{listed}")
