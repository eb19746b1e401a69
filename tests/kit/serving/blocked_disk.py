"""A process with greenlets, whose disk waits for a line on standard input, as do the names that it looks up, if any.

Started by test_greenlets.py: python -m … FOLDER LOOKUPS.
"""

from __future__ import annotations

from kit.serving import greenlets

greenlets.use()

# isort: split
import os  # noqa: E402
import select  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402

from broker.audit import AuditTrail, AuditUnavailable  # noqa: E402

FAILS = "the disk fails\n"
syncing, told = os.pipe()


def sync(_descriptor: int) -> None:
    """As a disk that answers late: it waits in the system, where no greenlet gives way. Raises OSError if told to."""
    os.write(told, b".")
    if os.read(0, 100) == FAILS.encode():
        raise OSError(5, "the disk failed")


def main(folder: str, lookups: int) -> None:
    """Say whose turn it is while a record waits for the disk, and then what came of it.

    lookups: names that are looked up meanwhile, of a server that never answers.
    """
    silent, _ = os.pipe()
    for _number in range(lookups):
        gevent.get_hub().threadpool.spawn(os.read, silent, 1)
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
    select.select([syncing], [], [])
    print("others go on", flush=True)
    recording.join()
    sys.stdout.flush()
    os._exit(0)  # the threads of the lookups would be waited for


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
