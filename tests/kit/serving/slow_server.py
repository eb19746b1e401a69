"""A server whose answers wait for a line on standard input. Started by test_server.py: python -m … PORT."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from flask import Flask

from kit.serving.ending import Ending
from kit.serving.server import listen

THREADS, REQUESTS = 2, 4

app = Flask("slow")
released = threading.Event()


@app.get("/")
def slow() -> str:
    released.wait(600)
    return "x" * 100_000


def release() -> None:
    sys.stdin.readline()
    released.set()


def main(port: int) -> None:
    """Say when the threads are taken and the other requests wait for one; then wait for SIGTERM."""
    ending = Ending()
    server = listen(app, Path("a.toml"), ending, host="127.0.0.1", port=port, threads=THREADS)
    ending.ask_by_signal()
    server.start("public-port")
    print("ready", flush=True)
    while len(server._waitress.task_dispatcher.queue) < REQUESTS - THREADS:
        time.sleep(0.01)
    print("waiting", flush=True)
    ending.wait(60)
    threading.Thread(target=release, daemon=True).start()
    print("ending", flush=True)
    server.drain(0, 600)


if __name__ == "__main__":
    main(int(sys.argv[1]))
