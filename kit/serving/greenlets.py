"""Greenlets in place of threads: one thread of the system runs Python, and who waits lets the others go on.

Threads cost each other: each time one has waited, for a bank, the store or a client, it must get the interpreter back
from another one. Greenlets, of gevent, hand it over where they wait and nowhere else: when many log in at a time, each
login costs a quarter less (docs/decisions/0012-greenlets.md).

What holds up a thread of the system, such as a disk or a PKCS#11 token, would hold up everybody: it is called by
`beside`.
"""

from __future__ import annotations

from collections.abc import Callable
from select import poll
from typing import Any, ParamSpec, TypeVar

__all__ = ["beside", "poll", "use"]
# `poll` as the system has it, for a look that does not wait: gevent's sees nothing without waiting.

P = ParamSpec("P")
T = TypeVar("T")

LOOKUPS = 64
"""Names of hosts that are looked up at a time, each in a thread of the system."""
BESIDE = 8
"""Calls that may be beside at a time. Of threads of their own, so that no name server holds up a disk."""

_threads: Any = None
"""What runs the calls that are beside; None where there are no greenlets."""


def use() -> None:
    """Let threads, locks, sockets and sleep of the standard library be gevent's, in the whole process.

    To be called before anything imports them, but for this module.
    """
    import gevent
    from gevent import monkey, threadpool

    monkey.patch_all()
    gevent.get_hub().threadpool.maxsize = LOOKUPS
    global _threads
    _threads = threadpool.ThreadPool(BESIDE)


def beside(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What a function gives that waits in the system; other greenlets go on meanwhile. Raises what it raises.

    It is called in another thread of the system: it may use no lock, log or socket.
    """
    if _threads is None:
        return function(*arguments, **named)

    from gevent.util import wrap_errors  # else gevent prints what is raised

    given = _threads.apply(wrap_errors(Exception, function), arguments, named)
    if isinstance(given, Exception):
        raise given
    return given  # type: ignore[no-any-return]
