"""How a process is asked to end: once, in order; twice, at once."""

from __future__ import annotations

import signal
from queue import Empty, SimpleQueue
from types import FrameType


class Ending:
    """Whether a process was asked to end. A queue and no event: `put` of SimpleQueue may interrupt anything."""

    def __init__(self) -> None:
        self._asked = 0
        self._news: SimpleQueue[None] = SimpleQueue()

    @property
    def begun(self) -> bool:
        """It was asked to end."""
        return self._asked > 0

    @property
    def at_once(self) -> bool:
        """It was asked again, and need not finish anything."""
        return self._asked > 1

    def ask(self) -> None:
        """Ask to end."""
        self._asked += 1
        self._news.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait until asked, or asked again; return whether that was so within some seconds."""
        try:
            self._news.get(timeout=seconds)
        except Empty:
            return False
        return True

    def ask_by_signal(self) -> None:
        """Let SIGTERM and SIGINT ask, and SIGHUP, by which a terminal that closes ends its processes.

        For the main thread, before anything is started.
        """

        def asked(_signal: int, _frame: FrameType | None) -> None:
            self.ask()

        signal.signal(signal.SIGTERM, asked)
        signal.signal(signal.SIGINT, asked)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it means nothing
            signal.signal(signal.SIGHUP, asked)
