"""What a bank publishes: its key set, signed and plain, its entity statement, its metadata.

Sources: OP Identity Service Broker API §12, §14; Telia integration guide §2.2; OpenID Federation 1.0;
OpenID Connect Discovery 1.0.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify

from mock_idp.bank import Bank
from mock_idp.faults import FAULTS
from mock_idp.faults.model import Publication
from mock_idp.people.faces import FACES
from mock_idp.protocol import jose
from mock_idp.protocol.dialects import LEVELS
from mock_idp.protocol.issuers import Issuer, find_issuer
from mock_idp.protocol.keys import SigningKey

JWKS_LIFETIME = 90_000
STATEMENT_LIFETIME = 10 * 365 * 86_400


def metadata(bank: Bank, issuer: Issuer) -> dict[str, Any]:
    """The OpenID Provider metadata of an issuer."""
    config, dialect = bank.config, issuer.dialect
    values: dict[str, Any] = {
        "issuer": issuer.url(config),
        "authorization_endpoint": issuer.endpoint(config, "authorize"),
        "token_endpoint": issuer.endpoint(config, "token", back=True),
        "signed_jwks_uri": issuer.endpoint(config, "signed-jwks", back=True),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "grant_types_supported": ["authorization_code"],
        "scopes_supported": sorted(dialect.scopes_required | dialect.scopes_optional),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "request_object_signing_alg_values_supported": ["RS256"],
        "request_parameter_supported": True,
        "require_signed_request_object": True,
        "id_token_signing_alg_values_supported": ["RS256"],
        "id_token_encryption_alg_values_supported": ["RSA-OAEP"],
        "id_token_encryption_enc_values_supported": ["A128CBC-HS256"],
        "ui_locales_supported": ["fi", "sv", "en"],
        "client_registration_types_supported": [],
    }
    if dialect.acr != "none":
        methods = [face.method for face in FACES.values()] if dialect.acr == "level_or_method" else []
        values["acr_values_supported"] = [*LEVELS, *methods]
    if dialect.pkce:
        values["code_challenge_methods_supported"] = ["S256"]
    if dialect.iss_parameter:
        values["authorization_response_iss_parameter_supported"] = True
    return values


def entity_statement(bank: Bank, issuer: Issuer) -> str:
    """The signed entity statement of an issuer, valid ten years."""
    keys, now, entity_id = bank.keys.of(issuer), int(bank.now()), issuer.entity_id(bank.config)
    claims = {
        "iss": entity_id,
        "sub": entity_id,
        "iat": now,
        "exp": now + STATEMENT_LIFETIME,
        "jwks": {"keys": [key.public(use="sig", alg="RS256") for key in keys.entities]},
        "metadata": {"openid_provider": metadata(bank, issuer)},
    }
    header = {"alg": "RS256", "typ": "entity-statement+jwt", "kid": keys.entity.kid}
    return jose.sign(header, jose.to_json(claims), keys.entity.private)


def signing_key_of(bank: Bank, issuer: Issuer) -> SigningKey:
    """The key that signs ID tokens: the issuer's current one, or the unknown one of a fault of the key set."""
    armed = bank.memory.jwks_faults.get(issuer)
    if armed is None:
        return bank.keys.of(issuer).current
    kind = FAULTS[armed.use.name].signs_with or "fresh"
    return SigningKey(armed.kid, bank.keys.stranger(kind).private)


def _published(bank: Bank, issuer: Issuer) -> tuple[Publication, Response | None]:
    """The key set as it stands now, bent by the fault in force; a response takes its place."""
    keys, now, entity_id = bank.keys.of(issuer), int(bank.now()), issuer.entity_id(bank.config)
    with bank.memory.guard:
        armed = bank.memory.jwks_faults.get(issuer)
        if armed:
            armed.fetches += 1
    publication = Publication(
        bank=bank,
        issuer=issuer,
        options=armed.use.parameters if armed else {},
        keys=list(keys.published()),
        fresh={},
        signer=keys.entity,
        header={"alg": "RS256", "typ": "jwk-set+jwt", "kid": keys.entity.kid},
        claims={"iss": entity_id, "sub": entity_id, "iat": now, "exp": now + JWKS_LIFETIME},
    )
    if armed is None:
        return publication, None
    publication.fresh = signing_key_of(bank, issuer).public(use="sig", alg="RS256")
    publication.keys = [key for key in publication.keys if key["kid"] != armed.kid] + [publication.fresh]
    bend = FAULTS[armed.use.name].key_set
    return publication, bend(publication) if bend else None


def sign_publication(publication: Publication) -> str:
    """The signed JWKS."""
    claims = publication.claims | {"keys": publication.keys}
    return jose.sign(publication.header, jose.to_json(claims), publication.signer.private)


def create_blueprint(bank: Bank) -> Blueprint:
    """The public endpoints under each issuer."""
    blueprint = Blueprint("publication", __name__, url_prefix="/<realm>/<dialect>")

    def the(realm: str, dialect: str) -> Issuer:
        return find_issuer(realm, dialect) or abort(404)

    @blueprint.get("/signed-jwks")
    def signed_jwks(realm: str, dialect: str) -> Response:
        publication, instead = _published(bank, the(realm, dialect))
        return instead or Response(sign_publication(publication), mimetype="application/jwk-set+jwt")

    @blueprint.get("/jwks")
    def jwks(realm: str, dialect: str) -> Response:
        publication, instead = _published(bank, the(realm, dialect))
        return instead or jsonify(keys=publication.keys)

    @blueprint.get("/.well-known/openid-federation")
    def federation(realm: str, dialect: str) -> Response:
        statement = entity_statement(bank, the(realm, dialect))
        return Response(statement, mimetype="application/entity-statement+jwt")

    @blueprint.get("/.well-known/openid-configuration")
    def discovery(realm: str, dialect: str) -> Response:
        issuer = the(realm, dialect)
        if not issuer.dialect.discovery:
            abort(404)
        return jsonify(metadata(bank, issuer) | {"jwks_uri": issuer.endpoint(bank.config, "jwks", back=True)})

    return blueprint
