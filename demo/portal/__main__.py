"""Runs the example portal: `python -m demo.portal`, or `python -m portal` from a copy of this folder."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

import click
from werkzeug.serving import make_server

from .app import create_app
from .client_keys import ClientKeys


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8003, show_default=True, help="Port to listen on.")
@click.option("--url", help="Its own address, as browsers see it.  [default: http://127.0.0.1:PORT]")
@click.option("--issuer", default="http://127.0.0.1:8000", show_default=True, help="The broker's issuer.")
@click.option("--back-url", help="Where this server reaches the broker, if not at its issuer.")
@click.option("--registration", help="The address of registration, to link to.")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    required=True,
    help="Private JWK, or a folder of keys.",
)
def main(
    host: str, port: int, url: str | None, issuer: str, back_url: str | None, registration: str | None, key: Path
) -> None:
    """Run the example portal until SIGTERM or Ctrl-C."""
    address = (url or f"http://127.0.0.1:{port}").rstrip("/")
    app = create_app(address, issuer.rstrip("/"), ClientKeys.read(key), secrets.token_hex(32), back_url, registration)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # addresses hold codes and states: no access log
    make_server(host, port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(auto_envvar_prefix="PORTAL")
