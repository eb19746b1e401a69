"""Our keys: a folder of three files, made by `tunnus-registration keys init`.

    client.jwk.json   private JWK, P-256: client assertions to the broker (RFC 7523)
    sealing.keys      Fernet keys, one a line: drafts and sessions at rest; the first seals, all of them open
    cookie.keys       one a line: sign the cookie and the links in e-mails; the last signs, all of them verify

The folder has mode 0700 and its files 0600; what is open to others is refused. A key that is to be changed is added,
and the old one removed when nothing of it is left: a day later. Counts of tries are kept under the oldest cookie key
(`blind`): they start anew when it is removed.
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
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from kit.keys.files import KeysUnusable, mode_problem, unusable

CLIENT, SEALING, COOKIE = "client.jwk.json", "sealing.keys", "cookie.keys"
LEAST_COOKIE_KEY = 32
"""Characters of a cookie key."""


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

    def keyed_digest(self, *parts: str) -> str:
        """A digest that nobody without our keys can compute: for what could be guessed, such as an address."""
        return hmac.digest(self.cookie[0].encode(), "\0".join(parts).encode(), "sha256").hex()

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What the broker's configuration holds of us."""
        return {**self.client.as_dict(private=False), "kid": self.client.kid, "use": "sig", "alg": "ES256"}


def load_keys(folder: Path) -> Keys:
    """Read the folder. Raises KeysUnusable: also if others than its owner can get at it."""
    try:
        _refuse_open(folder)
        client, sealing, cookie = (_text(folder / name) for name in (CLIENT, SEALING, COOKIE))
    except OSError as error:
        mend = f"make keys: tunnus-registration keys init --dir {folder}"
        raise unusable(Path(error.filename), f"cannot be read: {error.strerror}", mend) from error
    return Keys(
        _client(folder / CLIENT, client),
        _cookie(folder / COOKIE, _lines(folder / COOKIE, cookie)),
        _sealing(folder / SEALING, _lines(folder / SEALING, sealing)),
    )


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


def _refuse_open(folder: Path) -> None:
    looks = [mode_problem(folder, folder=True), *(mode_problem(folder / name) for name in (CLIENT, SEALING, COOKIE))]
    problems = [problem for problem in looks if problem]
    if problems:
        raise KeysUnusable(folder, problems)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _broken(path, "is not UTF-8") from error


def _lines(path: Path, text: str) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not lines:
        raise _broken(path, "is empty")
    return lines


def _client(path: Path, text: str) -> ECKey:
    try:
        key = ECKey.import_key(json.loads(text))
    except (ValueError, TypeError, KeyError, JoseError) as error:
        raise _broken(path, "holds no usable JWK") from error
    if not key.is_private or key.kid is None or key.curve_name != "P-256":
        raise _broken(path, "is no private P-256 JWK with a kid")
    return key


def _sealing(path: Path, lines: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(line) for line in lines])
    except ValueError as error:
        raise _broken(path, "has a line that is no Fernet key") from error


def _cookie(path: Path, lines: tuple[str, ...]) -> tuple[str, ...]:
    if min(map(len, lines)) < LEAST_COOKIE_KEY:
        raise _broken(path, f"has a key of fewer than {LEAST_COOKIE_KEY} characters")
    return lines


def _broken(path: Path, wrong: str) -> KeysUnusable:
    return unusable(path, wrong, "restore it from its backup")
