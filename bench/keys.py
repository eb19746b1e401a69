"""`make bench`, the part about keys: what the private keys of one login cost in files, and in a token (SoftHSM).

A login signs a request object and a client assertion, decrypts an ID token and signs an identity token. CPU and wall
time of the process; SoftHSM works inside of it, so that a network's way to a real token comes on top, four times a
login, and one call at a time for each broker.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from joserfc import jwe
from joserfc.jwk import RSAKey

from broker.keys import KeyRing, purposes_of, rotation_of
from broker.settings.models import KeysSettings
from tests.harness.softhsm import MODULE, SoftHsm

LOGINS = 300
THREADS = 8
CLAIMS = {"claim": "x" * 600}
ALGORITHMS = ("RSA-OAEP", "A128CBC-HS256")
HELD = ("entity", "rp-sig", "rp-enc", "id-token-sig")


def operations(ring: KeyRing) -> dict[str, Callable[[], object]]:
    """What a login asks of its keys, by name."""
    (jwk,) = ring.public_set("rp-enc")
    public = RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")})
    header = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": jwk["kid"]}
    token = jwe.encrypt_compact(header, b"x" * 1500, public, algorithms=list(ALGORITHMS))
    return {
        "sign a request object": lambda: ring.sign("rp-sig", CLAIMS),
        "sign a client assertion": lambda: ring.sign("rp-sig", CLAIMS),
        "decrypt an ID token": lambda: ring.decrypt("rp-enc", token, algorithms=ALGORITHMS),
        "sign an identity token (ES256)": lambda: ring.sign("id-token-sig", CLAIMS, alg="ES256"),
    }


def spent(call: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall milliseconds of one call."""
    call()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(LOGINS):
        call()
    return (time.process_time() - cpu) * 1000 / LOGINS, (time.perf_counter() - wall) * 1000 / LOGINS


def logins_a_second(ring: KeyRing) -> float:
    """By THREADS threads at once."""
    calls = list(operations(ring).values())
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: [call() for call in calls], range(LOGINS)))
    return LOGINS / (time.perf_counter() - began)


def main() -> int:
    """Print the figures."""
    if not MODULE.exists():
        print("keys in a token: not measured, SoftHSM is needed (on Debian: sudo apt install softhsm2)")
        return 0
    with tempfile.TemporaryDirectory(prefix="tunnus-bench-") as name:
        folder = Path(name)
        now = int(time.time())
        rings = {}
        for where, pkcs11 in (("files", None), ("token", SoftHsm(folder).settings("ours", *HELD))):
            settings = KeysSettings.model_validate({"dir": folder / where, "pkcs11": pkcs11})
            rotation_of(settings.dir, 2048, purposes_of(settings)).init(now)
            rings[where] = KeyRing.of(settings, time.time)
        figures = {
            where: {name: spent(call) for name, call in operations(ring).items()} for where, ring in rings.items()
        }
        print(f"{'':32} {'files: CPU ms':>14} {'wall ms':>8} {'token: CPU ms':>14} {'wall ms':>8}")
        for name in figures["files"]:
            (cpu, wall), (held_cpu, held_wall) = figures["files"][name], figures["token"][name]
            print(f"{name:32} {cpu:14.2f} {wall:8.2f} {held_cpu:14.2f} {held_wall:8.2f}")
        sums = [sum(times) for where in figures.values() for times in zip(*where.values(), strict=True)]
        print(f"{'a login':32} {sums[0]:14.2f} {sums[1]:8.2f} {sums[2]:14.2f} {sums[3]:8.2f}")
        for where, ring in rings.items():
            print(f"{THREADS} threads, keys in {where}: {logins_a_second(ring):.0f} logins a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
