"""Where a subject's CPU goes, by package: each millisecond of CPU counts for the package of the innermost frame.

    python -m bench.profile floor|broker FILE OUT

A frame of the standard library, or of C code, counts for whoever called it. The application is served in one thread,
the main one, since a signal's handler runs there and nowhere else: it then sees the very frame that spent the CPU,
where a thread that looks at others sees where they let go of the interpreter. SIGTERM writes the counts to OUT.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
import sysconfig
from collections import Counter, deque
from pathlib import Path
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from bench.process import application

EVERY = 0.001
"""Seconds of CPU between two samples."""
ROOT = Path(__file__).resolve().parent.parent
LIBRARIES, OURS = sysconfig.get_path("purelib") + "/", f"{ROOT}/"


def package(path: str) -> str | None:
    """The top-level package of a file: one of the libraries or of ours (`broker/store`); None for any other."""
    if path.startswith(LIBRARIES):
        return path.removeprefix(LIBRARIES).partition("/")[0].removesuffix(".py")
    if path.startswith(OURS):
        parts = path.removeprefix(OURS).split("/")
        return "/".join(parts[:2]) if len(parts) > 2 else parts[0]
    return None


def package_of(frame: FrameType | None) -> str:
    """What a sample counts for."""
    while frame is not None:
        found = package(frame.f_code.co_filename)
        if found is not None:
            return found
        frame = frame.f_back
    return "python"


class InThisThread:
    """What waitress gives its tasks to; they are done between two turns of its loop. Waitress's name: a dispatcher."""

    def __init__(self) -> None:
        self.tasks: deque[Any] = deque()

    def add_task(self, task: Any) -> None:
        """Keep it until the next turn."""
        self.tasks.append(task)

    def run(self, sockets: dict[int, Any]) -> None:
        """Take turns with the loop of so many sockets, without end."""
        while True:
            wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)
            while self.tasks:
                self.tasks.popleft().service()


def main() -> None:
    """Serve, and count, until SIGTERM."""
    subject, file, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    app, port = application(subject, file)
    samples: Counter[str] = Counter()

    def sample(_signal: int, frame: FrameType | None) -> None:
        samples[package_of(frame)] += 1

    def end(_signal: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write_text(json.dumps(samples))
        raise SystemExit

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGPROF, sample)
    sockets: dict[int, Any] = {}
    here = InThisThread()
    create_server(app, host="127.0.0.1", port=port, ident=None, map=sockets, _dispatcher=here)
    gc.freeze()
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    here.run(sockets)


if __name__ == "__main__":
    main()
