"""S-Bank. Source: S-Bank's pages; Telia integration guide §2.4.3."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="s-banken",
    names={"fi": "S-Pankki", "sv": "S-Banken", "en": "S-Bank"},
    mark="S",
    amr=("oidc.spankki.1",),
)
