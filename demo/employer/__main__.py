"""`python -m demo.employer`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from waitress import serve

from demo.employer.app import create_app
from demo.employer.provider import Client


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8006, show_default=True, help="Port to listen on.")
@click.option("--url", help="Its own address, as browsers see it.  [default: http://127.0.0.1:PORT]")
@click.option("--client-url", default="http://127.0.0.1:8005", show_default=True, help="Customer service's address.")
@click.option("--client-jwks", type=click.Path(path_type=Path), required=True, help="Customer service's public keys.")
def main(host: str, port: int, url: str | None, client_url: str, client_jwks: Path) -> None:
    """Run the demo's employer's OpenID Provider until SIGTERM or Ctrl-C."""
    # Authlib refuses plain http unless told that this is no real provider.
    os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")
    jwks = json.loads(client_jwks.read_text())
    client = Client("customer-service", f"{client_url}/service/callback", f"{client_url}/service", jwks)
    issuer = (url or f"http://127.0.0.1:{port}").rstrip("/")
    serve(create_app(issuer, client), host=host, port=port, threads=4, ident=None)


if __name__ == "__main__":
    main(auto_envvar_prefix="EMPLOYER")
