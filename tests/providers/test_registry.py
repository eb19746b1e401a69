"""The providers and the dialects there are."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import providers
from providers.dialects import DIALECTS
from providers.registry import PROVIDERS

IDS = [
    "aktia",
    "danske-bank",
    "handelsbanken",
    "nooa",
    "nordea",
    "op",
    "pop",
    "s-banken",
    "lokaltapiola",
    "alandsbanken",
    "mobile-certificate",
]
METHODS = {
    # how each shows itself in an answer (Telia integration guide §2.4.3)
    "aktia": "oidc.aktia.1",
    "danske-bank": "oidc.danskebank.1",
    "handelsbanken": "oidc.handelsbanken.1",
    "nooa": "oidc.sp.1",
    "nordea": "oidc.nordea.1",
    "op": "saml.op.1",
    "pop": "oidc.pop.1",
    "s-banken": "oidc.spankki.1",
    "alandsbanken": "oidc.alandsbanken.1",
    "mobile-certificate": "mpki.telia.1",
}


def test_there_are_eleven_providers_by_their_ids() -> None:
    assert list(PROVIDERS) == IDS
    assert all(provider.id == name for name, provider in PROVIDERS.items())


def test_every_module_of_a_provider_is_registered() -> None:
    found = set()
    for module in pkgutil.iter_modules(providers.__path__):
        provider = getattr(importlib.import_module(f"providers.{module.name}"), "PROVIDER", None)
        if provider is not None:
            found.add(provider.id)
            assert module.name == provider.id.replace("-", "_")
    assert found == set(IDS)


@pytest.mark.parametrize("name", IDS)
def test_a_provider_has_a_name_in_each_language_and_a_mark(name: str) -> None:
    provider = PROVIDERS[name]
    assert list(provider.names) == ["fi", "sv", "en"]
    assert all(text.strip() == text and text for text in provider.names.values())
    assert provider.mark == "phone" or 1 <= len(provider.mark) <= 2
    assert (provider.group == "mobile") == (name == "mobile-certificate") == (provider.mark == "phone")
    assert 600 <= provider.attempt_lifetime <= 1800


def test_the_mobile_certificate_has_more_time() -> None:
    assert PROVIDERS["mobile-certificate"].attempt_lifetime == 1200


@pytest.mark.parametrize("name", METHODS)
def test_a_provider_is_known_by_its_method(name: str) -> None:
    assert METHODS[name] in PROVIDERS[name].amr


def test_no_method_belongs_to_two_providers() -> None:
    methods = [method for provider in PROVIDERS.values() for method in provider.amr]
    assert len(methods) == len(set(methods))


def test_there_are_three_dialects_by_their_names() -> None:
    assert list(DIALECTS) == ["ftn", "telia", "isb"]
    assert all(dialect.name == name for name, dialect in DIALECTS.items())


@pytest.mark.parametrize("name", DIALECTS)
def test_no_dialect_allows_an_algorithm_outside_the_profile(name: str) -> None:
    dialect = DIALECTS[name]
    assert set(dialect.jws_algorithms) == {"RS256"}
    assert set(dialect.jwe_algorithms) <= {"RSA-OAEP", "RSA-OAEP-256"}
    assert set(dialect.jwe_encryptions) <= {"A128CBC-HS256", "A128GCM", "A256GCM"}
