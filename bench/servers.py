"""Servers that the broker could run on (docs/decisions/0010-still-waitress.md), each with so many threads.

All but waitress are to be installed by whoever wants to compare: `pip install granian cheroot gunicorn`. Those whose
threads are not Python's want `--os-threads`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

Serve = Callable[[Any, int, int], None]
SUBJECT = "TUNNUS_BENCH_SUBJECT"
"""For granian, whose worker makes its application itself: subject and file, as JSON."""


def _waitress(app: Any, port: int, threads: int) -> None:
    from waitress import serve

    # As kit.serving.server has it.
    options = {"threads": threads, "connection_limit": 1000, "ident": None, "asyncore_use_poll": True}
    serve(app, host="127.0.0.1", port=port, _quiet=True, **options)


def _cheroot(app: Any, port: int, threads: int) -> None:
    import_module("cheroot.wsgi").Server(
        ("127.0.0.1", port), app, numthreads=threads, max=threads, request_queue_size=128
    ).safe_start()


def _gunicorn(app: Any, port: int, threads: int, worker: str = "gthread") -> None:
    class Bench(import_module("gunicorn.app.base").BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"127.0.0.1:{port}",
                "workers": 1,
                "threads": threads,
                "worker_class": worker,
                "control_socket_disable": True,
                "keepalive": 60,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    Bench().run()


def _granian(_app: Any, port: int, threads: int) -> None:
    os.environ[SUBJECT] = json.dumps(sys.argv[1:3])
    import_module("granian").Granian(
        "bench.servers:made",
        address="127.0.0.1",
        port=port,
        interface="wsgi",
        blocking_threads=threads,
        factory=True,
        log_access=False,
    ).serve()


def made() -> Any:
    """The application of the subject that the environment names."""
    from pathlib import Path

    from bench.process import application

    subject, file = json.loads(os.environ[SUBJECT])
    return application(subject, Path(file))[0]


SERVERS: Mapping[str, Serve] = {
    "waitress": _waitress,
    "cheroot": _cheroot,
    "gunicorn": _gunicorn,
    "gunicorn-gevent": partial(_gunicorn, worker="gevent"),
    "granian": _granian,
}
