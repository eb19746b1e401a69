"""Our private keys: one folder, one file a key, each file with its own timetable.

    purpose        what it is for                                          kind
    entity         signs our entity statement and our signed JWKS          RSA
    rp-sig         signs request objects and client assertions             RSA
    rp-enc         ID tokens of banks come encrypted to it                 RSA
    id-token-sig   signs identity tokens                                   RSA and EC P-256
    audit-sig      signs heads of the audit trail                          EC P-256
    pairwise       computes `sub`; made once, never rotated                256 bits
    store          encrypts what stands in the store                       256 bits

A key's phase is a function of its timetable and the clock (`kit.keys.timetable`), so there is no state beside the
files. The broker reads the folder and never writes it; `tunnus keys` does.
"""

from __future__ import annotations

from broker.keys.purposes import PURPOSES, generate_keys, purposes_of, rotation_of
from broker.keys.ring import KeyRing
from kit.keys.files import KeysUnusable
from kit.keys.timetable import Phase, Timetable
from kit.keys.watch import KeyStatus

__all__ = [
    "PURPOSES",
    "KeyRing",
    "KeyStatus",
    "KeysUnusable",
    "Phase",
    "Timetable",
    "generate_keys",
    "purposes_of",
    "rotation_of",
]
