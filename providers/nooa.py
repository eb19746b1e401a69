"""Nooa Savings Bank. Source: Telia integration guide §2.4.3; its customers use the common IdP of the Savings Banks."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="nooa",
    names={"fi": "Nooa Säästöpankki", "sv": "Nooa Sparbank", "en": "Nooa Savings Bank"},
    mark="NS",
    amr=("oidc.sp.1",),
)
