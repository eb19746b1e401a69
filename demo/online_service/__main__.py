"""`python -m demo.online_service`."""

from __future__ import annotations

import secrets
from pathlib import Path

import click
from waitress import serve

from demo.online_service.api import RegistrationApi
from demo.online_service.app import CLIENT_ID, create_app
from demo.online_service.state import OnlineService, Places
from demo.portal.client_keys import ClientKeys


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8004, show_default=True, help="Port to listen on.")
@click.option("--url", help="Its own address, as browsers see it.  [default: http://127.0.0.1:PORT]")
@click.option("--issuer", default="http://127.0.0.1:8000", show_default=True, help="The broker's issuer.")
@click.option("--back-url", help="Where this server reaches the broker, if not at its issuer.")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    required=True,
    help="Private JWK, or a folder of keys.",
)
@click.option(
    "--registration-url",
    default="http://127.0.0.1:8001",
    show_default=True,
    help="Registration, as browsers see it.",
)
@click.option("--registration-back-url", help="Where this server reaches registration, if elsewhere.")
@click.option("--client-secret", envvar="ONLINE_SERVICE_SECRET", required=True, help="Of this client of the API.")
def main(
    host: str,
    port: int,
    url: str | None,
    issuer: str,
    back_url: str | None,
    key: Path,
    registration_url: str,
    registration_back_url: str | None,
    client_secret: str,
) -> None:
    """Run the stand-in online service until SIGTERM or Ctrl-C.

    Give the secret by ONLINE_SERVICE_SECRET: other users of the machine can read a command's options.
    """
    places = Places(
        url=(url or f"http://127.0.0.1:{port}").rstrip("/"),
        issuer=issuer.rstrip("/"),
        registration=registration_url.rstrip("/"),
        back=back_url.rstrip("/") if back_url else None,
    )
    api = RegistrationApi((registration_back_url or registration_url).rstrip("/"), CLIENT_ID, client_secret)
    service = OnlineService(places, api, ClientKeys.read(key), secrets.token_hex(32))
    serve(create_app(service), host=host, port=port, threads=8, ident=None)


if __name__ == "__main__":
    main(auto_envvar_prefix="ONLINE_SERVICE")
