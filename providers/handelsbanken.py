"""Handelsbanken. Source: Telia integration guide; removed there in v2.35 (2025-10-31), the bank has left Finland."""

from __future__ import annotations

from providers.model import Provider

PROVIDER = Provider(
    id="handelsbanken",
    names={"fi": "Handelsbanken", "sv": "Handelsbanken", "en": "Handelsbanken"},
    mark="H",
    amr=("oidc.handelsbanken.1",),
)
