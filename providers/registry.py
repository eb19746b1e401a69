"""Every provider there is: one literal tuple of modules, no scanning."""

from __future__ import annotations

from collections.abc import Mapping

from providers import (
    aktia,
    alandsbanken,
    danske_bank,
    handelsbanken,
    lokaltapiola,
    mobile_certificate,
    nooa,
    nordea,
    op,
    pop,
    s_banken,
)
from providers.model import Provider

_MODULES = (
    aktia,
    danske_bank,
    handelsbanken,
    nooa,
    nordea,
    op,
    pop,
    s_banken,
    lokaltapiola,
    alandsbanken,
    mobile_certificate,
)

PROVIDERS: Mapping[str, Provider] = {module.PROVIDER.id: module.PROVIDER for module in _MODULES}
