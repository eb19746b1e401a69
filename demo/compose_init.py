"""Once, before the containers of the demo start: their keys, and the statements that each pins of the others.

Each service has its private keys in a volume of its own; what everyone may read stands in a public one. Keys that
are there already are kept, so this may run at every start. The environment is the one that the services get.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from demo.processes import PYTHON, CannotStart, run
from demo.stack import kept_client_keys


def make_all(public: Path, broker_keys: Path, portal_key: Path) -> None:
    """Make what is missing, sign the statements anew. Raises CannotStart with what a command of ours said.

    public: folder of statements and public keys. portal_key: file of the portal's private JWK.
    """
    run([PYTHON, "-m", "broker", "keys", "init", "--dir", str(broker_keys)])
    kept_client_keys(portal_key)
    shutil.copy(portal_key.with_name("portal.jwks.json"), public)
    run([PYTHON, "-m", "mock_idp", "entity-statements", "--out", str(public / "entity-statements")])
    (public / "relying-party.jwt").write_text(run([PYTHON, "-m", "broker", "entity-statement"]))


def main() -> int:
    """The command. 0: all is there; 1: something could not be made, and was said."""
    try:
        make_all(*(Path(os.environ[name]) for name in ("TUNNUS_STATE_DIR", "TUNNUS_KEYS_DIR", "PORTAL_KEY")))
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1
    print("keys and statements are in place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
