"""The command `tunnus-customer-service`: serve, check, keys."""

from __future__ import annotations

from pathlib import Path

import click

from customer_service.app import create_app
from customer_service.configuration import load_everything
from customer_service.keys import PURPOSES
from customer_service.settings import load_settings
from kit.commands import config_option, errors_reported
from kit.keys.commands import Configured, KeyCommands
from kit.keys.rotation import Rotation
from kit.pages.texts import further_texts

CONFIG = "CUSTOMER_SERVICE_CONFIG"
EXAMPLES = """
\b
A first start:
  tunnus-customer-service keys init --dir /var/lib/customer-service/keys
  tunnus-customer-service keys show-public --dir /var/lib/customer-service/keys --out customer-service.jwks.json
  tunnus-customer-service check --config customer-service.toml
  tunnus-customer-service serve --config customer-service.toml

\b
Exit status:
  0  all is well
  1  something is wrong, and was said
  2  the command was given wrongly
"""


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """The pages of customer service's staff, beside registration.

    Every command but keys takes the configuration file by --config or CUSTOMER_SERVICE_CONFIG.
    """


@main.command(short_help="Run customer service's pages.")
@config_option(CONFIG)
def serve(config: Path) -> None:
    """Run customer service's pages until SIGTERM or Ctrl-C: one process, as sessions stand in its memory.

    Two ports: one for browsers, and one for operations (/livez, /readyz, /metrics), both in [server].

    \b
      tunnus-customer-service serve --config customer-service.toml
    """
    from customer_service.server import serve as run

    with errors_reported():
        run(config)


@main.command(short_help="Check configuration and keys.")
@config_option(CONFIG)
def check(config: Path) -> None:
    """Check the configuration, the keys and the texts: all problems in one report. Nobody else is asked.

    \b
      tunnus-customer-service check --config customer-service.toml
    """
    with errors_reported():
        service = create_app(load_everything(config)).extensions["customer_service"]
    for line in further_texts(service.pages.texts):
        click.echo(line)
    click.echo("all is well")


@main.group()
def keys() -> None:
    """Make our keys, replace them, show how they stand.

    \b
    Purposes:
      client   proves us to registration and to the employer's provider: both need its public part
      sealing  encrypts what a browser holds while somebody signs in
      cookie   signs the session's cookie

    \b
      tunnus-customer-service keys init --dir /var/lib/customer-service/keys
      tunnus-customer-service keys show-public --dir /var/lib/customer-service/keys --out customer-service.jwks.json
      tunnus-customer-service keys rotate --due --config customer-service.toml      # for cron
      tunnus-customer-service keys status --config customer-service.toml
    """


def _configured(config: Path) -> Configured:
    settings = load_settings(config).keys
    return settings.dir, settings.rotate_every, PURPOSES


KeyCommands(
    "tunnus-customer-service keys", PURPOSES, lambda folder, _: Rotation(folder, PURPOSES), _configured, CONFIG
).add_to(keys)
