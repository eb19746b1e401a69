"""Danske Bank. Source: Telia integration guide §2.4.3."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="danske-bank",
    names={"fi": "Danske Bank", "sv": "Danske Bank", "en": "Danske Bank"},
    mark="D",
    amr=("oidc.danskebank.1",),
)
