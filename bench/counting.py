"""Counters around what should not happen in steady state. Used by `bench.process`, and by tests, which hold them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from joserfc.jwk import ECKey, RSAKey
from urllib3.connection import HTTPConnection

from providers.engine import jwks

KEYS_PARSED = "private keys parsed"
JWKS_FETCHED = "JWKS fetched"
CONNECTIONS = "bank connections"
THREADS = "threads started"


def _always(_result: Any) -> bool:
    return True


COUNTED: tuple[tuple[Any, str, str, Callable[[Any], bool]], ...] = (
    (RSAKey, "import_key", KEYS_PARSED, lambda key: bool(key.is_private)),
    (ECKey, "import_key", KEYS_PARSED, lambda key: bool(key.is_private)),
    (jwks.BankKeys, "_verified", JWKS_FETCHED, _always),
    (HTTPConnection, "connect", CONNECTIONS, _always),
    (threading.Thread, "start", THREADS, _always),
)
"""Owner and name of what is called, what it counts as, and whether a result counts."""


@contextmanager
def counting(matters_here: Callable[[], bool] = lambda: True) -> Iterator[Counter[str]]:
    """Count in the block. matters_here: whether what the current thread does counts; else that of every one does."""
    counts: Counter[str] = Counter()
    with ExitStack() as patched:
        for owner, name, what, matters in COUNTED:
            patched.enter_context(
                patch.object(owner, name, _counted(counts, getattr(owner, name), what, matters, matters_here))
            )
        yield counts


def _counted(
    counts: Counter[str], method: Any, what: str, matters: Callable[[Any], bool], matters_here: Callable[[], bool]
) -> Any:
    def wrapper(*arguments: Any, **options: Any) -> Any:
        result = method(*arguments, **options)
        if matters_here() and matters(result):
            counts[what] += 1
        return result

    return staticmethod(wrapper) if hasattr(method, "__self__") else wrapper
