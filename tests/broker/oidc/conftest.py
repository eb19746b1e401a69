"""Fixtures: an OpenID Provider with real keys and clients, a store in memory, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask import Flask, Response
from joserfc.jwk import ECKey, OKPKey, RSAKey

from broker.flow.service import see_other
from broker.oidc import AuthorizationRequest, OpenIDProvider, create_blueprint
from broker.oidc.fapi.certificates import use_client_certificate
from broker.oidc.refused import RefusedRequests
from broker.settings.models import ClientSettings
from broker.settings.server import ServerSettings
from broker.store import Store
from kit.pages.languages import Languages
from tests.harness.openid_provider import (
    ISSUER,
    LOA2,
    LOA3,
    BreakableStore,
    ClientKeys,
    Clock,
    Harness,
    KeyDouble,
    client_sections,
)


@pytest.fixture(scope="session")
def keys_of_clients() -> ClientKeys:
    return ClientKeys(
        rsa=RSAKey.generate_key(2048, private=True),
        other_rsa=RSAKey.generate_key(2048, private=True),
        ec=ECKey.generate_key("P-256", private=True),
        ed=OKPKey.generate_key("Ed25519", private=True),
        enc=RSAKey.generate_key(2048, private=True),
    )


@pytest.fixture(scope="session")
def op_keys() -> KeyDouble:
    return KeyDouble()


@pytest.fixture(scope="session")
def sections_of_clients(keys_of_clients: ClientKeys) -> dict[str, ClientSettings]:
    return client_sections(keys_of_clients)


MakeWorld = Callable[..., Harness]


@pytest.fixture
def make_world(
    op_keys: KeyDouble, keys_of_clients: ClientKeys, sections_of_clients: dict[str, ClientSettings]
) -> MakeWorld:
    """A harness; its issuer, store and keys may be others, and it may have more clients."""

    def make(
        issuer: str = ISSUER,
        store: Store | None = None,
        keys: Any = op_keys,
        clients: Mapping[str, ClientSettings] | None = None,
        server: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Harness:
        clock = Clock()
        held = store or BreakableStore(clock)
        settings = SimpleNamespace(
            issuer=issuer,
            assurance=SimpleNamespace(accepted=(LOA2, LOA3)),
            clients=sections_of_clients | dict(clients or {}),
            server=ServerSettings(**(server or {})),
            languages=Languages.of_service({}, "fi"),
            addresses_of_clients=frozenset({"this machine"}),
            developer_uri=None,
        )

        def audit_handed_over(**facts: Any) -> None:
            if harness.audit_failure is not None:
                raise harness.audit_failure
            harness.handed_over.append(facts)

        op = OpenIDProvider(cast(Any, settings), keys, cast(Any, held), clock, audit_handed_over, **more)
        app = Flask(__name__, static_folder=None, template_folder=None)
        use_client_certificate(
            app, settings.server.client_certificate_header, settings.server.client_certificate_proxies
        )

        def begin(request: AuthorizationRequest) -> Response:
            harness.begun.append(request)
            return Response(status=303, headers={"Location": "/choose/transaction"})

        def bad_request(reference: str) -> Response:
            return Response(f"<h1>Bad request</h1> {reference}", status=400, mimetype="text/html")

        def count(**facts: Any) -> None:
            harness.refused.append(facts)

        refused = RefusedRequests(cast(Any, held), clock, count)
        app.register_blueprint(create_blueprint(op, begin, see_other, bad_request, refused))
        harness = Harness(op, app.test_client(), cast(Any, held), clock, keys, keys_of_clients)
        return harness

    return make


@pytest.fixture
def harness(make_world: MakeWorld) -> Harness:
    return make_world()
