"""An RSA key with the structure of ROCA, made here: its primes are k * M + (65537^a mod M) (see kit/keys/roca.py)."""

from __future__ import annotations

import functools
import random
from math import gcd, prod

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey


def first_primes(count: int) -> list[int]:
    """The first primes."""
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def is_prime(number: int, chance: random.Random) -> bool:
    """Miller and Rabin, ten rounds."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(10):
        power = pow(chance.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = pow(power, 2, number)
            if power == number - 1:
                break
        else:
            return False
    return True


@functools.cache
def roca_key() -> RSAKey:
    """One of 2048 bits, for which M is the product of the first 126 primes; its `kid` is `roca`."""
    chance = random.Random(15361)
    product = prod(first_primes(126))

    def prime() -> int:
        while True:
            found = chance.randrange((3 << 1022) // product + 1, (1 << 1024) // product) * product
            found += pow(65537, chance.randrange(product), product)
            if gcd(found - 1, 65537) == 1 and is_prime(found, chance):
                return found

    p, q = prime(), prime()
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    )
    return RSAKey.import_key(numbers.private_key(), {"kid": "roca"})
