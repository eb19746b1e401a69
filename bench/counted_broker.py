"""The broker with counters around what should not happen in steady state; SIGUSR1 writes them to a file.

python -m bench.counted_broker CONFIG COUNTS
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from urllib3.connection import HTTPConnection

from broker.server import serve
from providers.engine import jwks

COUNTS: Counter[str] = Counter()


def counted(owner: Any, name: str, label: str, counts: Any = lambda _result: True) -> None:
    """Count the calls of a function whose result `counts`."""
    original = getattr(owner, name)

    def wrapper(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        COUNTS[label] += bool(counts(result))
        return result

    bound = isinstance(owner, type) and hasattr(original, "__self__")
    setattr(owner, name, staticmethod(wrapper) if bound else wrapper)


def main() -> None:
    """Serve until SIGTERM."""
    config, counts = Path(sys.argv[1]), Path(sys.argv[2])
    for kind in (RSAKey, ECKey):
        counted(kind, "import_key", "private_keys_parsed", lambda key: key.is_private)
    counted(HTTPConnection, "connect", "bank_connections_opened")
    counted(jwks.BankKeys, "_verified", "jwks_fetched")
    signal.signal(signal.SIGUSR1, lambda _signal, _frame: counts.write_text(json.dumps(COUNTS)) and None)
    serve(config)


if __name__ == "__main__":
    main()
