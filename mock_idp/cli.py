"""The command line: serve the mock banks, write their entity statements, show faults and personas."""

from __future__ import annotations

import json
import logging
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path
from types import FrameType

import click
from waitress import create_server

from mock_idp.app import create_app
from mock_idp.bank import Bank, open_bank
from mock_idp.config import Config, fetch
from mock_idp.control.api import describe
from mock_idp.faults import FAULTS
from mock_idp.people.personas import personas
from mock_idp.protocol.issuers import all_issuers
from mock_idp.protocol.publication import entity_statement

THREADS = 32
_base = click.option(
    "--base-url",
    envvar="MOCK_BASE_URL",
    default="http://127.0.0.1:8002",
    show_default=True,
    help="What browsers see; every issuer begins with it. Keep it in step with --port. [MOCK_BASE_URL]",
)
_back = click.option(
    "--back-url",
    envvar="MOCK_BACK_URL",
    help="Where the relying party's server reaches the token and key endpoints, if not the same. [MOCK_BACK_URL]",
)
_state = click.option(
    "--state-dir",
    envvar="MOCK_STATE_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/mock_idp"),
    show_default=True,
    help="Folder of the banks' private keys, made when first needed. [MOCK_STATE_DIR]",
)


@click.group()
def main() -> None:
    """Mock banks of the Finnish Trust Network: eleven faces, three dialects, no real person."""


@main.command()
@click.option(
    "--host", envvar="MOCK_HOST", default="127.0.0.1", show_default=True, help="Address to listen on. [MOCK_HOST]"
)
@click.option(
    "--port",
    envvar="MOCK_PORT",
    default=8002,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port to listen on. [MOCK_PORT]",
)
@_base
@_back
@_state
@click.option(
    "--rp-entity-statement",
    envvar="MOCK_RP_ENTITY_STATEMENT",
    help="The relying party's entity statement: a file, a URL, or the JWT itself; read when first needed. "
    "[MOCK_RP_ENTITY_STATEMENT]",
)
@click.option(
    "--rp-signed-jwks-uri",
    envvar="MOCK_RP_SIGNED_JWKS_URI",
    help="Its signed JWKS, if not where the statement says: a URL, a file, or the JWT. [MOCK_RP_SIGNED_JWKS_URI]",
)
@click.option(
    "--rp-ca-bundle",
    envvar="MOCK_RP_CA_BUNDLE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificate authorities (PEM) of its https, such as a self-signed one. [MOCK_RP_CA_BUNDLE]",
)
@click.option(
    "--rp-client-id",
    envvar="MOCK_RP_CLIENT_ID",
    default="tunnus",
    show_default=True,
    help="Its client id at every issuer. [MOCK_RP_CLIENT_ID]",
)
@click.option(
    "--service-names",
    envvar="MOCK_SERVICE_NAMES",
    default="",
    help="Agreed service names, separated by |; without any, only their form is checked. [MOCK_SERVICE_NAMES]",
)
@click.option(
    "--require-pkce/--no-require-pkce",
    envvar="MOCK_REQUIRE_PKCE",
    default=True,
    show_default=True,
    help="Refuse a request without PKCE where it is advertised. [MOCK_REQUIRE_PKCE]",
)
@click.option("--control/--no-control", default=True, show_default=True, help="Serve the control API under /control.")
def serve(
    host: str,
    port: int,
    base_url: str,
    back_url: str | None,
    state_dir: Path,
    rp_entity_statement: str | None,
    rp_signed_jwks_uri: str | None,
    rp_ca_bundle: Path | None,
    rp_client_id: str,
    service_names: str,
    require_pkce: bool,
    control: bool,
) -> None:
    """Serve the mock banks until SIGTERM or Ctrl-C.

    Each issuer is a folder below the base URL: /shared/telia, /nordea/isb, /shared/ftn, and so on. What a relying
    party sent, and which rule it broke, is at /control/requests.
    """
    if rp_entity_statement is None:
        click.echo("No --rp-entity-statement: every request will be refused until one is given.", err=True)
    config = Config(
        base_url=base_url.rstrip("/"),
        back_url=back_url.rstrip("/") if back_url else None,
        state_dir=state_dir,
        relying_party=rp_entity_statement,
        relying_party_signed_jwks_uri=rp_signed_jwks_uri,
        client_id=rp_client_id,
        service_names=frozenset(name.strip() for name in service_names.split("|") if name.strip()),
        require_pkce=require_pkce,
        control=control,
        fetch=partial(fetch, ca_bundle=rp_ca_bundle),
    )
    app = create_app(config)
    logging.basicConfig(level=logging.ERROR)
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise click.ClickException(
            f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port."
        ) from error
    server = create_server(app, sockets=[listener], threads=THREADS)
    bank: Bank = app.extensions["mock_idp"]

    def stop(_signal: int, _frame: FrameType | None) -> None:
        bank.stopping.set()
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    click.echo(f"Mock banks at http://{host}:{port}, issuers below {config.base_url}")
    sys.stdout.flush()
    server.run()


@main.command("entity-statements")
@_base
@_back
@_state
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
def entity_statements(base_url: str, back_url: str | None, state_dir: Path, out: Path) -> None:
    """Write every issuer's entity statement as <shared|provider>-<dialect>.jwt, so that it can be pinned.

    Keys are made if there are none: give the state folder that the banks are served from.
    """
    config = Config(base_url.rstrip("/"), state_dir, back_url=back_url.rstrip("/") if back_url else None)
    bank = open_bank(config)
    out.mkdir(parents=True, exist_ok=True)
    for issuer in all_issuers():
        (out / f"{issuer.name}.jwt").write_text(entity_statement(bank, issuer) + "\n")
    click.echo(f"{len(list(all_issuers()))} entity statements in {out}")


@main.command("faults")
def list_faults() -> None:
    """List the faults: name, what is expected of a relying party, what the bank does."""
    for fault in FAULTS.values():
        expected = f"{fault.expected_code} at {fault.expected_step}" if fault.expected_code else "tolerated"
        click.echo(f"{fault.name:40} {'no answer' if fault.no_answer else expected:36} {fault.title}")


@main.command("personas")
def list_personas() -> None:
    """List the fixed personas as JSON lines."""
    for persona in personas(time.time()).values():
        click.echo(json.dumps(describe(persona), ensure_ascii=False))
