"""A command to the primary that holds its keys, and WAIT behind it, on one connection.

What has been sent and not answered is never sent again, unless it only reads: nobody knows whether it took effect.
What the server says it has not executed is sent again, to where it points.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from select import POLLIN
from typing import Any
from weakref import WeakKeyDictionary

import hiredis
import redis
from redis.cluster import ClusterNode
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
    TryAgainError,
)

from broker.store.connection import Client
from broker.store.steps import SCRIPT
from kit.serving.greenlets import poll

Command = Sequence[str | bytes | int]

_TRIES = 40
_TRY_AGAIN_AFTER = 0.05
"""Seconds. A slot of a Cluster that is moved key by key has its keys in two places for that long, or longer."""


@dataclass(frozen=True, slots=True)
class Durability:
    """How many replicas must confirm what is taken, and for how many seconds to wait for them."""

    replicas: int = 0
    seconds: float = 1.0


def exchange(
    client: Client,
    name: str,
    command: Command,
    durability: Durability | None = None,
    *,
    only_reads: bool = False,
) -> tuple[Any, int]:
    """Send a command whose keys are all in one slot; return its raw answer, and how many replicas have what it did.

    name: a key of that slot. durability: ask for confirmations; without, their number is 0. only_reads: nothing takes
    effect, so that it may be sent once more if the connection breaks. Raises what redis-py raises.
    """
    wait = durability if durability is not None and durability.replicas else None
    cluster = in_cluster(client)
    asked: AskError | None = None
    refused: ResponseError | None = None
    for tries in range(1, _TRIES + 1):
        node = _node(client, name, asked) if cluster else None
        pool = client.get_redis_connection(node).connection_pool if node is not None else client.connection_pool
        try:
            return _once(pool, command, wait, asking=asked is not None)
        except MovedError as error:
            client.nodes_manager.move_slot(error)
            asked, refused = None, error
        except AskError as error:
            asked, refused = error, error
        except TryAgainError as error:
            time.sleep(_TRY_AGAIN_AFTER)
            asked, refused = None, error
        except NoScriptError as error:
            command = ("EVAL", SCRIPT, *command[2:])  # a server that was started, or promoted, since may not have it
            refused = error
        except ReadOnlyError as error:
            _close_kept(pool)  # so as to be led to the primary
            if tries > 1:
                raise
            refused = error
        except _NothingSent as error:
            if node is None or tries > 1 or not _has_moved(client, name, node):
                raise error.why from error
        except (redis.ConnectionError, redis.TimeoutError, ClusterDownError) as error:
            _close_kept(pool)  # they lead to where this one led, and have nothing under way
            if node is not None:
                _look_again(client, node)
            if tries > 1 or not only_reads or not isinstance(error, redis.ConnectionError):
                raise
    raise refused or AssertionError("each try returns, raises or was refused")


def in_cluster(client: Client) -> bool:
    """Whether the keys of a client stand on several servers, by their slots. Raises what redis-py raises."""
    return hasattr(client, "get_primaries")


class _NothingSent(Exception):
    """No connection could be had. why: redis-py's error."""

    def __init__(self, why: redis.RedisError) -> None:
        super().__init__(type(why).__name__)
        self.why = why


def _once(pool: Any, command: Command, wait: Durability | None, *, asking: bool) -> tuple[Any, int]:
    sent: list[Command] = [("ASKING",), command] if asking else [command]
    sent += [("WAIT", wait.replicas, int(wait.seconds * 1000))] if wait else []
    try:
        connection = _take(pool)
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise _NothingSent(error) from error
    try:
        connection.send_packed_command([hiredis.pack_command(tuple(one)) for one in sent])  # type: ignore[arg-type] # one too narrow
        answers = [_answer(connection) for _ in sent]
    except BaseException as error:
        connection.disconnect()
        if isinstance(error.__context__, ReadOnlyError):  # redis-py's word for it where Sentinels name the primary
            raise error.__context__ from error
        raise
    finally:
        _give_back(pool, connection)
    for answer in answers:
        if isinstance(answer, ResponseError):
            raise answer
    confirmed = answers.pop() if wait else 0
    return answers[-1], confirmed


_KEPT: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()
"""By redis-py's pool, those of its connections that are at rest.

To the pool they are in use. It makes them and owns them; but to take one from it and give it back is as much work as
all the rest of a round trip.
"""


def kept(pool: Any) -> list[Any]:
    """The connections of a pool that are open and at rest, the last used last."""
    found = _KEPT.get(pool)
    return found if found is not None else _KEPT.setdefault(pool, [])


def _take(pool: Any) -> Any:
    at_rest = kept(pool)
    while at_rest:
        with suppress(IndexError):  # another thread has taken the last one
            connection = at_rest.pop()
            if pool.owns_connection(connection) and not connection.should_reconnect() and _is_quiet(connection):
                return connection
            connection.disconnect()
            pool.release(connection)
    return pool.get_connection()


def _is_quiet(connection: Any) -> bool:
    """Whether a connection is open with nothing to be read, as it must be between a command and the next."""
    sock, parser = connection._sock, connection._parser
    if sock is None or parser._reader is None or parser._reader.has_data() or getattr(sock, "pending", int)():
        return False
    look = poll()  # `can_read` of redis-py asks the same, of what greenlets have for it, at six times the price
    look.register(sock, POLLIN)
    return not look.poll(0)


def _give_back(pool: Any, connection: Any) -> None:
    if connection.is_connected:
        kept(pool).append(connection)
    else:
        pool.release(connection)


def _close_kept(pool: Any) -> None:
    at_rest = kept(pool)
    while at_rest:
        with suppress(IndexError):
            connection = at_rest.pop()
            connection.disconnect()
            pool.release(connection)
    pool.disconnect(inuse_connections=False)


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:  # the answers behind it must be read too
        by_script = not isinstance(error, ReadOnlyError) and "READONLY" in str(error)  # so before Redis 7
        return ReadOnlyError(str(error)) if by_script else error


def _node(client: Client, name: str, asked: AskError | None) -> ClusterNode:
    if asked is None:
        node: ClusterNode = client.get_node_from_key(name)
        return node
    return client.get_node(asked.host, asked.port) or ClusterNode(asked.host, asked.port)


def _look_again(client: Client, failed: ClusterNode) -> None:
    """Ask the nodes of a Cluster who holds what; where none tells, all stays."""
    with suppress(redis.RedisError, RedisClusterException, OSError):
        client.nodes_manager.initialize(last_failed_node_name=failed.name)


def _has_moved(client: Client, name: str, failed: ClusterNode) -> bool:
    """Whether another node than the one that failed holds a key by now."""
    _look_again(client, failed)
    return bool(client.get_node_from_key(name).name != failed.name)
