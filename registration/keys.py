"""Our keys: a folder of three files, made by `tunnus-registration keys init`.

    client.jwk.json   private JWK, P-256: client assertions to the broker (RFC 7523)
    sealing.keys      Fernet keys, one a line: drafts and sessions at rest; the first seals, all of them open
    cookie.keys       one a line: sign the cookie and the links in e-mails; the last signs, all of them verify

A key that is to be changed is added, and the old one removed when nothing of it is left: a day later.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from joserfc.jwk import ECKey

CLIENT, SEALING, COOKIE = "client.jwk.json", "sealing.keys", "cookie.keys"


class KeysUnusable(Exception):
    """The folder cannot be used; the text says which file and what to do."""


@dataclass(frozen=True)
class Keys:
    """What the folder holds."""

    client: ECKey = field(repr=False)
    cookie: tuple[str, ...] = field(repr=False)
    _sealing: MultiFernet = field(repr=False)

    def seal(self, name: str, value: Any) -> str:
        """A JSON value as a text that only we can read. name: where it stands, so that it opens nowhere else."""
        return self._sealing.encrypt(json.dumps([name, value]).encode()).decode()

    def unseal(self, name: str, sealed: str) -> Any | None:
        """What was sealed under that name; None if it was not, or by a key that is gone."""
        try:
            found, value = json.loads(self._sealing.decrypt(sealed.encode()))
        except InvalidToken:
            return None
        return value if found == name else None

    def blind(self, *parts: str) -> str:
        """A digest that nobody without our keys can compute: for what could be guessed, such as an address."""
        return hmac.digest(self.cookie[0].encode(), "\0".join(parts).encode(), "sha256").hex()

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What the broker's configuration holds of us."""
        return {**self.client.as_dict(private=False), "kid": self.client.kid, "use": "sig", "alg": "ES256"}


def load_keys(folder: Path) -> Keys:
    """Read the folder. Raises KeysUnusable."""
    try:
        client = ECKey.import_key(json.loads((folder / CLIENT).read_text()))
        cookie = _lines(folder / COOKIE)
        sealing = MultiFernet([Fernet(line) for line in _lines(folder / SEALING)])
    except OSError as error:
        raise KeysUnusable(
            f"{error.filename}: {error.strerror}; make keys: tunnus-registration keys init --dir {folder}"
        ) from error
    except ValueError as error:
        raise KeysUnusable(f"{folder}: a key cannot be read; restore the folder from its backup") from error
    if not client.is_private or client.kid is None:
        raise KeysUnusable(f"{folder / CLIENT}: is no private JWK with a kid; restore it from its backup")
    return Keys(client, cookie, sealing)


def make_keys(folder: Path) -> list[Path]:
    """Make the files that are missing, readable by their owner only; return them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    client = ECKey.generate_key("P-256", auto_kid=True)
    contents = {
        CLIENT: json.dumps(client.as_dict(private=True) | {"kid": client.kid}),
        SEALING: Fernet.generate_key().decode(),
        COOKIE: secrets.token_urlsafe(48),
    }
    made = []
    for name, content in contents.items():
        path = folder / name
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(content + "\n")
            made.append(path)
    return made


def _lines(path: Path) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in path.read_text().splitlines() if line.strip())
    if not lines:
        raise KeysUnusable(f"{path}: is empty; restore it from its backup")
    return lines
