"""What a request of registration works with: the parts, handed in by `create_app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import BoundedSemaphore

from kit.audit.collector import Collector
from registration.accounts.passwords import Passwords
from registration.backup.erasure_list import ErasureList
from registration.customer_register import CustomerRegister
from registration.database.connection import Database
from registration.flow.broker_client import BrokerClient
from registration.flow.company_check import CompanyCheck
from registration.flow.terms import Terms
from registration.keys import Keys
from registration.pages.rendering import Pages
from registration.settings import Settings


class Places(BoundedSemaphore):
    """How many threads may do a thing at the same time, and how many do. most: places there are."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    @property
    def taken(self) -> int:
        """Places that are held now."""
        return self.most - self._value


@dataclass(frozen=True)
class Service:
    """The parts of a process. clock: seconds since the epoch."""

    settings: Settings
    database: Database
    keys: Keys
    pages: Pages
    passwords: Passwords
    terms: Terms
    broker: BrokerClient
    register: CustomerRegister
    company_check: CompanyCheck
    erasures: ErasureList
    clock: Callable[[], float]
    heads: Collector
    broker_calls: Places
    """Threads that may ask the broker at the same time: one that hangs takes no more."""
    waiters: Places
    """Threads that may wait at the same time for what another one does."""

    @property
    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.clock())
