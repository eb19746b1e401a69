"""What a verified identity token costs beside bare PyJWT with a ready key; CPU as a ratio, the best of many rounds.

python -m bench.verifier
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verifier"))

import jwt

from tunnus_verifier import Verifier
from tunnus_verifier.testing import TokenMint

ROUNDS = 40
CALLS = 150
ALLOWED = 1.25


def cpu_seconds(call: Callable[[], object]) -> float:
    """Of CALLS calls."""
    begun = time.process_time()
    for _ in range(CALLS):
        call()
    return time.process_time() - begun


def ratio(algorithm: str) -> tuple[float, float, float]:
    """Ours through bare, and each in microseconds a token. The two take turns, so that both meet the same noise."""
    mint = TokenMint(algorithm=algorithm)
    token, key = mint.token(), mint.key.public_key()
    verifier = Verifier(mint.issuer, mint.audience, fetch=mint.fetch)

    def ours() -> object:
        return verifier.verify(token)

    def bare() -> object:
        return jwt.decode(token, key, algorithms=[algorithm], audience=mint.audience, issuer=mint.issuer)

    ours()
    bare()
    rounds = [(cpu_seconds(ours), cpu_seconds(bare)) for _ in range(ROUNDS)]
    best_ours, best_bare = (min(column) for column in zip(*rounds, strict=True))
    return best_ours / best_bare, best_ours / CALLS * 1e6, best_bare / CALLS * 1e6


def main() -> int:
    """Print both ratios; 1 if one is over what is allowed."""
    worst = 0.0
    for algorithm in ("ES256", "RS256"):
        found, ours, bare = ratio(algorithm)
        worst = max(worst, found)
        print(f"{algorithm}: {found:.2f} x bare PyJWT ({ours:.0f} µs beside {bare:.0f} µs); allowed {ALLOWED}")
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
