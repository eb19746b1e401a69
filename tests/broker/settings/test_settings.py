"""Settings: what is refused, that all of it is told at once, and what the runtime gets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from joserfc import jws
from pydantic import ValidationError

from broker.settings import ConfigurationError, Settings, load_settings
from kit.client_authentication.secret import hash_secret, new_secret
from providers.connection import PinnedJwks, SignedJwks, UnsignedJwks
from tests.harness.weak_keys import roca_key

CONFIG = Path(__file__).parents[3] / "config"
Data = dict[str, Any]


def set_at(data: Data, path: str, value: Any) -> None:
    """Set (or, for ..., remove) what stands at a dotted path."""
    *way, last = path.split("/")
    for part in way:
        data = data[int(part)] if isinstance(data, list) else data.setdefault(part, {})
    if value is ...:
        del data[last]
    elif isinstance(data, list):
        data[int(last)] = value
    else:
        data[last] = value


@pytest.fixture
def problems_in(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Loads data as a file and gives each problem's key with what is wrong."""

    def load(data: Data, **environ: str) -> dict[str, str]:
        path = tmp_path / "tunnus.toml"
        path.write_text(tomli_w.dumps(data))
        with pytest.raises(ConfigurationError) as caught:
            load_settings(path, environ)
        return {problem.lines()[0].split(" = ")[0].strip(): problem.wrong for problem in caught.value.problems}

    return load


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
def test_keys_are_rotated_and_held_as_they_can_be(
    data: Data, keys: Data, wrong: str, problems_in: Callable[..., dict[str, str]]
) -> None:
    if "pkcs11" in keys:
        keys = {"pkcs11": {"module": "/usr/lib/token.so", "token": "tunnus", **keys["pkcs11"]}}
    data["keys"] |= keys
    found = problems_in(data)
    assert any(key.startswith("keys.") and wrong in said for key, said in found.items()), found
    assert "4711" not in str(found)


def test_pkce_and_nonce_are_never_both_optional(data: Data, problems_in: Callable[..., dict[str, str]]) -> None:
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
    ("server/port", "eight thousand", "is not a whole number"),
    ("insecure_http", "maybe", "is neither true nor false"),
]


@pytest.mark.parametrize(("path", "value", "wrong"), REFUSED)
def test_a_wrong_value_is_refused_with_its_key(
    data: Data, problems_in: Callable[..., dict[str, str]], path: str, value: Any, wrong: str
) -> None:
    set_at(data, path, value)
    found = problems_in(data)
    assert any(wrong in said for said in found.values()), found
    assert len(set(found.values())) == 1, found


PRODUCTION_REFUSES = [
    ("server/trusted_proxies", 0, "for everybody's"),
    ("issuer", "https://127.1", "is this machine"),
    ("issuer", "https://2130706433", "is this machine"),
    ("issuer", "https://0x7f000001", "is this machine"),
    ("issuer", "https://[::ffff:127.0.0.1]", "is this machine"),
    ("issuer", "https://169.254.169.254", "link-local"),
    ("issuer", "https://0.0.0.0", "address of no machine"),
    ("issuer", "https://224.0.0.1", "multicast"),
    ("issuer", "https://198.51.100.7", "reserved"),
    ("issuer", "https://10.1", "private network"),
    ("issuer", "https://id", "one label"),
    ("connections/own/token_endpoint", "https://bank", "one label"),
    ("connections/own/issuer", "https://x.isb-test.op.fi", "is a sandbox"),
    ("clients/portal/home_uri", "https://portal/", "one label"),
    ("clients/portal/name/en", "Example Energy", "placeholder"),
    ("brand/customer_service/phone", "+358 (0)9 000 0000", "placeholder"),
    ("brand/customer_service/email", "help@energy.example", "placeholder"),
    ("relying_party/organization_name", "Example Energy Ltd", "placeholder"),
    ("store/url", "redis://store.energy.fi:6379", "no TLS"),
    ("store/url", "redis://valkey:6379", "no TLS"),
    ("store/url", "rediss://store.energy.fi:6379?ssl_cert_reqs=none", "certificate"),
    ("store", {"sentinel": {"hosts": ["sentinel.energy.fi:26379"], "service": "x"}}, "without TLS"),
    ("insecure_http", True, "refused in production"),
    ("issuer", "http://id.energy.fi", "is plain http"),
    ("issuer", "https://localhost", "is this machine"),
    ("issuer", "https://id.energy.example", "placeholder"),
    ("assurance/accepted/0", "http://ftn.ficora.fi/2017/loatest2", "level of assurance of test"),
    ("assurance/accepted/0", "http://ftn.ficora.fi/2017/loatest3", "level of assurance of test"),
    ("connections/own/issuer", "https://isb-test.op.fi", "is a sandbox"),
    ("connections/own/issuer", "https://tunnistus-pp.telia.fi/uas", "is a sandbox"),
    ("connections/own/token_endpoint", "https://isb-test.op.fi/oauth/token", "is a sandbox"),
    ("connections/own/token_endpoint", "http://127.0.0.1:8002/token", "is this machine"),
    ("connections/own/authorization_endpoint", "http://own.bank.fi/authorize", "is plain http"),
    ("connections/own/allowed_identity_codes", ["280453-111A"], "refused in production"),
    ("providers/aktia/selector", "mock-aktia", "mock banks"),
    ("relying_party/entity_id", "https://id.energy.test", "placeholder"),
    ("clients/portal/home_uri", "http://localhost:8003/", "is this machine"),
    ("clients/portal/redirect_uris/0", "http://127.0.0.1:8003/callback", "is this machine"),
    ("brand/home_links/0/uri", "http://127.0.0.1/", "is this machine"),
]


@pytest.mark.parametrize(("path", "value", "wrong"), PRODUCTION_REFUSES)
def test_production_refuses_what_belongs_to_a_test(
    production: Data, problems_in: Callable[..., dict[str, str]], path: str, value: Any, wrong: str
) -> None:
    set_at(production, path, value)
    found = problems_in(production)
    assert any(wrong in said for said in found.values()), found
    assert len(set(found.values())) == 1, found


def test_production_refuses_the_hash_of_an_example(
    production: Data, problems_in: Callable[..., dict[str, str]]
) -> None:
    portal = production["clients"]["portal"]
    del portal["jwks"]
    portal |= {"auth_method": "client_secret_basic", "secret_hash": "sha256:" + "0" * 64}
    assert "hash of an example" in problems_in(production)["clients.portal.secret_hash"]
    portal["secret_hash"] = hash_secret("secret")
    assert "hash of an example" in problems_in(production)["clients.portal.secret_hash"]
    portal["secret_hash"] = hash_secret(new_secret())
    assert Settings.model_validate(production)


def test_a_private_network_may_do_without_tls_and_hold_clients(production: Data) -> None:
    production["private_network"] = True
    production["store"]["url"] = "redis://valkey:6379/0"
    production["clients"]["portal"]["home_uri"] = "https://portal/"
    assert Settings.model_validate(production).trusted_proxies == 1
    production["issuer"] = "https://id"
    with pytest.raises(ValidationError, match="one label"):
        Settings.model_validate(production)


@pytest.mark.parametrize("folder", ["accessibility", "terms/2026-11-01"])
def test_production_refuses_the_templates_that_are_shipped(
    production: Data, problems_in: Callable[..., dict[str, str]], folder: str, tmp_path: Path
) -> None:
    for code in ("fi", "sv", "en"):
        (tmp_path / code).mkdir()
        (tmp_path / code / f"{code}.md").write_text((CONFIG / folder / f"{code}.md").read_text())
        production["brand"]["accessibility"] = str(tmp_path / code)
        assert "placeholder" in problems_in(production)["brand.accessibility"]
    written = "We meet [WCAG 2.2](https://www.w3.org/TR/WCAG22/). Tell us: help@energy.fi, +358 20 123 4567."
    (tmp_path / "fi" / "fi.md").write_text(written)
    production["brand"]["accessibility"] = str(tmp_path / "fi")
    assert Settings.model_validate(production)
    (tmp_path / "fi" / "fi.md").write_text(f"{written} It was written on [1 December 2026].")
    assert "placeholder" in problems_in(production)["brand.accessibility"]


def test_production_refuses_the_notices_of_the_example(
    production: Data, problems_in: Callable[..., dict[str, str]]
) -> None:
    production["notices"] = {"file": str(CONFIG / "notices.example.toml")}
    assert "placeholder" in problems_in(production)["notices.file"]


def test_production_refuses_keys_that_are_fetched_unsigned(
    production: Data, problems_in: Callable[..., dict[str, str]]
) -> None:
    del production["connections"]["own"]["jwks"]
    production["connections"]["own"]["unsigned_jwks_uri"] = "https://own.bank.fi/jwks"
    assert problems_in(production) == {"connections.own.unsigned_jwks_uri": "is refused in production"}


def test_production_takes_what_belongs_to_it(production: Data) -> None:
    assert Settings.model_validate(production).environment == "production"


def test_every_problem_stands_in_one_report(data: Data, problems_in: Callable[..., dict[str, str]]) -> None:
    data["server"] = {"port": "many"}
    data["brand"]["surprise"] = 1
    data["connections"]["own"]["dialect"] = "saml"
    data["providers"]["aktia"]["connection"] = "nowhere"
    data["providers"]["unheard-of"] = {"connection": "shared"}
    data["assurance"]["accepted"] = ["http://ftn.ficora.fi/2017/loa2"]
    data["clients"]["portal"]["redirect_uris"] = ["http://portal.energy.fi/"]
    data["keys"] = {"dir": "${NOT_SET_ANYWHERE}"}
    assert set(problems_in(data)) == {
        "server.port",
        "brand.surprise",
        "connections.own.dialect",
        "providers.aktia.connection",
        "providers.unheard-of",
        "assurance.accepted[0]",
        "clients.portal.redirect_uris[0]",
        "keys.dir",
    }


def test_the_report_shows_values_and_mends_but_no_secret(data: Data, tmp_path: Path) -> None:
    data["issuer"] = "http://id.energy.fi"
    data["store"]["url"] = "memcached://:hunter2@10.0.0.1"
    data["clients"]["portal"]["secret_hash"] = "hunter2"
    data["connections"]["own"]["proxy"] = "socks://me:hunter2@proxy.energy.fi"
    data["password"] = "hunter2"
    path = tmp_path / "tunnus.toml"
    path.write_text(tomli_w.dumps(data))
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, {})
    report = str(caught.value)
    assert "hunter2" not in report
    assert f"{path}: 5 problems" in report
    assert 'issuer = "http://id.energy.fi"' in report
    assert "mend: use https" in report


@pytest.mark.parametrize(
    ("path", "value", "mend"),
    [
        ("server/prot", 1, 'did you mean "port"?'),
        ("clients/portal/redirect_uri", "https://x.fi/", 'did you mean "redirect_uris"?'),
        ("connections/own/signed-jwks-uri", "https://x.fi/", 'did you mean "signed_jwks_uri"?'),
        ("brand/customer_service/colour", "1", "mend its spelling"),
        ("log", {"level": "WARN"}, 'did you mean "WARNING"?'),
        ("environment", "prodution", 'did you mean "production"?'),
        ("providers/nordae", {"connection": "own"}, 'did you mean "nordea"?'),
        ("providers/aktia/connection", "shard", 'did you mean "shared"?'),
        ("chooser/order", ["aktai"], 'did you mean "aktia"?'),
        ("assurance/accepted/0", "http://ftn.ficora.fi/2017/loatest", 'did you mean "http://ftn.ficora.fi/2017/loat'),
        ("store/url", "valkey://127.0.0.1", "write redis://"),
        ("store/url", "valkeys://127.0.0.1", "write rediss://"),
        ("server/port", "http", "in digits"),
        ("clients/portal/secret_hash", "plain", "never the secret itself"),
    ],
)
def test_the_report_says_what_was_meant(
    data: Data, problems_in: Callable[..., dict[str, str]], tmp_path: Path, path: str, value: Any, mend: str
) -> None:
    set_at(data, path, value)
    problems_in(data)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(tmp_path / "tunnus.toml", {})
    assert mend in str(caught.value)


def test_a_private_key_in_the_configuration_is_never_shown(data: Data, tmp_path: Path, client_jwk: Data) -> None:
    data["clients"]["portal"]["jwks"] = [client_jwk | {"d": "c2VjcmV0"}]
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(data)
    assert "c2VjcmV0" not in str(caught.value)
    assert "private or secret key" in str(caught.value)


def test_all_problems_between_tables_stand_in_one_error_without_a_file(data: Data) -> None:
    data["providers"]["aktia"]["connection"] = "nowhere"
    data["chooser"] = {"order": ["nobody"]}
    with pytest.raises(ValidationError, match=r"(?s)providers\.aktia\.connection.*chooser\.order"):
        Settings.model_validate(data)


def test_a_configuration_without_anything_to_choose_is_refused(
    data: Data, problems_in: Callable[..., dict[str, str]]
) -> None:
    del data["connections"]["bank-list"]
    for provider in data["providers"].values():
        provider["status"] = "closed"
    del data["providers"]["handelsbanken"]
    assert problems_in(data) == {"providers": "no provider is open"}


def test_a_connection_that_cannot_select_may_not_be_called_like_a_provider(
    data: Data, problems_in: Callable[..., dict[str, str]]
) -> None:
    data["connections"]["op"] = data["connections"].pop("bank-list")
    assert problems_in(data) == {"connections.op": 'selects "none" and has the id of a provider'}


def test_a_file_that_is_no_toml_or_not_there_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("issuer = ")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load_settings(path, {})
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings(path, {})
    with pytest.raises(ConfigurationError, match="No such file"):
        load_settings(tmp_path / "nowhere.toml", {})


def test_plain_http_to_other_machines_needs_the_demo_setting(data: Data) -> None:
    data["issuer"] = "http://broker:8000"
    data["insecure_http"] = True
    assert not Settings.model_validate(data).secure
    data["insecure_http"] = False
    with pytest.raises(ValidationError, match="is plain http"):
        Settings.model_validate(data)


class TestEnvironment:
    def load(self, data: Data, tmp_path: Path, **environ: str) -> Settings:
        path = tmp_path / "tunnus.toml"
        path.write_text(tomli_w.dumps(data))
        return load_settings(path, environ)

    def test_a_value_comes_from_the_environment_or_its_default(self, data: Data, tmp_path: Path) -> None:
        data["server"] = {"port": "${PORT:-8123}"}
        assert self.load(data, tmp_path).server.port == 8123
        assert self.load(data, tmp_path, PORT="8124").server.port == 8124
        assert self.load(data, tmp_path, PORT="").server.port == 8123

    def test_a_default_may_hold_another_variable(self, data: Data, tmp_path: Path) -> None:
        data["keys"]["dir"] = "${KEYS:-${STATE:-/var/demo}/keys}"
        assert self.load(data, tmp_path).keys.dir == Path("/var/demo/keys")
        assert self.load(data, tmp_path, STATE="/s").keys.dir == Path("/s/keys")
        assert self.load(data, tmp_path, STATE="/s", KEYS="/k").keys.dir == Path("/k")

    def test_a_secret_comes_from_the_file_that_a_variable_names(self, data: Data, tmp_path: Path) -> None:
        secret = tmp_path / "url"
        secret.write_text("redis://:hunter2@10.0.0.1\n")
        data["store"]["url"] = "${STORE_URL}"
        assert self.load(data, tmp_path, STORE_URL_FILE=str(secret)).store.url == "redis://:hunter2@10.0.0.1"
        with pytest.raises(ConfigurationError, match="STORE_URL_FILE cannot be read"):
            self.load(data, tmp_path, STORE_URL_FILE=str(tmp_path / "nowhere"))

    def test_what_was_put_in_is_not_read_again(self, data: Data, tmp_path: Path) -> None:
        data["relying_party"]["organization_name"] = "${NAME}"
        settings = self.load(data, tmp_path, NAME="${HOME}", HOME="/root")
        assert settings.relying_party.organization_name == "${HOME}"

    def test_a_brace_that_does_not_close_is_told(self, data: Data, tmp_path: Path) -> None:
        data["relying_party"]["organization_name"] = "${NAME"
        with pytest.raises(ConfigurationError, match="does not close"):
            self.load(data, tmp_path)

    def test_a_relative_path_counts_from_the_file(self, data: Data, tmp_path: Path, client_jwk: Data) -> None:
        (tmp_path / "portal.json").write_text(json.dumps({"keys": [client_jwk]}))
        data["keys"]["dir"] = "my-keys"
        data["clients"]["portal"]["jwks"] = "portal.json"
        settings = self.load(data, tmp_path)
        assert settings.keys.dir == tmp_path / "my-keys"
        assert settings.clients["portal"].jwks == (client_jwk,)


class TestConnections:
    def test_a_connection_gets_its_selectors_and_our_callback(self, data: Data) -> None:
        connection = Settings.model_validate(data).connection_of("shared")
        assert connection.redirect_uri == "https://id.energy.fi/callback/shared"
        assert connection.selectors == {"aktia": "oidc.aktia.1", "nordea": "oidc.nordea.1"}
        assert connection.dialect.name == "telia"
        assert isinstance(connection.jwks, PinnedJwks)
        assert connection.test
        assert connection.service_names["sv"] == "Energy sv"

    def test_production_connections_take_no_test_levels(self, production: Data) -> None:
        assert not Settings.model_validate(production).connection_of("own").test

    def test_closed_providers_are_not_reached(self, data: Data) -> None:
        data["providers"]["nordea"]["status"] = "closed"
        settings = Settings.model_validate(data)
        assert set(settings.providers_of("shared")) == {"aktia"}
        assert settings.providers_of("bank-list") == {}

    def test_a_service_name_agreed_with_one_bank_replaces_the_usual(self, data: Data) -> None:
        data["connections"]["own"]["service_name"] = {"fi": "Muu", "sv": "Annan", "en": "Other"}
        assert Settings.model_validate(data).connection_of("own").service_names["en"] == "Other"

    def test_unsigned_keys_are_possible_in_a_test(self, data: Data) -> None:
        own = data["connections"]["own"]
        own["unsigned_jwks_uri"] = "https://own.bank.fi/jwks"
        del own["jwks"]
        assert Settings.model_validate(data).connection_of("own").jwks == UnsignedJwks("https://own.bank.fi/jwks")

    def test_a_pinned_entity_statement_gives_entity_and_keys(
        self, data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
    ) -> None:
        settings = self.pinned(data, tmp_path, entity_statement_of("https://entity.bank.fi"))
        jwks = settings.connection_of("own").jwks
        assert isinstance(jwks, SignedJwks)
        assert (jwks.entity_id, jwks.uri) == ("https://entity.bank.fi", "https://own.bank.fi/signed-jwks")
        assert jwks.entity_keys

    def test_an_expired_statement_keeps_its_pins_so_that_we_can_start(
        self, data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
    ) -> None:
        statement = entity_statement_of("https://entity.bank.fi", now=int(time.time()) - 7200, lifetime=3600)
        assert isinstance(self.pinned(data, tmp_path, statement).connection_of("own").jwks, SignedJwks)

    def test_a_statement_that_was_changed_stops_us(
        self, data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
    ) -> None:
        head, payload, signature = entity_statement_of("https://entity.bank.fi").split(".")
        forged = entity_statement_of("https://evil.fi").split(".")[1]
        with pytest.raises(ConfigurationError, match="does not verify"):
            self.pinned(data, tmp_path, f"{head}.{forged}.{signature}")
        assert forged != payload

    def test_a_statement_by_a_key_that_anyone_can_factor_stops_us(self, data: Data, tmp_path: Path) -> None:
        key, now = roca_key(), int(time.time())
        jwks = {"keys": [key.as_dict(private=False)]}
        claims = {"iss": "https://entity.bank.fi", "sub": "https://entity.bank.fi", "iat": now, "exp": now + 600}
        header = {"alg": "RS256", "kid": "roca", "typ": "entity-statement+jwt"}
        with pytest.raises(ConfigurationError, match="ROCA, CVE-2017-15361"):
            self.pinned(data, tmp_path, jws.serialize_compact(header, json.dumps(claims | {"jwks": jwks}), key))

    def test_a_statement_of_another_entity_stops_us(
        self, data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
    ) -> None:
        data["connections"]["own"]["entity_id"] = "https://other.bank.fi"
        with pytest.raises(ConfigurationError, match="not the entity of the pinned statement"):
            self.pinned(data, tmp_path, entity_statement_of("https://entity.bank.fi"))

    def test_a_statement_of_another_bank_stops_us_where_only_the_issuer_is_named(
        self, data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"own\.issuer.*\n.*not the entity of the pinned statement"):
            self.pinned(data, tmp_path, entity_statement_of("https://other.bank.fi"), entity_id=None)

    def test_the_issuer_is_the_entity_unless_another_is_named(
        self, data: Data, tmp_path: Path, entity_statement_of: Callable[..., str]
    ) -> None:
        assert self.pinned(data, tmp_path, entity_statement_of("https://own.bank.fi"), entity_id=None)

    def pinned(
        self, data: Data, tmp_path: Path, statement: str, entity_id: str | None = "https://entity.bank.fi"
    ) -> Settings:
        (tmp_path / "own.jwt").write_text(statement)
        own = data["connections"]["own"]
        own |= {"entity_statement": "own.jwt", "signed_jwks_uri": "https://own.bank.fi/signed-jwks"}
        if entity_id is not None:
            own.setdefault("entity_id", entity_id)
        del own["jwks"]
        path = tmp_path / "tunnus.toml"
        path.write_text(tomli_w.dumps(data))
        return load_settings(path, {})


def test_a_client_that_gets_personal_identity_codes_has_one_audience(
    data: Data, client_encryption_jwk: Data, problems_in: Callable[..., dict[str, str]]
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
