"""Once, before the containers of the demo start: their keys, and the statements that each pins of the others.

Each service has its private keys in a volume of its own; what everyone may read stands in a public one. Keys that
are there already are kept, so this may run at every start. The environment is the one that the services get.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from demo.runner.processes import PYTHON, CannotStart, run
from demo.runner.services import kept_secret, make_customer_service
from demo.runner.stack import kept_client_keys

PLACES = (
    "TUNNUS_STATE_DIR",
    "TUNNUS_KEYS_DIR",
    "PORTAL_KEY",
    "REGISTRATION_KEYS_DIR",
    "ONLINE_SERVICE_DIR",
    "DATABASE_DIR",
    "CUSTOMER_SERVICE_KEYS_DIR",
)
DATABASE = "postgresql+psycopg://registration:{password}@postgres/registration"


def make_all(
    public: Path,
    broker_keys: Path,
    portal_key: Path,
    registration: Path,
    online_service: Path,
    database: Path,
    customer_service: Path,
) -> None:
    """Make what is missing, sign the statements anew. Raises CannotStart with what a command of ours said.

    public: folder of statements and public keys. portal_key: folder of the portal's keys. registration,
    online_service, customer_service: folders of their keys. database: folder of what opens it.
    """
    make_customer_service(customer_service, public)
    make_registrations(public, registration, online_service, database)
    kept_client_keys(portal_key)
    shutil.copy(portal_key.with_name("portal.jwks.json"), public)
    run([PYTHON, "-m", "mock_idp", "entity-statements", "--out", str(public / "entity-statements")])
    # The configuration, which the environment names, is whole by now: it is asked where the keys are held.
    run([PYTHON, "-m", "broker", "keys", "init", "--dir", str(broker_keys)])
    (public / "relying-party.jwt").write_text(run([PYTHON, "-m", "broker", "entity-statement"]))


def make_registrations(public: Path, registration: Path, online_service: Path, database: Path) -> None:
    """What registration and the online service need: keys, the secret between them, the database's password."""
    keys = [PYTHON, "-m", "registration", "keys"]
    run([*keys, "init", "--dir", str(registration)])
    (public / "registration.jwks.json").write_text(run([*keys, "show-public", "--dir", str(registration)]))
    kept_client_keys(online_service / "online-service-keys")
    shutil.copy(online_service / "online-service.jwks.json", public)
    secret = kept_secret(online_service / "online-service.secret")
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    (public / "online-service.secret-hash").write_text(f"sha256:{hashed}")
    password = kept_secret(database / "password")
    (database / "password").chmod(0o644)  # read by PostgreSQL too, as another user; the volume is of these two only
    (database / "url").write_text(DATABASE.format(password=password))


def main() -> int:
    """The command. 0: all is there; 1: something could not be made, and was said."""
    try:
        make_all(*(Path(os.environ[name]) for name in PLACES))
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1
    print("keys and statements are in place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
