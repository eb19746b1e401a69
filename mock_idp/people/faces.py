"""The eleven faces: what each bank is called, and by which value a shared issuer selects it.

Sources: Telia integration guide §1.4, §2.4.3 (method ids); OP Identity Service Broker API §6 (`ftn_idp_id`).
Where neither names a provider, the value is `mock-<provider id>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Face:
    """One bank, or the mobile certificate. names: by language (fi, sv, en)."""

    id: str
    names: Mapping[str, str]
    method: str
    ftn_idp_id: str

    @property
    def mobile(self) -> bool:
        """Whether the person confirms on a phone, and waits."""
        return self.id == MOBILE


MOBILE = "mobile-certificate"


def _face(provider: str, fi: str, sv: str, en: str, method: str = "", ftn_idp_id: str = "") -> Face:
    stand_in = f"mock-{provider}"
    return Face(provider, {"fi": fi, "sv": sv, "en": en}, method or stand_in, ftn_idp_id or stand_in)


_ALL = (
    _face("aktia", "Aktia", "Aktia", "Aktia", "oidc.aktia.1"),
    _face("danske-bank", "Danske Bank", "Danske Bank", "Danske Bank", "oidc.danskebank.1"),
    _face("handelsbanken", "Handelsbanken", "Handelsbanken", "Handelsbanken", "oidc.handelsbanken.1"),
    _face("nooa", "Nooa Säästöpankki", "Nooa Sparbank", "Nooa Savings Bank", "oidc.sp.1"),
    _face("nordea", "Nordea", "Nordea", "Nordea", "oidc.nordea.1", "fi-nordea"),
    _face("op", "OP (Osuuspankki)", "OP (Andelsbanken)", "OP Bank Group", "saml.op.1", "fi-op"),
    _face("pop", "POP Pankki", "POP Banken", "POP Bank", "oidc.pop.1"),
    _face("s-banken", "S-Pankki", "S-Banken", "S-Bank", "oidc.spankki.1"),
    _face("lokaltapiola", "LähiTapiola", "LokalTapiola", "LokalTapiola"),
    _face("alandsbanken", "Ålandsbanken", "Ålandsbanken", "Bank of Åland", "oidc.alandsbanken.1"),
    _face(MOBILE, "Mobiilivarmenne", "Mobilcertifikat", "Mobile certificate", "mpki.telia.emulator.1"),
)

# Å Ä Ö stand after Z, in this order; code points have Ä before Å.
_AFTER_Z = str.maketrans("åäö", "{|}")

FACES: Mapping[str, Face] = {face.id: face for face in _ALL}
BY_METHOD: Mapping[str, Face] = {face.method: face for face in _ALL}
BY_FTN_IDP_ID: Mapping[str, Face] = {face.ftn_idp_id: face for face in _ALL}


def in_order(locale: str) -> list[Face]:
    """Every face as the broker's chooser lists them: the mobile certificate, then the banks by their names."""
    return sorted(FACES.values(), key=lambda face: (not face.mobile, _collation_key(face.names[locale])))


def _collation_key(name: str) -> str:
    return name.casefold().translate(_AFTER_Z)
