"""POP Bank. Source: POP Bank Group's identification principles; Telia integration guide §2.4.3."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="pop",
    names={"fi": "POP Pankki", "sv": "POP Banken", "en": "POP Bank"},
    mark="P",
    amr=("oidc.pop.1",),
)
