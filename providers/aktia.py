"""Aktia. Source: Telia integration guide §2.4.3."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="aktia",
    names={"fi": "Aktia", "sv": "Aktia", "en": "Aktia"},
    mark="A",
    amr=("oidc.aktia.1",),
)
