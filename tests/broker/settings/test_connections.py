"""Connections: their selectors and addresses, and whose keys a pinned entity statement gives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc import jws

from broker.settings import ConfigurationError, Settings
from providers.connection import PinnedJwks, SignedJwks, UnsignedJwks
from tests.harness.broker_settings import Data, load
from tests.harness.weak_keys import roca_key


def pinned(data: Data, tmp_path: Path, statement: str, entity_id: str | None = "https://entity.bank.fi") -> Settings:
    (tmp_path / "own.jwt").write_text(statement)
    own = data["connections"]["own"]
    own |= {"entity_statement": "own.jwt", "signed_jwks_uri": "https://own.bank.fi/signed-jwks"}
    if entity_id is not None:
        own.setdefault("entity_id", entity_id)
    del own["jwks"]
    return load(data, tmp_path)


def test_a_connection_gets_its_selectors_and_our_callback(data: Data) -> None:
    connection = Settings.model_validate(data).connection_of("shared")
    assert connection.redirect_uri == "https://id.energy.fi/callback/shared"
    assert connection.selectors == {"aktia": "oidc.aktia.1", "nordea": "oidc.nordea.1"}
    assert connection.dialect.name == "telia"
    assert isinstance(connection.jwks, PinnedJwks)
    assert connection.test
    assert connection.service_names["sv"] == "Energy sv"


def test_notices_are_read_below_the_issuer_or_where_the_settings_say(data: Data) -> None:
    shared = data["connections"]["shared"]
    assert Settings.model_validate(data).connection_of("shared").notices_uri is None
    del shared["notices"]
    below = Settings.model_validate(data).connection_of("shared").notices_uri
    assert below == "https://shared.bank.fi/resource/maintenance.txt"
    shared["notices_uri"] = "http://elsewhere.bank.fi/text"
    with pytest.raises(ValueError, match="is plain http to another machine"):
        Settings.model_validate(data)
    shared["notices_uri"] = "https://elsewhere.bank.fi/text"
    assert Settings.model_validate(data).connection_of("shared").notices_uri == "https://elsewhere.bank.fi/text"
    assert Settings.model_validate(data).connection_of("own").notices_uri is None


def test_production_connections_take_no_test_levels(production: Data) -> None:
    assert not Settings.model_validate(production).connection_of("own").test


def test_closed_providers_are_not_reached(data: Data) -> None:
    data["providers"]["nordea"]["status"] = "closed"
    settings = Settings.model_validate(data)
    assert set(settings.providers_of("shared")) == {"aktia"}
    assert settings.providers_of("bank-list") == {}


def test_a_service_name_agreed_with_one_bank_replaces_the_usual(data: Data) -> None:
    data["connections"]["own"]["service_name"] = {"fi": "Muu", "sv": "Annan", "en": "Other"}
    assert Settings.model_validate(data).connection_of("own").service_names["en"] == "Other"


def test_unsigned_keys_are_possible_in_a_test(data: Data) -> None:
    own = data["connections"]["own"]
    own["unsigned_jwks_uri"] = "https://own.bank.fi/jwks"
    del own["jwks"]
    assert Settings.model_validate(data).connection_of("own").jwks == UnsignedJwks("https://own.bank.fi/jwks")


def test_a_pinned_entity_statement_gives_entity_and_keys(
    data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    settings = pinned(data, tmp_path, entity_statement_of("https://entity.bank.fi"))
    jwks = settings.connection_of("own").jwks
    assert isinstance(jwks, SignedJwks)
    assert (jwks.entity_id, jwks.uri) == ("https://entity.bank.fi", "https://own.bank.fi/signed-jwks")
    assert jwks.entity_keys


def test_a_statement_that_an_editor_saved_with_a_byte_order_mark_pins_its_keys(
    data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    settings = pinned(data, tmp_path, f"\ufeff{entity_statement_of('https://entity.bank.fi')}\r\n")
    assert isinstance(settings.connection_of("own").jwks, SignedJwks)


def test_an_expired_statement_keeps_its_pins_so_that_we_can_start(
    data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    statement = entity_statement_of("https://entity.bank.fi", now=int(time.time()) - 7200, lifetime=3600)
    assert isinstance(pinned(data, tmp_path, statement).connection_of("own").jwks, SignedJwks)


def test_a_statement_that_was_changed_stops_us(
    data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    head, payload, signature = entity_statement_of("https://entity.bank.fi").split(".")
    forged = entity_statement_of("https://evil.fi").split(".")[1]
    with pytest.raises(ConfigurationError, match="does not verify"):
        pinned(data, tmp_path, f"{head}.{forged}.{signature}")
    assert forged != payload


def test_a_statement_by_a_key_that_anyone_can_factor_stops_us(data: Data, tmp_path: Path) -> None:
    key, now = roca_key(), int(time.time())
    jwks = {"keys": [key.as_dict(private=False)]}
    claims = {"iss": "https://entity.bank.fi", "sub": "https://entity.bank.fi", "iat": now, "exp": now + 600}
    header = {"alg": "RS256", "kid": "roca", "typ": "entity-statement+jwt"}
    with pytest.raises(ConfigurationError, match="ROCA, CVE-2017-15361"):
        pinned(data, tmp_path, jws.serialize_compact(header, json.dumps(claims | {"jwks": jwks}), key))


def test_a_statement_of_another_entity_stops_us(
    data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    data["connections"]["own"]["entity_id"] = "https://other.bank.fi"
    with pytest.raises(ConfigurationError, match="not the entity of the pinned statement"):
        pinned(data, tmp_path, entity_statement_of("https://entity.bank.fi"))


def test_a_statement_of_another_bank_stops_us_where_only_the_issuer_is_named(
    data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    with pytest.raises(ConfigurationError, match=r"own\.issuer.*\n.*not the entity of the pinned statement"):
        pinned(data, tmp_path, entity_statement_of("https://other.bank.fi"), entity_id=None)


def test_the_issuer_is_the_entity_unless_another_is_named(
    data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    assert pinned(data, tmp_path, entity_statement_of("https://own.bank.fi"), entity_id=None)
