"""Keys that anyone can factor: the public fingerprint of ROCA (CVE-2017-15361).

A chip's library made its primes as k * M + (65537^a mod M), M being a product of the first primes: so the modulus,
too, is a power of 65537 modulo each prime of M. Of the first 39 primes, which every key size's M holds, those stand
here for which not every number is such a power. A sound key fits them all once in 240 million.

Source: Nemec, Sys, Svenda, Klinec, Matyas: The Return of Coppersmith's Attack, ACM CCS 2017, §3.3, and their detector
(crocs-muni/roca). The function is pure and stands here, where the configuration of every service reaches it; the
providers, which know no kit, get it handed in for what banks publish.
"""

from __future__ import annotations

_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_POWERS = {prime: frozenset(pow(65537, power, prime) for power in range(prime)) for prime in _PRIMES}

ROCA = "ROCA, CVE-2017-15361"


def has_roca_fingerprint(modulus: int) -> bool:
    """Whether an RSA modulus is of the kind that anyone can factor."""
    return all(modulus % prime in powers for prime, powers in _POWERS.items())
