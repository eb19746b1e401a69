"""What the kernel tells of a process (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Seconds that the threads of a process and of its children have run, to the nanosecond."""
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    own = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return own + sum(map(cpu_seconds, children))


def resident(pid: int) -> float:
    """MiB of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
