"""What production refuses: what belongs to a test, to an example or to another network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.settings import Settings
from kit.client_authentication.secret import hash_secret, new_secret
from tests.harness.broker_settings import Data, Problems, set_at

CONFIG = Path(__file__).parents[3] / "config"


SENTINEL = {"hosts": ["sentinel.energy.fi:26379"], "service": "x", "tls": True}
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
    ("store/url", "rediss://store.energy.fi:6379?ssl_check_hostname=N", "certificate"),
    ("store", {"tls": True, "sentinel": {"hosts": ["sentinel.energy.fi:26379"], "service": "x"}}, "without TLS"),
    ("store", {"sentinel": {"hosts": ["sentinel.energy.fi:26379"], "service": "x", "tls": True}}, "without TLS"),
    ("audit/collector", {"url": "syslog+tcp://logs.energy.fi"}, "without TLS"),
    ("audit/collector", {"url": "syslog+udp://10.1.2.3:514"}, "without TLS"),
    ("audit/collector", {"url": "http://logs.energy.fi/heads"}, "without TLS"),
    ("audit/collector", {"url": "syslog+tls://logs.energy.example:6514"}, "placeholder"),
    ("audit/collector", {"url": "https://0.0.0.0/heads"}, "address of no machine"),
    ("audit/collector", {"url": "https://logs.fi/", "authorization_secret": "Bearer changeme"}, "secret of an example"),
    ("store/url", "rediss://store.example:6379/0", "placeholder"),
    ("store/url", "rediss://[::]:6379", "address of no machine"),
    ("store/url", "rediss://tunnus:changeme@store.energy.fi:6379/0", "secret of an example"),
    ("store/password", "Redis", "secret of an example"),
    ("store", {"url": "rediss://store.fi:6379", "cluster": True, "nodes": ["x.invalid:6379"]}, "placeholder"),
    ("store", {"tls": True, "sentinel": SENTINEL | {"hosts": ["0.0:26379"]}}, "address of no machine"),
    ("store", {"tls": True, "sentinel": SENTINEL | {"password": "secret"}}, "secret of an example"),
    ("connections/own/proxy", "http://169.254.1.1:3128", "link-local"),
    ("connections/own/proxy", "http://user:pass@0:3128", "address of no machine"),
    ("tracing/otlp_endpoint", "http://collector.example:4318/v1/traces", "placeholder"),
    ("tracing/otlp_endpoint", "https://224.1:4318/v1/traces", "multicast"),
    ("insecure_http", True, "refused in production"),
    ("server/developer_page", "https://developers.energy.fi", "refused in production"),
    ("issuer", "http://id.energy.fi", "is plain http"),
    ("issuer", "HTTP://id.energy.fi", "is not a URL"),
    ("issuer", "HTTPS://id.energy.fi", "is not a URL"),
    ("connections/own/token_endpoint", "Http://own.bank.fi/token", "is not a URL"),
    ("clients/portal/redirect_uris/0", "HTTP://portal.energy.fi/callback", "is not a URL"),
    ("brand/home_links/0/uri", "HTTP://portal.energy.fi/", "is not a URL"),
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
    production: Data, problems_in: Problems, path: str, value: Any, wrong: str
) -> None:
    set_at(production, path, value)
    found = problems_in(production)
    assert any(wrong in said for said in found.values()), found
    assert len(set(found.values())) == 1, found


def test_production_refuses_the_hash_of_an_example(production: Data, problems_in: Problems) -> None:
    portal = production["clients"]["portal"]
    del portal["jwks"]
    portal |= {"auth_method": "client_secret_basic", "secret_hash": "sha256:" + "0" * 64}
    assert "hash of an example" in problems_in(production)["clients.portal.secret_hash"]
    portal["secret_hash"] = hash_secret("secret")
    assert "hash of an example" in problems_in(production)["clients.portal.secret_hash"]
    portal["secret_hash"] = hash_secret("portal")
    assert "hash of an example" in problems_in(production)["clients.portal.secret_hash"]
    portal["secret_hash"] = hash_secret(new_secret())
    assert Settings.model_validate(production)


def test_a_private_network_may_do_without_tls_and_hold_clients(production: Data) -> None:
    production["private_network"] = True
    production["store"]["url"] = "redis://valkey:6379/0"
    production["clients"]["portal"]["home_uri"] = "https://portal/"
    production["audit"]["collector"] = {"url": "syslog+tcp://logs:514"}
    assert Settings.model_validate(production).trusted_proxies == 1
    production["issuer"] = "https://id"
    with pytest.raises(ValidationError, match="one label"):
        Settings.model_validate(production)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "[fd00::7]", "proxy.internal", "proxy.energy.fi", "93.184.216.34"]
)
def test_what_only_we_reach_may_be_here_inside_and_outside(production: Data, host: str) -> None:
    production["connections"]["own"]["proxy"] = f"http://user:pass@{host}:3128"
    production["tracing"] = {"otlp_endpoint": f"http://{host}:4318/v1/traces"}
    production["audit"]["collector"] = {"url": f"syslog+tls://{host}:6514"}
    production["store"] = {"url": f"rediss://:a-long-and-random-one@{host}:6379/0"}
    assert Settings.model_validate(production)


@pytest.mark.parametrize("folder", ["accessibility", "terms/2026-11-01"])
def test_production_refuses_the_templates_that_are_shipped(
    production: Data, problems_in: Problems, folder: str, tmp_path: Path
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


def test_production_refuses_the_notices_of_the_example(production: Data, problems_in: Problems) -> None:
    production["notices"] = {"file": str(CONFIG / "notices.example.toml")}
    assert "placeholder" in problems_in(production)["notices.file"]


def test_production_refuses_keys_that_are_fetched_unsigned(production: Data, problems_in: Problems) -> None:
    del production["connections"]["own"]["jwks"]
    production["connections"]["own"]["unsigned_jwks_uri"] = "https://own.bank.fi/jwks"
    assert problems_in(production) == {"connections.own.unsigned_jwks_uri": "is refused in production"}


def test_production_takes_what_belongs_to_it(production: Data) -> None:
    assert Settings.model_validate(production).environment == "production"
