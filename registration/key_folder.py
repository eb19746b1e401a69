"""What the commands do to the folder of keys; one in the former form is taken over by `init`.

That form: a private JWK, Fernet keys and cookie keys, the last two as lines, in three files.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, Key, OctKey

from kit.keys.client import CLIENT
from kit.keys.files import exclusive, mode_problem, unusable
from kit.keys.key_file import write_key
from kit.keys.rotation import Rotation
from kit.keys.timetable import Timetable
from registration.keys import PURPOSES

FILES = ("client.jwk.json", "sealing.keys", "cookie.keys")


class KeyFolder(Rotation):
    """The commands over a folder of registration's keys."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, PURPOSES)

    def init(self, now: int, *arguments: Any, **more: Any) -> list[Path]:
        """See `Rotation.init`."""
        return take_over(self._folder, now) + super().init(now, *arguments, **more)


def make_keys(folder: Path, now: int | None = None) -> list[Path]:
    """Make the keys that are missing, readable by their owner only; return their files. now: seconds."""
    return KeyFolder(folder).init(int(time.time()) if now is None else now)


def take_over(folder: Path, now: int) -> list[Path]:
    """Write the keys of a former folder as key files, in use from now, and remove its files; return the new ones.

    The oldest cookie key becomes the digest key, by which counts were kept. Raises KeysUnusable, and nothing was done.
    """
    if not all((folder / name).is_file() for name in FILES):
        return []
    with exclusive(folder):
        if any(mode_problem(folder / name) for name in FILES):
            raise unusable(folder, "has former key files that are open to others", f"chmod 600 {folder}/*")
        try:
            keys = list(_former(folder, now))
        except (ValueError, KeyError, TypeError) as error:
            raise unusable(folder, "has former key files that cannot be read", "restore it from its backup") from error
        made = [write_key(folder, PURPOSES[purpose], key, table) for purpose, key, table in keys]
        for name in FILES:
            (folder / name).unlink()
    return made


def _former(folder: Path, now: int) -> Iterator[tuple[str, Key, Timetable]]:
    client = json.loads((folder / FILES[0]).read_text())
    yield "client", ECKey.import_key({**client, "alg": CLIENT.algorithms[0]}), Timetable.from_now(now)
    sealing = (folder / FILES[1]).read_text().split()
    cookie = (folder / FILES[2]).read_text().split()
    yield "digest", _secret(cookie[0].encode(), "HS256", "former"), Timetable.from_now(now)
    # Of sealing keys the first was the newest, of cookie keys the last.
    for age, line in enumerate(sealing):
        key = _secret(base64.urlsafe_b64decode(line), "A128CBC-HS256", f"former-{age}")
        yield "sealing", key, Timetable(0, now - age, now - age)
    for age, line in enumerate(reversed(cookie)):
        yield "cookie", _secret(line.encode(), "HS256", f"former-{age}"), Timetable(0, now - age, now - age)


def _secret(value: bytes, alg: str, kid: str) -> OctKey:
    text = base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    return OctKey.import_key({"kty": "oct", "k": text, "alg": alg, "kid": kid})
