"""OP Bank Group. Source: OP Identity Service Broker API §6; Telia integration guide §2.4.3 (a SAML leg)."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="op",
    names={"fi": "OP (Osuuspankki)", "sv": "OP (Andelsbanken)", "en": "OP Bank Group"},
    mark="OP",
    amr=("saml.op.1",),
)
