"""PRH's open data as the demo has it: the companies of config/customers.demo.csv, in the form of the YTJ API v3.

    python -m demo.runner.prh    http://127.0.0.1:8007/opendata-ytj-api/v3/companies?businessId=9990001-6

Most of them are registered, one has ended, one is bankrupt, and one is not known here, as a sole trader is not.
The companies are made up. Their FO-nummer begin at 9990001, far above those that have been given out (about
3,500,000 by 2025), and have right check digits.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import click
from flask import Flask, request
from waitress import serve

CUSTOMERS = Path(__file__).parents[2] / "config" / "customers.demo.csv"
ENDED, BANKRUPT, UNKNOWN = "9990021-9", "9990022-7", "9990023-5"
"""The FO-nummer of those that are not just registered."""
TRADE_REGISTER = "1"
PATH = "/opendata-ytj-api/v3"
"""Where PRH serves it too."""


def create_app(customers: Path) -> Flask:
    """The application. customers: a CSV file with the columns fo_nummer and company_name, read once."""
    with customers.open(encoding="utf-8-sig", newline="") as file:
        names = {line["fo_nummer"]: line["company_name"] for line in csv.DictReader(file)}
    known = {fo_nummer: company(fo_nummer, name) for fo_nummer, name in names.items() if fo_nummer != UNKNOWN}
    app = Flask(__name__, static_folder=None)

    @app.get(f"{PATH}/companies")
    def companies() -> dict[str, Any]:
        found = known.get(request.args.get("businessId", ""))
        return {"totalResults": 1, "companies": [found]} if found else {"totalResults": 0, "companies": []}

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "ok"}

    return app


def company(fo_nummer: str, name: str) -> dict[str, Any]:
    """A company in the form of the API."""
    registered, ended = "2010-03-01", "2024-11-30"
    found = {
        "businessId": {"value": fo_nummer, "registrationDate": registered, "source": "3"},
        "names": [{"name": name, "type": "1", "registrationDate": registered, "version": 1, "source": TRADE_REGISTER}],
        "companyForms": [],
        "companySituations": [],
        "registeredEntries": [],
        "addresses": [],
        "tradeRegisterStatus": "1",
        "status": "2",
        "registrationDate": registered,
        "lastModified": "2025-01-15T12:00:00",
    }
    if fo_nummer == ENDED:
        found |= {"tradeRegisterStatus": "4", "endDate": ended}
    if fo_nummer == BANKRUPT:
        found["companySituations"] = [{"type": "KONK", "registrationDate": ended, "source": TRADE_REGISTER}]
    return found


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8007, show_default=True, help="Port to listen on.")
@click.option(
    "--customers",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=CUSTOMERS,
    help="The companies.  [default: config/customers.demo.csv]",
)
def main(host: str, port: int, customers: Path) -> None:
    """Run the stand-in for PRH's open data until SIGTERM or Ctrl-C."""
    serve(create_app(customers), host=host, port=port, threads=8, ident=None)


if __name__ == "__main__":
    main(auto_envvar_prefix="PRH")
