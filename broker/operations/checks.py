"""Whether the broker can work, part by part: what `/readyz` answers and `tunnus doctor` prints.

Each check says what it saw, and the mend if that is not well. Nothing here asks a bank for anything; OP's entity
statement above all is never fetched (OP Identity Service Broker API §12: forbidden and monitored).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from broker.audit import AuditTrail, verify
from broker.settings import Settings
from broker.settings.pins import has_expired, read_entity_statement
from broker.store import StoreUnavailable
from kit.audit.signed import Trust
from kit.serving.operations import Check

_SKEW = 5.0
"""Seconds our clock and the store's may differ; tokens allow for a minute."""
_NOT_BEFORE = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
"""A clock that says less was never set."""
_MENDS = {
    "OutOfMemoryError": "its memory is full: raise maxmemory, or lower [limits]",
    "MISCONF": "its disk cannot be written: mend that",
    "ReadOnlyError": "it is a replica: name the primary, or use [store.sentinel]",
    "NOREPLICAS": "too few replicas answer: mend them, or lower min-replicas-to-write",
    "NoPermissionError": "its user may not do all of it: give it ~tunnus:* and the commands of docs/operations.md",
}
_SOON = 30 * 86_400
_STATED = ("issuer", "authorization_endpoint", "token_endpoint", "signed_jwks_uri")
"""Of a connection, what its entity statement may have in `metadata.openid_provider` (OpenID Federation 1.0 §5.1.3)."""
_MOST_SHOWN = 200
"""Characters of what a statement says."""


def check_audit(audit: AuditTrail) -> Check:
    """Whether the trail of this process can be written."""
    problem = audit.writable()
    if problem is None:
        return Check("audit trail", "ok", "can be written")
    mend = "mend the disk or the folder; no identity is handed over until then"
    return Check("audit trail", "failed", f"cannot be written: {problem}", mend)


def check_audit_folder(folder: Path, clock: Callable[[], float], trust: Trust | None = None) -> Iterator[Check]:
    """Whether a trail can be written there, and what is there was not tampered with. trust: see `verify`."""
    yield check_audit(AuditTrail(folder, clock))
    try:
        if not folder.is_dir():
            return
        seen = verify(folder, trust=trust)
    except OSError as error:
        yield Check("audit files", "warning", f"cannot be read: {error.strerror}", "run as the user that owns them")
        return
    if seen.findings:
        said = f"{len(seen.findings)} lines are not as they were written"
        yield Check("audit files", "failed", said, "tunnus audit verify shows which; find out who had access")
    elif len(seen.unclosed) > 1:
        said = f"{len(seen.unclosed)} files were never closed; only that of a running broker should be open"
        yield Check("audit files", "warning", said, "compare them with the log: tunnus audit verify --heads LOG")
    else:
        yield Check("audit files", "ok", f"{seen.records} records in {seen.files} files")


def check_pins(settings: Settings, now: int) -> Iterator[Check]:
    """Whether each pinned entity statement is still valid; the settings have verified them. now: seconds."""
    for name, connection in settings.connections.items():
        if connection.entity_statement is None:
            continue
        statement = read_entity_statement(connection.entity_statement, now)
        mend = "get the new one from the bank, review it by hand, replace the file and restart"
        label = f"entity statement of {name}"
        if has_expired(statement, now):
            yield Check(label, "warning", f"expired {_moment(statement.exp)}; its keys stay pinned", mend)
        elif statement.exp < now + _SOON:
            yield Check(label, "warning", f"expires {_moment(statement.exp)}", mend)
        else:
            yield Check(label, "ok", f"valid until {_moment(statement.exp)}")


def check_pinned_metadata(settings: Settings, now: int) -> Iterator[Check]:
    """Whether connections go where their pinned entity statements say, as far as these say it; now: seconds.

    Another issuer fails: no ID token would hold. Another address is a warning, since a network may have its own.
    """
    for name, connection in settings.connections.items():
        file = connection.entity_statement
        if file is None:
            continue
        metadata = read_entity_statement(file, now).metadata.get("openid_provider")
        for key in _STATED:
            stated = metadata.get(key) if isinstance(metadata, Mapping) else None
            used = getattr(connection, key)
            if not isinstance(stated, str) or stated == used:
                continue
            said = f"connections.{name}.{key} is {used}; {file} says {stated[:_MOST_SHOWN]!r}"
            if key == "issuer":
                mend = "name the issuer of the statement, or pin the statement of this connection"
                yield Check(f"issuer of {name}", "failed", said, mend)
            else:
                mend = "take the statement's address, unless the bank or your network has given you this one"
                yield Check(f"{key} of {name}", "warning", said, mend)


def check_clock(now: float) -> Check:
    """Whether the clock can be right: not before it can have been set. now: seconds."""
    if now < _NOT_BEFORE:
        return Check("clock", "failed", f"says {_moment(now)}", "set the clock, and run NTP")
    return Check("clock", "ok", f"says {_moment(now)}")


def check_store(client: Any, clock: Callable[[], float] = time.time) -> Iterator[Check]:
    """Whether the store answers, keeps what it is told, and has our time. client: redis-py's."""
    try:
        persistence, memory = _merged(client.info("persistence")), _merged(client.info("memory"))
        told = client.time()
        _write(client)
    except redis.ResponseError as error:
        # redis-py has classes for some of Redis's words, and takes the word off those; others are the first one.
        word = type(error).__name__ if type(error) is not redis.ResponseError else str(error).partition(" ")[0][:20]
        yield Check("store", "failed", f"takes nothing: {word}", _MENDS.get(word, "its log says why"))
        return
    except (redis.RedisError, RedisClusterException, StoreUnavailable, OSError) as error:
        said = f"does not answer as it should: {type(error).__name__}"
        yield Check("store", "failed", said, "start it, or mend the store table of the configuration")
        return
    yield Check("store", "ok", "answers, and takes what is written")
    if str(persistence.get("aof_enabled")) != "1":
        said = "keeps no append-only file: when it dies, everyone who is identifying starts again"
        yield Check("store persistence", "warning", said, "set appendonly yes and appendfsync everysec")
    else:
        yield Check("store persistence", "ok", "keeps an append-only file")
    policy = memory.get("maxmemory_policy")
    if policy != "noeviction":
        said = f"drops keys when its memory is full ({policy}): a used code could be used again"
        yield Check("store eviction", "warning", said, "set maxmemory-policy noeviction")
    else:
        yield Check("store eviction", "ok", "drops no keys")
    skew = abs(_seconds(told) - clock())
    if skew > _SKEW:
        yield Check("store clock", "warning", f"differs from ours by {skew:.0f} s", "run NTP on both machines")


def _write(client: Any) -> None:
    """Write to the store, and have it run a script, each primary of a Cluster; raises what it answers."""
    names: dict[Any, str] = {}
    for number in range(64 if hasattr(client, "get_primaries") else 1):
        name = f"tunnus:{{{number}}}:readiness"
        names.setdefault(client.get_node_from_key(name).name if hasattr(client, "get_primaries") else "", name)
    for name in names.values():
        client.execute_command("SET", name, secrets.token_hex(8), "EX", 60)
        client.execute_command("EVAL", "return redis.call('GET', KEYS[1])", 1, name)


def _merged(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """INFO's answer; a Cluster's is one for each node, of which any with something amiss counts."""
    nodes = [node for node in answer.values() if isinstance(node, Mapping)]
    if not nodes:
        return answer
    names = {name for node in nodes for name in node}
    usual = {"aof_enabled": 1, "maxmemory_policy": "noeviction"}
    merged: dict[str, Any] = {}
    for name in names & usual.keys():
        values = [node.get(name) for node in nodes]
        merged[name] = next((value for value in values if value != usual[name]), usual[name])
    return merged


def _seconds(told: Any) -> float:
    """TIME's answer in seconds; of a Cluster the first node's."""
    if isinstance(told, Mapping):
        told = next(iter(told.values()))
    seconds, micros = told
    return float(seconds) + float(micros) / 1e6


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
