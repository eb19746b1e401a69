"""`python -m demo.mailbox`."""

from __future__ import annotations

import click
from waitress import serve

from demo.mailbox.app import Catcher, Mailbox, create_app


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8025, show_default=True, help="Port of the page.")
@click.option("--smtp-port", default=1025, show_default=True, help="Port that takes e-mail.")
def main(host: str, port: int, smtp_port: int) -> None:
    """Catch e-mail and show it on a page, until SIGTERM or Ctrl-C."""
    mailbox = Mailbox()
    catcher = Catcher(mailbox, host, smtp_port)
    try:
        serve(create_app(mailbox), host=host, port=port, threads=4, ident=None)
    finally:
        catcher.close()


if __name__ == "__main__":
    main(auto_envvar_prefix="MAILBOX")
