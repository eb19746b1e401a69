"""`make bench`, the part about replicas: what it costs a login that 0, 1 or 2 of two must confirm what is taken.

A login takes four things: the answer of a bank, a client assertion, a code, the place of an access token. CPU is that
of the broker's side; the time is the median. The replicas are on this machine: between machines comes the network's
way to the slower one and back, four times a login.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

from broker.keys import KeyRing, generate_keys
from broker.settings.store import StoreSettings
from broker.store import Durability, Entry, Key, RedisStore, connect, new_slot
from tests.harness.replicated import Replicated

LOGINS = 500
ROUNDS = 6
VALUE = {"claim": "x" * 600}


def login(store: RedisStore) -> None:
    """What one login takes."""
    slot = new_slot()
    claim, code, used, jti, token = (
        Key(kind, slot, secrets.token_hex(16)) for kind in ("claim", "code", "used-code", "jti", "token")
    )
    store.put_new_and_get(Entry(claim, VALUE, 60), code, used, jti)
    store.put_new(Entry(jti, {}, 60))
    store.put_new_and_get(Entry(used, VALUE, 60), code, used)
    store.put_new(Entry(token, VALUE, 60))


def main() -> int:
    """Print a row for each number of replicas. They take turns, so that what else the machine does hurts all alike."""
    servers = Replicated(replicas=2)
    servers.start()
    with tempfile.TemporaryDirectory(prefix="tunnus-bench-") as folder:
        generate_keys(Path(folder, "keys"), int(time.time()) - 3600, entity_bits=2048)
        ring = KeyRing(Path(folder, "keys"), time.time)
        client = connect(StoreSettings.model_validate(servers.settings))
        stores = {replicas: RedisStore(client, ring, durability=Durability(replicas)) for replicas in (0, 1, 2)}
        cpu: dict[int, float] = dict.fromkeys(stores, 0.0)
        took: dict[int, list[float]] = {replicas: [] for replicas in stores}
        for _ in range(ROUNDS):
            for replicas, store in stores.items():
                before = time.process_time()
                for _ in range(LOGINS):
                    begun = time.perf_counter()
                    login(store)
                    took[replicas].append(time.perf_counter() - begun)
                cpu[replicas] += time.process_time() - before
        client.close()
    servers.remove()
    print(f"{'durable_replicas':<20}{'CPU ms a login':<20}{'ms a login':<20}")
    for replicas in stores:
        spent = cpu[replicas] * 1000 / ROUNDS / LOGINS
        print(f"{replicas:<20}{spent:<20.2f}{statistics.median(took[replicas]) * 1000:<20.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
