"""The issuers: one per realm and dialect, and the addresses of their endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mock_idp.config import Config
from mock_idp.people.faces import FACES, Face
from mock_idp.protocol.dialects import DIALECTS, Dialect

SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One OpenID Provider. realm: `shared` (one contract, all faces) or the id of the one face behind it."""

    realm: str
    dialect_name: str

    @property
    def dialect(self) -> Dialect:
        """How it behaves."""
        return DIALECTS[self.dialect_name]

    @property
    def face(self) -> Face | None:
        """The one face behind it; None where it is shared."""
        return FACES.get(self.realm)

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.realm}-{self.dialect_name}"

    def url(self, config: Config) -> str:
        """Its issuer identifier, the `iss` of its tokens."""
        return f"{config.base_url}/{self.realm}/{self.dialect_name}"

    def entity_id(self, config: Config) -> str:
        """The `iss` of its entity statement and signed JWKS."""
        return self.url(config) + self.dialect.entity_suffix

    def endpoint(self, config: Config, name: str, *, back: bool = False) -> str:
        """The address of one endpoint; back: as the relying party's server reaches it."""
        return f"{config.back if back else config.base_url}/{self.realm}/{self.dialect_name}/{name}"


def find_issuer(realm: str, dialect: str) -> Issuer | None:
    """The issuer at `/<realm>/<dialect>`, if there is one."""
    if dialect not in DIALECTS or (realm != SHARED and realm not in FACES):
        return None
    return Issuer(realm, dialect)


def all_issuers() -> Iterator[Issuer]:
    """Every issuer: three shared ones, and one per face and dialect."""
    for realm in (SHARED, *FACES):
        for dialect in DIALECTS:
            yield Issuer(realm, dialect)
