"""Nordea. Source: Telia integration guide §2.4.3; OP Identity Service Broker API §6."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="nordea",
    names={"fi": "Nordea", "sv": "Nordea", "en": "Nordea"},
    mark="N",
    amr=("oidc.nordea.1",),
)
