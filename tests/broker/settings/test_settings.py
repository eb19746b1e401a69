"""Settings: which values are refused, with their keys, and what comes from the environment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Any
from urllib.parse import quote

import certifi
import pytest
import tomli_w
from pydantic import ValidationError

from broker.settings import ConfigurationError, Settings, load_settings
from tests.harness.broker_settings import Data, Problems, load, set_at
from tests.harness.certificates import certificate


def test_a_right_configuration_is_frozen(data: Data) -> None:
    settings = Settings.model_validate(data)
    with pytest.raises(ValidationError):
        settings.issuer = "https://other.fi"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.connections["own"].client_id = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"rotate_every": {"entity": 90}}, "not allowed"),
        ({"rotate_every": {"pairwise": 90}}, "not allowed"),
        ({"rotate_every": {"rp-sig": 6}}, "greater than or equal to 7"),
        ({"pkcs11": {"purposes": ["rp-sig"]}}, "from one place"),
        ({"pkcs11": {"purposes": ["rp-sig"], "pin_file": "pin", "pin_variable": "PIN"}}, "from one place"),
        ({"pkcs11": {"purposes": ["store"], "pin_file": "pin"}}, "none of the allowed"),
        ({"pkcs11": {"purposes": [], "pin_file": "pin"}}, "too few"),
        ({"pkcs11": {"purposes": ["rp-sig"], "pin": "4711"}}, "not a key of this table"),
    ],
)
def test_keys_are_rotated_and_held_as_they_can_be(data: Data, keys: Data, wrong: str, problems_in: Problems) -> None:
    if "pkcs11" in keys:
        keys = {"pkcs11": {"module": "/usr/lib/token.so", "token": "tunnus", **keys["pkcs11"]}}
    data["keys"] |= keys
    found = problems_in(data)
    assert any(key.startswith("keys.") and wrong in said for key, said in found.items()), found
    assert "4711" not in str(found)


def test_pkce_and_nonce_are_never_both_optional(data: Data, problems_in: Problems) -> None:
    set_at(data, "clients/portal/pkce", "optional")
    assert Settings.model_validate(data).clients["portal"].pkce == "optional"
    set_at(data, "clients/portal/nonce", "optional")
    assert "both optional" in problems_in(data)["clients.portal"]


REFUSED = [
    ("issuer", "https://id.energy.fi/", "more than scheme"),
    ("issuer", "http://id.energy.fi", "is plain http"),
    ("issuer", "ftp://id.energy.fi", "is not a URL"),
    ("environment", "staging", "none of the allowed values"),
    ("surprise", 1, "is not a key"),
    ("server/prot", 1, "is not a key"),
    ("server/threads", 2, "greater than or equal to 8"),
    ("store/url", ..., "exactly one way"),
    ("store/url", "http://127.0.0.1", "form that is not allowed"),
    ("store/sentinel", {"hosts": ["a:1"], "service": "x"}, "exactly one way"),
    ("store", {"url": "redis://a:1", "durable_replicas": 1, "durable_timeout": 2.0}, "leaves no time for an answer"),
    ("brand/home_links", [], "too few entries"),
    ("brand/name/sv", ..., "is missing"),
    ("relying_party/service_name/en", "Energy & Co", "no service name"),
    ("relying_party/service_name/en", "E" * 41, "no service name"),
    ("assurance/accepted/0", "http://ftn.ficora.fi/2021/loa/substantial", "no level of assurance"),
    ("assurance/accepted/0", "http://ftn.ficora.fi/2017/loa2", "level of assurance of production"),
    ("connections/own/dialect", "saml", "none of the allowed values"),
    ("connections/own/jwks", ..., "exactly one source"),
    ("connections/own/unsigned_jwks_uri", "https://own.bank.fi/jwks", "exactly one source"),
    ("connections/own/signed_jwks_uri", "https://own.bank.fi/jwks", "go together"),
    ("connections/own/entity_statement", "missing.jwt", "file that is not there"),
    ("connections/own/token_endpoint", "http://own.bank.fi/token", "is plain http"),
    ("connections/own/notices_uri", "https://own.bank.fi/notices", "publishes no notices"),
    ("connections/shared/notices_uri", "https://shared.bank.fi/notices", "notices_uri and notices = false"),
    ("connections/own/chooser_name", {"fi": "a", "sv": "a", "en": "a"}, "never shown"),
    ("connections/bank-list/chooser_name", ..., "has no chooser_name"),
    ("connections/own/clock_skew", 4000, "less than or equal to 300"),
    ("providers/unheard-of", {"connection": "own"}, "is no provider"),
    ("providers/aktia/connection", "nowhere", "not defined"),
    ("providers/aktia/connection", ..., "no connection"),
    ("providers/aktia/connection", "bank-list", 'selects "none"'),
    ("providers/aktia/selector", ..., "has no selector"),
    ("providers/aktia/selector", "oidc.nordea.1", "is also the selector of"),
    ("providers/alandsbanken/selector", "x", "never sent"),
    ("providers/pop", {"connection": "own"}, "has no selector"),
    ("providers/handelsbanken/successor", "handelsbanken", "no other provider"),
    ("providers/handelsbanken/successor", "op", "no other provider"),
    ("providers/aktia/status", "hidden", "not open"),
    ("providers/aktia/successor", "nordea", "is not closed"),
    ("clients/portal/redirect_uris", [], "too few entries"),
    ("clients/portal/redirect_uris/0", "http://portal.energy.fi/callback", "is plain http"),
    ("clients/portal/redirect_uris/0", "https://portal.energy.fi/#x", "fragment"),
    ("clients/portal/redirect_uris/0", "https://a@portal.energy.fi/", "is not a URL"),
    ("clients/portal/scopes", ["profile"], "lacks openid"),
    ("clients/portal/scopes", ["openid", "email"], "none of the allowed values"),
    ("clients/portal/scopes", ["openid", "personal_identity_code"], "encrypted identity token"),
    ("clients/portal/jwks", ..., "needs a public key"),
    ("clients/portal/jwks_uri", "http://portal.energy.fi/jwks", "is not https"),
    ("clients/portal/jwks_uri", "https://portal.energy.fi/jwks", "signing keys come from jwks_uri and from jwks"),
    ("clients/portal/jwks_ca_bundle", certifi.where(), "is never used"),
    ("clients/portal/jwks_ca_bundle", __file__, "no certificate in PEM"),
    ("connections/own/ca_bundle", __file__, "no certificate in PEM"),
    ("audit/collector", {"url": "syslog+tls://logs.energy.fi", "ca_file": __file__}, "no certificate in PEM"),
    ("store", {"url": "rediss://10.0.0.1", "ca_file": __file__}, "no certificate in PEM"),
    ("store/url", f"rediss://10.0.0.1?ssl_ca_certs={__file__}", "no certificate in PEM"),
    ("store", {"url": "rediss://10.0.0.1", "certificate_file": certifi.where()}, "no certificate and its key"),
    ("store", {"url": "rediss://10.0.0.1", "key_file": __file__}, "key_file is never used"),
    ("clients/portal/jwks", [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "a"}], "cannot be read"),
    ("clients/portal/jwks", [{"kty": "oct", "k": "AAAA", "kid": "a"}], "private or secret"),
    ("clients/portal/jwks", [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"}], "too short"),
    ("clients/portal/jwks", [{"kty": "EC"}], "without kid"),
    ("clients/portal/jwks", "nowhere.json", "cannot be read"),
    ("clients/portal/auth_method", "client_secret_basic", "secret_hash go together"),
    ("clients/portal/pkce", "sometimes", "none of the allowed values"),
    ("clients/portal/secret_hash", "sha256:" + "0" * 64, "secret_hash go together"),
    ("clients/portal/secret_hash", "hunter2", "form that is not allowed"),
    ("chooser/order", ["aktia", "nobody"], "names no row"),
    ("chooser/order", ["aktia", "nordea", "aktia"], "twice"),
    ("clients/portal/redirect_uris", ["https://portal.energy.fi/callback"] * 2, "twice"),
    ("clients/portal/redirect_uris/0", "https://%6cocalhost/", "is not a URL"),
    ("store/url", "valkey://127.0.0.1", "begins with valkey"),
    ("store/url", "redis://10.0.0.1:notaport/0", "cannot be"),
    ("store/url", "redis://10.0.0.1:99999/0", "cannot be"),
    ("store/url", "redis://[::1", "cannot be"),
    ("store/url", "redis://10.0.0.1?socket_timeout=soon", "cannot be"),
    ("store/url", "redis://10.0.0.1?socket_timeuot=1", "cannot be"),
    ("store/url", "unix:///run/valkey.sock?db=x", "cannot be"),
    ("store/url", "redis://10.0.0.1/first", "no database by its number"),
    ("store/url", "redis://10.0.0.1/0/1", "no database by its number"),
    ("store/url", "redis://10.0.0.1?decode_responses=true", "not its to set"),
    ("store/url", "rediss://10.0.0.1?ssl_ca_certs=none.pem", "that is not there"),
    ("store/url", "unix://run/valkey.sock", "no socket by its whole path"),
    ("store/url", "unix://:a-password@valkey.sock", "no socket by its whole path"),
    ("server/operations_port", 8000, "port and operations_port are one"),
    ("server", {"host": "0.0.0.0", "port": 8000, "operations_port": 8000}, "port and operations_port are one"),
    ("server/port", "eight thousand", "is not a whole number"),
    ("insecure_http", "maybe", "is neither true nor false"),
]


@pytest.mark.parametrize(("path", "value", "wrong"), REFUSED)
def test_a_wrong_value_is_refused_with_its_key(
    data: Data, problems_in: Problems, path: str, value: Any, wrong: str
) -> None:
    set_at(data, path, value)
    found = problems_in(data)
    assert any(wrong in said for said in found.values()), found
    assert len(set(found.values())) == 1, found


def test_certificates_that_tls_cannot_read_are_refused(data: Data, problems_in: Problems, tmp_path: Path) -> None:
    pem = certificate(tmp_path, "127.0.0.1")
    data["connections"]["own"]["ca_bundle"] = str(pem)
    assert Settings.model_validate(data)
    key, _, certificates = pem.read_bytes().partition(b"-----BEGIN CERTIFICATE")
    for content in (b"", key, PEM_cert_to_DER_cert(f"-----BEGIN CERTIFICATE{certificates.decode()}"), certificates):
        pem.write_bytes(content)
        assert "no certificate in PEM" in problems_in(data)["connections.own.ca_bundle"], content


def test_a_certificate_of_ours_needs_its_own_key(data: Data, problems_in: Problems, tmp_path: Path) -> None:
    pem, other = certificate(tmp_path, "127.0.0.1"), certificate(tmp_path, "127.0.0.2")
    key, begin, certificates = pem.read_bytes().partition(b"-----BEGIN CERTIFICATE")
    alone, own_key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    alone.write_bytes(begin + certificates)
    own_key.write_bytes(key)
    for files in ({"certificate_file": pem}, {"certificate_file": alone, "key_file": own_key}):
        data["store"] = {"url": "rediss://10.0.0.1"} | {name: str(file) for name, file in files.items()}
        assert Settings.model_validate(data)
    for files in ({"certificate_file": alone}, {"certificate_file": alone, "key_file": other}):
        data["store"] = {"url": "rediss://10.0.0.1"} | {name: str(file) for name, file in files.items()}
        assert "no certificate and its key" in problems_in(data)["store"]


def test_a_configuration_without_anything_to_choose_is_refused(data: Data, problems_in: Problems) -> None:
    del data["connections"]["bank-list"]
    for provider in data["providers"].values():
        provider["status"] = "closed"
    del data["providers"]["handelsbanken"]
    assert problems_in(data) == {"providers": "no provider is open"}


def test_a_connection_that_cannot_select_may_not_be_called_like_a_provider(data: Data, problems_in: Problems) -> None:
    data["connections"]["op"] = data["connections"].pop("bank-list")
    assert problems_in(data) == {"connections.op": 'selects "none" and has the id of a provider'}


def test_plain_http_to_other_machines_needs_the_demo_setting(data: Data) -> None:
    data["issuer"] = "http://broker:8000"
    data["insecure_http"] = True
    assert not Settings.model_validate(data).secure
    data["insecure_http"] = False
    with pytest.raises(ValidationError, match="is plain http"):
        Settings.model_validate(data)


class TestEnvironment:
    def test_a_value_comes_from_the_environment_or_its_default(self, data: Data, tmp_path: Path) -> None:
        data["server"] = {"port": "${PORT:-8123}"}
        assert load(data, tmp_path).server.port == 8123
        assert load(data, tmp_path, PORT="8124").server.port == 8124
        assert load(data, tmp_path, PORT="").server.port == 8123

    def test_a_default_may_hold_another_variable(self, data: Data, tmp_path: Path) -> None:
        data["keys"]["dir"] = "${KEYS:-${STATE:-/var/demo}/keys}"
        assert load(data, tmp_path).keys.dir == Path("/var/demo/keys")
        assert load(data, tmp_path, STATE="/s").keys.dir == Path("/s/keys")
        assert load(data, tmp_path, STATE="/s", KEYS="/k").keys.dir == Path("/k")

    def test_a_secret_comes_from_the_file_that_a_variable_names(self, data: Data, tmp_path: Path) -> None:
        secret = tmp_path / "url"
        secret.write_text("redis://:hunter2@10.0.0.1\n")
        data["store"]["url"] = "${STORE_URL}"
        assert load(data, tmp_path, STORE_URL_FILE=str(secret)).store.url == "redis://:hunter2@10.0.0.1"
        with pytest.raises(ConfigurationError, match="STORE_URL_FILE cannot be read"):
            load(data, tmp_path, STORE_URL_FILE=str(tmp_path / "nowhere"))

    @pytest.mark.parametrize("content", [b"\xff\xfe", "pääsy".encode("latin-1")])
    def test_a_secret_in_another_encoding_is_told(self, data: Data, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "url").write_bytes(content)
        data["store"]["url"] = "${STORE_URL}"
        with pytest.raises(ConfigurationError, match="STORE_URL_FILE names no text in UTF-8"):
            load(data, tmp_path, STORE_URL_FILE=str(tmp_path / "url"))

    def test_a_byte_order_mark_is_passed_over(self, data: Data, tmp_path: Path, client_jwk: Data) -> None:
        mark = "\ufeff"
        (tmp_path / "url").write_text(f"{mark}redis://:hunter2@10.0.0.1\r\n")
        (tmp_path / "portal.json").write_text(mark + json.dumps({"keys": [client_jwk]}))
        data["store"]["url"] = "${STORE_URL}"
        data["clients"]["portal"]["jwks"] = "portal.json"
        file = tmp_path / "tunnus.toml"
        file.write_text(mark + tomli_w.dumps(data).replace("\n", "\r\n"), newline="")
        settings = load_settings(file, {"STORE_URL_FILE": str(tmp_path / "url")})
        assert settings.store.url == "redis://:hunter2@10.0.0.1"
        assert settings.clients["portal"].jwks == (client_jwk,)

    def test_what_was_put_in_is_not_read_again(self, data: Data, tmp_path: Path) -> None:
        data["relying_party"]["organization_name"] = "${NAME}"
        settings = load(data, tmp_path, NAME="${HOME}", HOME="/root")
        assert settings.relying_party.organization_name == "${HOME}"

    def test_a_brace_that_does_not_close_is_told(self, data: Data, tmp_path: Path) -> None:
        data["relying_party"]["organization_name"] = "${NAME"
        with pytest.raises(ConfigurationError, match="does not close"):
            load(data, tmp_path)

    def test_a_relative_path_counts_from_the_file(self, data: Data, tmp_path: Path, client_jwk: Data) -> None:
        (tmp_path / "portal.json").write_text(json.dumps({"keys": [client_jwk]}))
        data["keys"]["dir"] = "my-keys"
        data["clients"]["portal"]["jwks"] = "portal.json"
        settings = load(data, tmp_path)
        assert settings.keys.dir == tmp_path / "my-keys"
        assert settings.clients["portal"].jwks == (client_jwk,)

    def test_certificates_in_the_url_of_a_store_count_from_the_file(self, data: Data, tmp_path: Path) -> None:
        shutil.copy(certifi.where(), tmp_path / "store ca.pem")
        data["store"]["url"] = f"rediss://10.0.0.1:6379/0?ssl_ca_certs=store%20ca.pem&ssl_keyfile={__file__}&protocol=3"
        ca = quote(str(tmp_path / "store ca.pem"))
        wanted = f"rediss://10.0.0.1:6379/0?ssl_ca_certs={ca}&ssl_keyfile={__file__}&protocol=3"
        assert load(data, tmp_path).store.url == wanted


def test_a_client_that_gets_personal_identity_codes_has_one_audience(
    data: Data, client_encryption_jwk: Data, problems_in: Problems
) -> None:
    portal = data["clients"]["portal"]
    portal["jwks"].append(client_encryption_jwk)
    portal["scopes"] = ["openid", "personal_identity_code"]
    key = Settings.model_validate(data).clients["portal"].encryption_key
    assert key is not None
    assert key["kid"] == "client-enc"
    portal["audiences"] = ["https://api.energy.fi"]
    assert problems_in(data) == {"clients.portal": "personal_identity_code goes to one audience only"}


def test_an_encryption_key_of_another_algorithm_is_none(data: Data, client_encryption_jwk: Data) -> None:
    data["clients"]["portal"]["jwks"].append(client_encryption_jwk | {"alg": "RSA1_5"})
    assert Settings.model_validate(data).clients["portal"].encryption_key is None
