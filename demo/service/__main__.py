"""Runs the example service.

    SERVICE_ISSUER=http://127.0.0.1:8000 SERVICE_AUDIENCE=my-service SERVICE_PORT=8005 python -m demo.service

SERVICE_PARTIES: other clients, separated by blanks, whose tokens name this service as a further audience.
SERVICE_JWKS_URI: where this server reaches the issuer's keys, if not where the issuer says (in containers).
"""

from __future__ import annotations

import logging
import os

from werkzeug.serving import make_server

from tunnus_verifier import Verifier

from .app import create_app


def main() -> None:
    """Serve it as the environment says."""
    env = os.environ
    jwks_uri = env.get("SERVICE_JWKS_URI")
    verifier = Verifier(
        env["SERVICE_ISSUER"],
        env["SERVICE_AUDIENCE"],
        authorized_parties=env.get("SERVICE_PARTIES", "").split(),
        jwks_uri=jwks_uri,
        insecure_http=jwks_uri is not None,  # the demo's containers have no TLS between them
    )
    host, port = env.get("SERVICE_HOST", "127.0.0.1"), int(env["SERVICE_PORT"])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # addresses hold codes and states: no access log
    make_server(host, port, create_app(verifier), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
