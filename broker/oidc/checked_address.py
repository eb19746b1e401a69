"""HTTPS to a client's host whose address was looked at first (`kit/checked_address.py`), bounded in time."""

from __future__ import annotations

from typing import Any

from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.util.connection import create_connection

from kit.checked_address import Connect, Resolve, checked, resolve
from kit.settings.hosts import Kind
from providers.engine.watched import BankAdapter, Watched


class CheckedAdapter(BankAdapter):
    """A `requests` adapter over such connections, https only. allowed: the kinds of address that are connected to.

    resolve, connect: tests put theirs here.
    """

    def __init__(
        self, allowed: frozenset[Kind], *, resolve: Resolve = resolve, connect: Connect = create_connection
    ) -> None:
        self._connection = type("_Checked", (Watched, checked(HTTPSConnection, allowed, resolve, connect)), {})
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See HTTPAdapter."""
        super().init_poolmanager(*args, **kwargs)
        pool = type("_CheckedPool", (HTTPSConnectionPool,), {"ConnectionCls": self._connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pool}
