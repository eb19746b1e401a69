"""A bank's next entity statement is taken by the keys of the pinned one, and not otherwise."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result

from broker.cli import main
from broker.keys import KeyRing, rotation_of
from broker.keys.purposes import STATEMENT_EXCHANGE
from providers.engine.entity_statement import build_entity_statement
from tests.broker.conftest import Data

BANK = "https://own.bank.fi"


class Bank:
    """A bank with an entity key, and the configuration that pins its statement."""

    def __init__(self, folder: Path, keys: Path, data: Data) -> None:
        self.now = int(time.time())
        self.keys = Path(shutil.copytree(keys, folder / "bank"))
        self.pinned, self.next = folder / "own.jwt", folder / "next.jwt"
        own = data["connections"]["own"]
        del own["jwks"]
        own |= {"entity_statement": str(self.pinned), "signed_jwks_uri": f"{BANK}/signed-jwks"}
        self.config = folder / "broker.toml"
        self.config.write_text(tomli_w.dumps(data))
        self.pinned.write_text(self.statement())

    def statement(self, later: int = 0, **changes: Any) -> str:
        """The bank's statement as it stands so many seconds later, dated now."""
        ring = KeyRing(self.keys, lambda: self.now + later)
        usual = {"entity_id": BANK, "redirect_uris": [], "organization_name": "A bank", "signed_jwks_uri": BANK}
        return build_entity_statement(ring, **usual | {"now": self.now, "lifetime": 86_400 * 365} | changes)

    def take(self, token: str, connection: str = "own") -> Result:
        self.next.write_text(token)
        return CliRunner().invoke(main, ["bank-statement", connection, str(self.next), "--config", str(self.config)])


@pytest.fixture
def bank(tmp_path: Path, made_keys: Path, data: Data) -> Bank:
    return Bank(tmp_path, made_keys, data)


def test_a_chain_of_statements_is_followed(bank: Bank) -> None:
    rotation_of(bank.keys, 2048).rotate(["entity"], bank.now)
    both = bank.statement(1)
    done = bank.take(both)
    assert (done.exit_code, "1 new entity keys, 0 are gone" in done.output) == (0, True)
    assert bank.pinned.read_text().strip() == both
    signed_by_the_new = bank.statement(STATEMENT_EXCHANGE + 10 * 86_400)
    done = bank.take(signed_by_the_new)
    assert (done.exit_code, "0 new entity keys, 1 are gone" in done.output) == (0, True)


def test_a_step_that_was_left_out_is_not_taken(bank: Bank) -> None:
    before = bank.pinned.read_text()
    rotation_of(bank.keys, 2048).rotate(["entity"], bank.now)
    done = bank.take(bank.statement(STATEMENT_EXCHANGE + 10 * 86_400))
    assert (done.exit_code, "signed by a key that is not pinned" in done.stderr) == (1, True)
    assert bank.pinned.read_text() == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"entity_id": "https://another.bank.fi"}, "another entity"),
        ({"lifetime": -3600}, "expired"),
    ],
)
def test_what_is_signed_by_the_pinned_key_is_still_looked_at(bank: Bank, changes: dict[str, Any], reason: str) -> None:
    before = bank.pinned.read_text()
    done = bank.take(bank.statement(**changes))
    assert (done.exit_code, reason in done.stderr) == (1, True)
    assert bank.pinned.read_text() == before


def test_a_connection_without_a_statement_is_named(bank: Bank) -> None:
    done = bank.take(bank.statement(), "shared")
    assert (done.exit_code, "there is no connection shared with an entity_statement" in done.stderr) == (1, True)
