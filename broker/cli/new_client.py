"""`tunnus clients new`: what the operator writes into the configuration for a client, and what its developer gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from broker.cli.common import config_option, errors_reported
from broker.settings import load_settings
from broker.settings.client_files import problems_with
from broker.settings.models import ClientSettings
from broker.settings.software import BY_NAME, Software, toml
from kit.client_authentication.secret import hash_secret, new_secret
from kit.commands import Failed
from kit.keys.files import write_private
from kit.settings.report import ConfigurationError, problems_of
from kit.settings.types import Id, Section

_OTHER = Software("other", "README", "/callback", "PKCE with S256, state and nonce")
_CHOICES = (*BY_NAME, _OTHER.name)


@click.command("new")
@click.option("--id", "client_id", prompt="client_id, a short name", help="What the client calls itself.")
@click.option(
    "--name", prompt="Name that people see in the chooser", help="For fi, sv and en; change it where they differ."
)
@click.option("--address", prompt="Address of its pages, as https://app.example.fi", help="home_uri.")
@click.option("--software", type=click.Choice(_CHOICES), prompt="Software that it connects with", help="docs/clients.")
@click.option(
    "--sector", prompt="Sector: the same person is the same sub for all clients of one", help="Never change it."
)
@click.option("--redirect-uri", help="Where its software takes another than it usually has.")
@click.option("--write", is_flag=True, help="Write the section into the folder that clients_from names.")
@config_option(required=False)
def new_client(
    client_id: str,
    name: str,
    address: str,
    software: str,
    sector: str,
    redirect_uri: str | None,
    write: bool,
    config: Path | None,
) -> None:
    """Print a section for the configuration, and the settings of the client, with a fresh secret.

    Asks for what no option tells. The secret is shown this once; the section holds its hash. Put the section into the
    configuration and run tunnus check; or let --write make a file of it, which running brokers read by themselves.

    \b
      tunnus clients new
      tunnus clients new --id reports --name Reports --address https://reports.example.fi \\
          --software authlib --sector my-company --write --config test.toml
    """
    chosen = BY_NAME.get(software, _OTHER)
    address, secret = address.rstrip("/"), new_secret()
    section = {
        "name": {"fi": name, "sv": name, "en": name},
        "redirect_uris": [redirect_uri or address + chosen.redirect],
        "auth_method": chosen.auth_method,
        "secret_hash": hash_secret(secret),
        "sector": sector,
        "home_uri": f"{address}/",
        "scopes": ["openid", "profile"],
        **({} if chosen is _OTHER else {"software": chosen.name}),
        **chosen.settings,
    }
    with errors_reported():
        try:
            made = _Clients.model_validate({"clients": {client_id: section}}).clients
        except ValidationError as error:
            raise ConfigurationError("the new client", problems_of(error)) from error
        lines = "\n".join(_for_the_broker(client_id, section))
        lines = (
            f"# Written to {_write(config, made, lines)}" if write else f"# For the broker's configuration:\n{lines}"
        )
    click.echo(lines)
    click.echo("\n".join(_for_the_client(client_id, secret, section, chosen)))


class _Clients(Section):
    clients: dict[Id, ClientSettings]


def _write(config: Path | None, made: dict[str, ClientSettings], lines: str) -> Path:
    """Make a file of one client, if the configuration would take it. Raises ConfigurationError, Failed."""
    if config is None:
        raise click.UsageError("--write needs the configuration: name it with --config")
    settings = load_settings(config)
    folder, (name,) = settings.clients_from, made
    if folder is None or not folder.is_dir():
        raise Failed("--write needs a folder: name one as clients_from in the configuration")
    file = folder / f"{name}.toml"
    if name in settings.clients or file.exists():
        raise Failed(f"{name} is there already: choose another --id")
    if problems := problems_with(settings, {**settings.clients, **made}):
        raise ConfigurationError("the new client", problems)
    write_private(file, lines + "\n", mode=0o644)  # whole at once: a broker may read it at any moment
    return file


def _for_the_broker(client_id: str, section: dict[str, Any]) -> Iterator[str]:
    yield f"[clients.{client_id}]"
    for key, value in section.items():
        if isinstance(value, dict):
            value = "{ " + ", ".join(f"{language} = {toml(words)}" for language, words in value.items()) + " }"
        else:
            value = toml(value)
        yield f"{key} = {value}"


def _for_the_client(client_id: str, secret: str, section: dict[str, Any], software: Software) -> Iterator[str]:
    yield ""
    yield f"# For the client's developer, by a safe way; docs/clients/{software.page}.md tells where each goes:"
    yield "issuer         the broker's issuer; it has /.well-known/openid-configuration"
    yield f"client_id      {client_id}"
    yield f"client_secret  {secret}"
    yield f"authenticates  by {section['auth_method']}"
    yield f"redirect URI   {section['redirect_uris'][0]}"
    yield f"scope          {' '.join(section['scopes'])}"
    yield f"sends          {software.there or 'what it sends by default'}"
