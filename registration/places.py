"""How many threads may do a thing at the same time, and how many do."""

from __future__ import annotations

from threading import BoundedSemaphore


class Places(BoundedSemaphore):
    """A semaphore that tells how much of it is taken. most: places there are."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    @property
    def taken(self) -> int:
        """Places that are held now."""
        return self.most - self._value
