"""The configuration in deploy/, filled in as an operator would, and our commands with the environment of its files."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner
from joserfc.jwk import ECKey

from broker.cli import main as broker_command
from broker.keys import KeyRing, generate_keys
from customer_service.cli import main as customer_service_command
from providers.engine.entity_statement import build_entity_statement
from registration.cli import main as registration_command

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
STATE = "/var/lib/tunnus"
NAMES = {"Esimerkkienergia": "Sisuenergia", "Exempelenergi": "Sisuenergi", "Example Energy": "Sisu Energy"}
COMMANDS = {
    "tunnus": (broker_command, "tunnus.toml", "TUNNUS_CONFIG"),
    "tunnus-registration": (registration_command, "registration.toml", "REGISTRATION_CONFIG"),
    "tunnus-customer-service": (customer_service_command, "customer-service.toml", "CUSTOMER_SERVICE_CONFIG"),
}
PUBLIC_KEYS = {
    "tunnus": ("public", f"{STATE}/public"),
    "tunnus-registration": ("customer-service-public", f"{STATE}/customer-service/public"),
}
"""Whose configuration names others' public keys: the volume that holds them, and where it must be mounted."""
TERMS = {"fi": "# Ehdot\n\nNoudata niitä.\n", "sv": "# Villkor\n\nFölj dem.\n", "en": "# Terms\n\nKeep them.\n"}


def fill_in(folder: Path, state: str = STATE) -> None:
    """Make deploy/config in a folder, with a company's words, keys and terms. state: in place of /var/lib/tunnus."""
    for _, file, _ in COMMANDS.values():
        text = (DEPLOY / "config" / file).read_text().replace("9 000 0000", "20 123 4567").replace(STATE, state)
        for ours, theirs in (*NAMES.items(), (".example", ".energia.fi")):
            text = text.replace(ours, theirs)
        (folder / file).write_text(text)
    keys = folder / "bank"
    generate_keys(keys, int(time.time()) - 100, entity_bits=2048)
    statement = build_entity_statement(
        KeyRing(keys, time.time),
        entity_id="https://tunnistus.telia.fi",
        redirect_uris=[],
        organization_name="A bank",
        signed_jwks_uri="https://tunnistus.telia.fi/openid_provider/signed_jwks.jwt",
        now=int(time.time()),
        lifetime=86_400 * 365,
    )
    shutil.rmtree(keys)
    (folder / "telia.jwt").write_text(statement)
    key = ECKey.generate_key("P-256", auto_kid=True).as_dict(private=False) | {"use": "sig"}
    (folder / "database-ca.pem").write_text("the authority of the database's certificate\n")
    (folder / "online-service.jwks.json").write_text(json.dumps({"keys": [key]}))
    (folder / "terms" / "2026-11-01").mkdir(parents=True)
    for language, terms in TERMS.items():
        (folder / "terms" / "2026-11-01" / f"{language}.md").write_text(terms)


@dataclass
class Deployment:
    """A filled-in configuration on this machine. secrets: by the name of their variable without `_FILE`."""

    folder: Path
    secrets: Mapping[str, str]
    instead: Mapping[str, str]
    """Values in place of a deployment's: addresses that there are on this machine only."""

    def __post_init__(self) -> None:
        for name in ("config", "secrets", "state/public", "state/erasures", "state/customer-service/public"):
            (self.folder / name).mkdir(parents=True)
        fill_in(self.folder / "config", str(self.folder / "state"))

    def run(self, command: str, service: str, given: Mapping[str, str]) -> str:
        """The output of a command of ours, which must succeed. given: the environment that a file of deploy/ gives.

        command: with /var/lib/tunnus where it names that folder.
        """
        main, config, variable = COMMANDS[service]
        where = {variable: str(self.folder / "config" / config)}
        words = command.replace(STATE, str(self.folder / "state")).split()
        done = CliRunner().invoke(main, words, env={**self.environ(given), **self.instead, **where})
        assert done.exit_code == 0, done.output
        return done.output

    def environ(self, given: Mapping[str, str]) -> dict[str, str]:
        """What a file of deploy/ gives, with secrets that are there."""
        made = dict(given)
        for name in given:
            if name.endswith("_FILE"):
                file = self.folder / "secrets" / name.removesuffix("_FILE")
                file.write_text(self.secrets[file.name] + "\n")
                made[name] = str(file)
        return made


def unit_lines(name: str) -> dict[str, list[str]]:
    """The settings of a systemd unit of deploy/, with those of the folders that it shares with others of its prefix."""
    folder = DEPLOY / "systemd"
    stem, _, kind = name.rpartition(".")
    prefixes = [stem[: place + 1] for place, letter in enumerate(stem) if letter == "-"]
    files = [file for prefix in prefixes for file in sorted((folder / f"{prefix}.{kind}.d").glob("*.conf"))]
    lines: dict[str, list[str]] = {}
    for file in (folder / name, *files):  # what stands in a drop-in counts more
        for line in file.read_text().splitlines():
            key, found, value = line.partition("=")
            if found and not line.startswith("#"):
                lines.setdefault(key, []).append(value)
    return lines
