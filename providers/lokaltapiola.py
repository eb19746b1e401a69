"""LokalTapiola. Source: S-Bank's notice of 2015: the bank was merged into S-Bank, no broker lists it."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="lokaltapiola",
    names={"fi": "LähiTapiola", "sv": "LokalTapiola", "en": "LokalTapiola"},
    mark="LT",
)
