"""Registration's configuration: the files in config/, every problem in one report, and what production refuses."""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import tomli_w
from joserfc.jwk import ECKey
from pydantic import BaseModel
from sqlalchemy.engine import make_url

from kit.client_authentication.secret import hash_secret, new_secret
from kit.pages.look import read_look
from kit.settings.report import ConfigurationError, dotted
from registration.flow.broker_client import create_verifier
from registration.flow.terms import Terms
from registration.pages.rendering import FOLDER
from registration.settings import Settings, load_settings
from tests.harness.registration import ROOT

EXAMPLE = ROOT / "config" / "registration.example.toml"
ENVIRON = {"DATABASE_PASSWORD": "x", "CUSTOMER_REGISTER_TOKEN": "y", "MAIL_PASSWORD": "z"}


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Any]:
    """The example's content, filled in, with the key set it names."""
    key = ECKey.generate_key("P-256", auto_kid=True)
    (tmp_path / "online-service.jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    filled = EXAMPLE.read_text().replace("example.com", "energia.fi").replace("9 000 0000", "20 123 4567")
    for name in ("Esimerkkienergia", "Exempelenergi", "Example Energy"):
        filled = filled.replace(name, "Sisuenergia")
    return tomllib.loads(filled.replace("sha256:" + "0" * 64, hash_secret(new_secret())))


def load(folder: Path, data: Mapping[str, Any]) -> Settings:
    """Load a configuration as a file."""
    (folder / "registration.toml").write_text(tomli_w.dumps(data))
    return load_settings(folder / "registration.toml", ENVIRON)


def test_the_example_has_nothing_wrong_but_what_must_be_filled_in() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(EXAMPLE, ENVIRON)
    kinds = ("placeholder", "not there", "cannot be read")
    others = [problem for problem in caught.value.problems if not any(kind in problem.wrong for kind in kinds)]
    assert others == []


def test_every_placeholder_of_the_example_is_told(tmp_path: Path, example: dict[str, Any]) -> None:
    placeholders = tomllib.loads(EXAMPLE.read_text())
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, placeholders)
    told = {".".join(map(str, problem.key)) for problem in caught.value.problems}
    assert told == {
        "url",
        "broker.issuer",
        "broker.authorization_endpoint",
        "broker.token_endpoint",
        "broker.jwks_uri",
        "links.online_service",
        "links.private_customers",
        "customer_register.url",
        "mail.host",
        "mail.sender",
        "database.url",
        "brand.name.fi",
        "brand.name.sv",
        "brand.name.en",
        "brand.customer_service.phone",
        "brand.customer_service.email",
        "api.clients.reporting.secret_hash",
    }


def test_what_only_the_service_itself_calls_may_be_on_its_machine(tmp_path: Path, example: dict[str, Any]) -> None:
    example["broker"] |= {"token_endpoint": "http://127.0.0.1:8000/token", "jwks_uri": "http://127.0.0.1:8000/jwks"}
    example["customer_register"]["url"] = "http://localhost:9000/"
    assert load(tmp_path, example).broker.token_endpoint == "http://127.0.0.1:8000/token"


def test_the_example_loads_once_it_is_filled_in(tmp_path: Path, example: dict[str, Any]) -> None:
    settings = load(tmp_path, example)
    assert settings.secure
    assert settings.mail.password == "z"


def test_the_demo_loads_and_has_its_terms(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256", auto_kid=True).as_dict(private=False)
    (tmp_path / "customer-service.jwks.json").write_text(json.dumps({"keys": [key]}))  # the demo's runner makes it
    settings = load_settings(ROOT / "config" / "registration.demo.toml", {"TUNNUS_STATE_DIR": str(tmp_path)})
    terms = Terms(settings.terms.dir, settings.terms.version)
    assert all(terms.html(locale) for locale in ("fi", "sv", "en"))
    assert set(read_look(FOLDER, settings.brand, settings.texts).accessibility) == {"fi", "sv", "en"}


def keys_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a model and of the tables in it."""
    for name, field in model.model_fields.items():
        yield (*path, name)
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel) and name not in {"name"}:
                yield from keys_of(part, (*path, name))


def test_the_example_names_every_key() -> None:
    text = EXAMPLE.read_text()
    missing = [path for path in keys_of(Settings) if not re.search(rf"\b{path[-1]}\b", text)]
    assert missing == []


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("rules.continue_after", 19, "is too short to read a page"),
        ("url", "http://registration.energia.fi", "is plain http"),
        ("url", "https://registration.energia.fi/x", "is more than scheme"),
        ("url", "http://localhost:8001", "is this machine"),
        ("url", "https://127.0.0.1", "is this machine"),
        ("links.online_service", "https://online.example/", "still a placeholder"),
        ("mail.host", "smtp.Example.COM.", "still a placeholder"),
        ("mail.sender", "no-reply@energia.test", "still a placeholder"),
        ("mail.sender", "älä-vastaa@energia.fi", "no address that every mail server takes"),
        ("mail.sender", "no-reply@energia.fi,", "no address that every mail server takes"),
        ("mail.sender", "no..reply@energia.fi", "no address that every mail server takes"),
        ("server.trusted_proxies", 0, "for everybody's"),
        ("url", "https://127.1", "is this machine"),
        ("url", "https://0x7f.1", "is this machine"),
        ("url", "https://[fe80::1]", "link-local"),
        ("url", "https://registration", "one label"),
        ("url", "https://registration.internal", "private network"),
        ("broker.issuer", "https://x.isb-test.op.fi", "sandbox"),
        ("broker.token_endpoint", "https://broker/token", "private_network = true"),
        ("audit", {"collector": {"url": "syslog+tcp://logs.energia.fi"}}, "without TLS"),
        ("brand.name.fi", "Esimerkkienergia", "still a placeholder"),
        ("brand.customer_service.phone", "09 000 0000", "still a placeholder"),
        ("brand.customer_service.email", "a@energia.test", "still a placeholder"),
        ("terms.dir", str(ROOT / "config" / "terms"), "still a placeholder"),
        ("brand.accessibility", str(ROOT / "config" / "accessibility"), "still a placeholder"),
        ("api.clients.reporting.secret_hash", "sha256:" + "f" * 64, "hash of an example"),
        ("database.url", "postgresql+psycopg://a:b@db.energia.fi/x", "without TLS"),
        ("database.url", "postgresql+psycopg://a:b@db.energia.fi/x?sslmode=prefer", "without TLS"),
        ("database.url", "postgresql+psycopg://a:b@/x?host=/run,db.energia.fi", "without TLS"),
        ("database.url", "postgres://a:b@db.energia.fi/x", "begin it with postgresql+psycopg://"),
        ("database.url", "sqlite:///file:x.sqlite?uri=true", "write the path alone"),
        ("broker.accepted_acr", ["http://ftn.ficora.fi/2017/loa9"], "is no level of assurance"),
        ("broker.accepted_acr", ["http://ftn.ficora.fi/2017/loa2"] * 2, "twice"),
        ("passwords.memory_kib", 12_288, "too little"),
        ("passwords.memory_kib", 20, "for so many lanes"),
        ("server.trusted_proxy", 1, 'did you mean "trusted_proxies"?'),
        ("insecure_http", True, "is for demos only"),
        ("broker.token_endpoint", "http://broker/token", "is plain http"),
        ("broker.accepted_acr", ["http://ftn.ficora.fi/2017/loatest2"], "is a test level"),
        ("broker.accepted_acr", [], "too few"),
        ("mail.security", "none", "in the clear"),
        ("passwords.memory_kib", 8, "too little"),
        ("database.url", "sqlite://folder/x.sqlite", "no file of SQLite's"),
        ("database.url", "sqlite:///x.sqlite?check_same_thread=maybe", "no file of SQLite's"),
        ("server.operations_port", 8001, "port and operations_port are one"),
        ("database.url", "mysql://x/y", "is no database"),
        ("database.url", "sqlite://", "is no database"),
        ("customer_register.url", "http://customers/", "is plain http"),
        ("customer_register.adapter", "table", "needs a url"),
        ("rules.draft", 60, "greater than or equal to 7200"),
        ("terms.version", "../x", "characters or a form"),
        ("server.colour", "red", "is not a key"),
        ("api.clients.reporting.jwks", "online-service.jwks.json", "exactly one way"),
        ("api.clients.reporting.secret_hash", "secret", "characters or a form"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(
    tmp_path: Path, example: dict[str, Any], path: str, value: Any, wrong: str
) -> None:
    *tables, key = path.split(".")
    place = example
    for name in tables:
        place = place[name]
    place[key] = value
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, example)
    assert wrong in str(caught.value)
    assert path.rpartition(".")[0] in str(caught.value)


def test_production_keeps_its_erasures(tmp_path: Path, example: dict[str, Any]) -> None:
    del example["erasures"]
    with pytest.raises(ConfigurationError, match=r"erasures\.file\n +is needed"):
        load(tmp_path, example)


def test_activation_by_letters_needs_a_folder_for_them(tmp_path: Path, example: dict[str, Any]) -> None:
    example["rules"]["founding"] = "activation"
    assert load(tmp_path, example).letters.dir is not None
    del example["letters"]
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, example)
    assert [problem.key for problem in caught.value.problems] == [("letters", "dir")]


def test_few_passes_need_more_memory(tmp_path: Path, example: dict[str, Any]) -> None:
    example["passwords"] = {"time_cost": 1, "memory_kib": 47_104, "parallelism": 1}
    assert load(tmp_path, example).passwords.time_cost == 1
    example["passwords"]["memory_kib"] = 47_103
    with pytest.raises(ConfigurationError, match=r"passwords\.time_cost"):
        load(tmp_path, example)


def test_a_private_network_may_do_without_tls_for_what_only_the_service_calls(
    tmp_path: Path, example: dict[str, Any]
) -> None:
    example["private_network"] = True
    example["broker"] |= {"token_endpoint": "http://broker:8000/token", "jwks_uri": "http://10.0.0.5/jwks"}
    example["database"]["url"] = "postgresql+psycopg://a:b@postgres/x"
    example["mail"] |= {"host": "smtp", "security": "none"}
    example["audit"] = {"collector": {"url": "syslog+tcp://logs"}}
    settings = load(tmp_path, example)
    assert settings.private_network
    create_verifier(settings, (), time.time)  # it refuses plain http unless it is told
    example["broker"]["jwks_uri"] = "http://id.energia.fi/jwks"
    with pytest.raises(ConfigurationError, match="is plain http"):
        load(tmp_path, example)


@pytest.mark.parametrize(
    "url", ["a:b@/x?host=/run/postgresql", "a:b@127.0.0.1/x", "a:b@db.energia.fi/x?sslmode=require"]
)
def test_a_database_here_or_by_tls_is_taken(tmp_path: Path, example: dict[str, Any], url: str) -> None:
    example["database"]["url"] = f"postgresql+psycopg://{url}"
    assert load(tmp_path, example)


def test_a_relative_path_of_a_database_counts_from_the_file(
    tmp_path: Path, example: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    example["database"]["url"] = "sqlite:///state/registration.sqlite"
    assert load(tmp_path, example).database.url == f"sqlite:///{tmp_path}/state/registration.sqlite"
    example["database"]["url"] = "sqlite:////var/lib/registration.sqlite"
    assert load(tmp_path, example).database.url == "sqlite:////var/lib/registration.sqlite"
    example["database"]["url"] = "postgresql+psycopg://a:b%40c@h.fi/x?sslmode=verify-full&sslrootcert=ca.pem"
    loaded = make_url(load(tmp_path, example).database.url)
    assert loaded.query["sslrootcert"] == str(tmp_path / "ca.pem")
    assert loaded.password == "b@c"


def test_every_problem_stands_in_one_report(tmp_path: Path, example: dict[str, Any]) -> None:
    example["server"]["port"] = "many"
    example["surprise"] = 1
    del example["broker"]["accepted_acr"]
    example["links"]["online_service"] = "http://127.1/"
    example["passwords"]["memory_kib"] = 32
    example["mail"]["password"] = "${" + "NOT_SET}"
    example["api"]["clients"]["reporting"]["secret_hash"] = "plain"
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, example)
    assert {dotted(problem.key) for problem in caught.value.problems} == {
        "server.port",
        "surprise",
        "broker.accepted_acr",
        "links.online_service",
        "passwords.memory_kib",
        "mail.password",
        "api.clients.reporting.secret_hash",
    }


def test_a_secret_is_never_shown(tmp_path: Path, example: dict[str, Any]) -> None:
    example["database"]["url"] = "mysql://user:hidden-word@x/y"
    example["mail"]["password"] = "${" + "NOT_SET}"
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, example)
    assert "hidden-word" not in str(caught.value)
    assert "NOT_SET" in str(caught.value)


def test_terms_that_lack_a_language_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "fi.md").write_text("# Ehdot")
    with pytest.raises(ConfigurationError, match="no text in every language"):
        Terms(tmp_path, "1")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"roles": ["agent"]}, "has roles, and a secret"),
        ({"acts_for_staff": True}, "acts for staff without a role"),
        ({"roles": ["boss"]}, "agent"),
        ({"roles": ["agent", "agent"]}, "twice"),
    ],
)
def test_a_client_with_roles_has_a_key_and_one_for_staff_has_roles(
    tmp_path: Path, example: dict[str, Any], changes: dict[str, Any], wrong: str
) -> None:
    example["api"]["clients"]["reporting"] |= changes
    with pytest.raises(ConfigurationError, match=wrong):
        load(tmp_path, example)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://crm.energia.fi/events", "is plain http"),
        ("https://localhost:8443/events", "is this machine"),
        ("https://10.0.0.5/events", "is in a private network"),
        ("https://crm.example.com/events", "is still a placeholder"),
    ],
)
def test_a_webhook_is_not_in_the_clear_and_not_in_our_network(
    tmp_path: Path, example: dict[str, Any], url: str, wrong: str
) -> None:
    example["webhooks"] = {"crm": {"url": "https://crm.energia.fi/events"}}
    assert load(tmp_path, example).webhooks["crm"].events == ("registered", "joined", "ended")
    assert "this machine" not in load(tmp_path, example).addresses_of_receivers
    example["webhooks"]["crm"]["url"] = url
    with pytest.raises(ConfigurationError, match=wrong):
        load(tmp_path, example)


def test_a_senders_domain_is_written_as_mail_servers_write_it(tmp_path: Path, example: dict[str, Any]) -> None:
    example["mail"]["sender"] = "no-reply@sähköyhtiö.fi"
    assert load(tmp_path, example).mail.sender == "no-reply@xn--shkyhti-5wa8ne.fi"


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "169.254.7.7", "224.0.0.1", "x.example", "localhost.test", "a..b"])
def test_production_has_no_hosts_where_nothing_can_be(tmp_path: Path, example: dict[str, Any], host: str) -> None:
    example["mail"] |= {"host": host, "sender": f"no-reply@{host}"}
    example["database"]["url"] = f"postgresql+psycopg://u@/d?host=db.energia.fi,{host}:5432&sslmode=require"
    example["audit"] = {"collector": {"url": f"syslog+tls://{host}"}}
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, example)
    told = {dotted(problem.key) for problem in caught.value.problems}
    assert told == {"mail.host", "mail.sender", "database.url", "audit.collector.url"}


@pytest.mark.parametrize("host", ["::1", "fd00::7", "10.1", "relay", "mail.energia.fi", "mail.internal"])
def test_a_mail_server_may_be_on_any_machine(tmp_path: Path, example: dict[str, Any], host: str) -> None:
    example["mail"]["host"] = host
    assert load(tmp_path, example).mail.host == host


def test_production_has_no_secret_that_is_everybodys_first_guess(tmp_path: Path, example: dict[str, Any]) -> None:
    example["mail"]["password"] = "changeme"
    example["customer_register"]["token"] = "Secret"
    example["database"]["url"] = "postgresql+psycopg://u:postgres@db.energia.fi/d?sslmode=require"
    example["audit"] = {"collector": {"url": "https://logs.energia.fi/", "authorization_secret": "Bearer token"}}
    example["api"]["clients"]["reporting"]["secret_hash"] = hash_secret("reporting")
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, example)
    assert {dotted(problem.key) for problem in caught.value.problems} == {
        "mail.password", "customer_register.token", "database.url", "audit.collector.authorization_secret",
        "api.clients.reporting.secret_hash",
    }  # fmt: skip
    assert "changeme" not in caught.value.report()
