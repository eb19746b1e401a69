"""A process that is measured: the floor or the broker, with counters, on one of several servers.

    python -m bench.process floor|broker FILE COUNTS [--server NAME] [--threads N] [--switch-interval SECONDS]

FILE: of the floor what `bench.subjects` wrote, of the broker its configuration. SIGUSR1 writes the counts to COUNTS.
A server that is named has no second port and no orderly end: it is there for its CPU and its times.
"""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from kit.serving import greenlets


def application(subject: str, file: Path) -> tuple[Any, int]:
    """A subject's application, and its port."""
    from bench import floor
    from broker.app import create_app
    from broker.log_fields import FIELDS
    from broker.operations.configuration import load_everything
    from kit import logs

    if subject == "floor":
        told = json.loads(file.read_text())
        return floor.create_app(told), told["port"]
    settings, _ = load_everything(file)
    logs.configure_logging(settings.log.level, FIELDS)
    return create_app(settings), settings.server.port


def _write_by_signal(counts: Counter[str], file: Path) -> None:
    def write(_signal: int, _frame: Any) -> None:
        new = file.with_suffix(".new")
        new.write_text(json.dumps(counts))
        new.replace(file)

    signal.signal(signal.SIGUSR1, write)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("subject", choices=("floor", "broker"))
    parser.add_argument("file", type=Path)
    parser.add_argument("counts", type=Path)
    parser.add_argument("--server", help="instead of the broker's own way")
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--switch-interval", type=float)
    parser.add_argument("--os-threads", action="store_true", help="threads of the system, not greenlets")
    told = parser.parse_args()
    if not told.os_threads:
        greenlets.use()  # before all that is imported here
    from bench.counting import counting
    from bench.servers import SERVERS
    from broker.server import serve

    if told.switch_interval:
        sys.setswitchinterval(told.switch_interval)
    with counting() as counts:
        _write_by_signal(counts, told.counts)
        if told.subject == "broker" and told.server is None:
            serve(told.file)
            return
        app, port = application(told.subject, told.file)
        gc.freeze()  # as kit.serving.process does
        SERVERS[told.server or "waitress"](app, port, told.threads)


if __name__ == "__main__":
    main()
