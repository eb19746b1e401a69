"""The fingerprint of ROCA, against keys of that structure made here and against sound ones."""

from __future__ import annotations

import random

from cryptography.hazmat.primitives.asymmetric import rsa

from kit.keys.roca import has_roca_fingerprint
from tests.harness.weak_keys import first_primes, roca_key


def test_a_key_of_that_structure_is_known() -> None:
    modulus = roca_key().public_key.public_numbers().n
    assert modulus.bit_length() == 2048
    assert has_roca_fingerprint(modulus)


def test_sound_keys_are_not_taken_for_one() -> None:
    assert not has_roca_fingerprint(rsa.generate_private_key(65537, 2048).public_key().public_numbers().n)
    chance = random.Random(1)
    assert not any(has_roca_fingerprint(chance.getrandbits(2048) | 1) for _ in range(20_000))


def test_the_primes_are_those_that_tell_something() -> None:
    telling = []
    for prime in first_primes(39)[1:]:
        powers = {pow(65537, power, prime) for power in range(prime)}
        telling += [prime] if len(powers) < prime - 1 else []
    assert telling == [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]
