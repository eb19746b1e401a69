"""Bank of Åland. Source: Telia integration guide §2.4.3."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="alandsbanken",
    names={"fi": "Ålandsbanken", "sv": "Ålandsbanken", "en": "Bank of Åland"},
    mark="Å",
    amr=("oidc.alandsbanken.1",),
)
