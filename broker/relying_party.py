"""What banks read of us: our entity statement and our signed JWKS (FTN profile, keys of a relying party)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from broker.settings import Settings
from providers.engine.entity_statement import build_entity_statement, build_signed_jwks
from providers.model import KeyFailure, Keys

JWKS_LIFETIME = 25 * 3600
"""Seconds a signed JWKS is valid: banks cache it for at most a day."""


def redirect_uris(settings: Settings) -> list[str]:
    """Where banks send people back to, one for each connection (RFC 9700, mix-up)."""
    return [f"{settings.issuer}/callback/{connection}" for connection in sorted(settings.connections)]


def entity_statement(settings: Settings, keys: Keys, now: int) -> str:
    """Our entity statement as a compact JWS, redirect URIs of every connection in it; now: seconds."""
    ours = settings.relying_party
    return build_entity_statement(
        keys,
        entity_id=ours.entity_id,
        redirect_uris=redirect_uris(settings),
        organization_name=ours.organization_name,
        signed_jwks_uri=f"{settings.issuer}/signed-jwks",
        now=now,
        lifetime=ours.statement_lifetime,
    )


def create_blueprint(settings: Settings, keys: Keys, clock: Callable[[], float]) -> Blueprint:
    """Routes of both; signed afresh each time, so that they obey the keys' phases. clock: seconds."""
    blueprint = Blueprint("relying_party", __name__)

    @blueprint.get("/.well-known/openid-federation")
    def show_entity_statement() -> Response:
        statement = entity_statement(settings, keys, int(clock()))
        return Response(statement, content_type="application/entity-statement+jwt")

    @blueprint.get("/signed-jwks")
    def show_signed_jwks() -> Response:
        # A bank that fetches for an unknown `kid` must not get what a cache in between had before.
        jwks = build_signed_jwks(keys, settings.relying_party.entity_id, now=int(clock()), lifetime=JWKS_LIFETIME)
        return Response(jwks, content_type="application/jwk-set+jwt", headers={"Cache-Control": "no-cache"})

    @blueprint.errorhandler(KeyFailure)
    def without_key(_: KeyFailure) -> Response:
        return Response("our key cannot be used now", status=503, headers={"Retry-After": "10"})

    return blueprint
