"""A process with greenlets, whose disk waits for a line on standard input. Started by test_greenlets.py."""

from __future__ import annotations

from kit.serving import greenlets

greenlets.use()

# isort: split
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from broker.audit import AuditTrail, AuditUnavailable  # noqa: E402

FAILS = "the disk fails\n"
syncing: list[None] = []


def sync(_descriptor: int) -> None:
    """As a disk that answers late: it waits in the system, where no greenlet gives way. Raises OSError if told to."""
    syncing.append(None)
    if os.read(0, 100) == FAILS.encode():
        raise OSError(5, "the disk failed")


def main(folder: str) -> None:
    """Say whose turn it is while a record waits for the disk, and then what came of it."""
    trail = AuditTrail(Path(folder), time.time, sync=sync)

    def record() -> None:
        try:
            trail.record("handed_over", txn="t", client="portal")
        except AuditUnavailable:
            print("refused", flush=True)
        else:
            print("on the disk", flush=True)

    recording = threading.Thread(target=record)
    recording.start()
    while not syncing:
        time.sleep(0)  # the others' turn
    print("others go on", flush=True)
    recording.join()


if __name__ == "__main__":
    main(sys.argv[1])
