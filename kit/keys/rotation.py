"""Making, replacing and removing keys: the only writer of a folder of keys, one command at a time.

Each step leaves a folder that works: a new key's file comes first, the ends of the old ones after it (`_settle`); a
command that was killed between the two is finished by the next.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from joserfc.jwk import ECKey, Key, OctKey, RSAKey, import_key

from kit.keys.files import USED, exclusive, unusable, was_used
from kit.keys.folder import Folder, read_folder
from kit.keys.key_file import TYPES, HeldKey, write_key, write_timetable
from kit.keys.timetable import Phase, Purpose, Timetable
from kit.keys.watch import replaced_by

Purposes = Mapping[str, Purpose]


def new_key(alg: str, *, rsa_bits: int = 2048) -> Key:
    """A private key with `alg` and `kid`: its thumbprint (RFC 7638), or random for a secret key."""
    kind, bits = TYPES[alg]
    if kind is OctKey:
        secret = base64.urlsafe_b64encode(secrets.token_bytes(bits // 8)).rstrip(b"=").decode()
        return import_key({"kty": "oct", "k": secret, "alg": alg, "kid": secrets.token_hex(8)})
    key = ECKey.generate_key("P-256") if kind is ECKey else RSAKey.generate_key(rsa_bits)
    jwk = {**key.as_dict(private=True), "alg": alg, "kid": key.thumbprint()}
    return import_key(jwk)


class Rotation:
    """What the commands do to one folder. purposes: by name. rsa_bits: of a purpose's keys, where not 2048."""

    def __init__(self, folder: Path, purposes: Purposes, rsa_bits: Mapping[str, int] | None = None) -> None:
        self._folder = folder
        self._purposes = purposes
        self._rsa_bits = rsa_bits or {}
        self._known: Folder | None = None

    def init(self, now: int, only: Collection[str] | None = None, *, without_backup: bool = False) -> list[Path]:
        """Make a key of each kind that has none; return the new files. only: the purposes, all unless given.

        In a new folder they are in use from now. In one that had keys the missing ones were lost: they are made as in
        an emergency, with what must be replaced together with them. Raises KeysUnusable if one is among them that is
        never replaced, unless without_backup.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        used = was_used(self._folder)
        with self._locked() as held:
            kinds = [
                (purpose, alg)
                for purpose in self._purposes.values()
                for alg in purpose.algorithms
                if (only is None or purpose.name in only) and not self._living(held, purpose, alg, now)
            ]
            if only is not None or not (held or used):
                # What is never replaced comes first: a call that is cut short is then finished by the next.
                kinds.sort(key=lambda kind: kind[0].rotates)
                return [self._make(purpose, alg, Timetable.from_now(now)) for purpose, alg in kinds]
            never = [purpose.name for purpose, _ in kinds if not purpose.rotates]
            if never and not without_backup:
                wrong = f"has lost its {never[0]} key: what was computed by it comes out otherwise under another one"
                mend = "restore it from the backup; if there is none: keys init --without-backup"
                raise unusable(self._folder, wrong, mend)
            more = self._together([purpose for purpose, _ in kinds])
            return self._replace([*((purpose, alg) for purpose in more for alg in purpose.algorithms), *kinds], now)

    def rotate(self, names: Collection[str], now: int, *, emergency: bool = False) -> list[Path]:
        """Replace the keys of purposes; return the new files. Nothing is made for a kind with a key in its warm-up.

        Raises KeysUnusable if there is nothing to replace: what was lost is for `init`.

        emergency: the keys are in other hands: they are withdrawn, those in warm-up too, and with them the keys of the
        purpose that is replaced together.
        """
        with self._locked() as held:
            wanted = [self._purposes[name] for name in names]
            if emergency:
                wanted = [*self._together(wanted), *wanted]
            kinds = [(purpose, alg) for purpose in wanted if purpose.rotates for alg in purpose.algorithms]
            if emergency:
                return self._replace(kinds, now)
            made = []
            for purpose, alg in kinds:
                kin = self._living(held, purpose, alg, now)
                if not kin:
                    raise unusable(self._folder, f"has no {purpose.name} key for {alg} to go on from", "keys init")
                if kin[-1].timetable.use_from <= now:
                    made.append(self._make(purpose, alg, Timetable.next(purpose, now)))
            self._settle(now)
            return made

    def due(self, every: Mapping[str, int], now: int) -> list[str]:
        """The purposes that are to be rotated now, for their age or their end. every: days, by purpose."""
        held = self._read()
        found = []
        for name, days in every.items():
            purpose = self._purposes[name]
            lead = purpose.warm_up + purpose.lead
            kin = [self._living(held, purpose, alg, now) for alg in purpose.algorithms]
            ends = [replaced_by(keys[-1].timetable, days) for keys in kin if keys]
            # One that was lost is not made by a schedule: what else is needed then, `init` knows and says.
            if all(kin) and min(end for end in ends if end is not None) - lead <= now:
                found.append(name)
        return found

    def postpone(self, name: str, seconds: int, now: int) -> int:
        """Put off the first use of the key in its warm-up, and the end of its predecessor; return how many waited."""
        with self._locked() as everything:
            held = [key for key in everything if key.purpose.name == name]
            waiting = [key for key in held if key.timetable.phase(key.purpose, now) is Phase.WARM_UP]
            algs = {key.alg for key in waiting}
            # The predecessor first: killed in between, two keys are in use for a while, and never none.
            for key in sorted(held, key=lambda key: key in waiting):
                in_use = key.timetable.phase(key.purpose, now) is Phase.IN_USE and key.timetable.use_until is not None
                if key in waiting or (in_use and key.alg in algs):
                    write_timetable(self._folder, key, key.timetable.later(seconds))
            return len(waiting)

    def retire(self, now: int) -> list[Path]:
        """Remove the files of keys that are gone; return them. A key that still does something stays."""
        with self._locked():
            self._settle(now)
            gone = [key for key in self._read() if key.timetable.phase(key.purpose, now) is Phase.GONE]
            return [self._remove(key) for key in gone]

    @contextmanager
    def _locked(self) -> Iterator[tuple[HeldKey, ...]]:
        self._read()  # which says more of a folder that is not there than the lock
        with exclusive(self._folder):
            yield self._read()

    def _together(self, purposes: Collection[Purpose]) -> list[Purpose]:
        """What must be replaced with these, before them: killed in between, the command is given again."""
        return [self._purposes[purpose.together] for purpose in purposes if purpose.together]

    def _read(self) -> tuple[HeldKey, ...]:
        self._known = read_folder(self._folder, self._purposes, self._known)
        return self._known.keys

    def _living(self, held: Collection[HeldKey], purpose: Purpose, alg: str, now: int) -> list[HeldKey]:
        """The keys of a kind that are in use or will be, oldest first."""
        kin = [key for key in held if (key.purpose.name, key.alg) == (purpose.name, alg)]
        return [key for key in kin if key.timetable.phase(purpose, now) in (Phase.FUTURE, Phase.WARM_UP, Phase.IN_USE)]

    def _make(self, purpose: Purpose, alg: str, table: Timetable) -> Path:
        bits = self._rsa_bits.get(purpose.name, 2048)
        if purpose.token is None:
            path = write_key(self._folder, purpose, new_key(alg, rsa_bits=bits), table)
        else:
            jwk, alg_only = purpose.token.generate(purpose.name, alg, bits)
            path = write_key(self._folder, purpose, jwk, table, alg_only=alg_only)
        (self._folder / USED).touch(mode=0o600)
        return path

    def _replace(self, kinds: Collection[tuple[Purpose, str]], now: int) -> list[Path]:
        """A key for each kind as fast as it can be, and the end of all that there are of it."""
        made = []
        for purpose, alg in dict.fromkeys(kinds):
            old = [key for key in self._read() if (key.purpose.name, key.alg) == (purpose.name, alg)]
            made.append(self._make(purpose, alg, Timetable.next(purpose, now, emergency=True)))
            for key in old:
                if key.timetable.phase(purpose, now) in (Phase.FUTURE, Phase.WARM_UP):
                    self._remove(key)
        self._settle(now)
        return made

    def _settle(self, now: int) -> None:
        """Give each key that has a successor the end that it must have."""
        held = self._read()
        for key in held:
            kin = [other for other in held if (other.purpose.name, other.alg) == (key.purpose.name, key.alg)]
            table = key.timetable
            for successor in (other.timetable for other in kin if other.timetable.use_from > table.use_from):
                if table.phase(key.purpose, now) is not Phase.GONE:
                    table = table.ended_by(key.purpose, successor)
            if table != key.timetable:
                write_timetable(self._folder, key, table)

    def _remove(self, key: HeldKey) -> Path:
        path = self._folder / key.file
        path.unlink(missing_ok=True)
        if key.in_token and key.purpose.token is not None:
            key.purpose.token.destroy(key.purpose.name, key.kid)
        return path


def public_set(folder: Path, purposes: Purposes, name: str, now: float) -> list[dict[str, object]]:
    """The public keys of a purpose as they are published at a moment. Raises KeysUnusable if there is none."""
    keys = [key for key in read_folder(folder, purposes).of(name) if key.timetable.published(now)]
    if not keys:
        raise unusable(folder, f"holds no {name} key that is published now", "make the keys with the command keys init")
    return [key.public_jwk() for key in keys]
