"""What a folder of keys is refused for, without showing a key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from broker.keys import PURPOSES, KeyRing, KeysUnusable, Timetable, generate_keys
from kit.keys.key_file import write_key
from kit.keys.rotation import new_key
from tests.broker.conftest import NOW
from tests.harness.keys import DAY, Clock, change, end, file_of


def public_half(jwk: dict[str, Any]) -> dict[str, Any]:
    """A JWK without its private member."""
    return {name: value for name, value in jwk.items() if name != "d"}


BROKEN: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("is no key file", lambda content: content | {"surprise": 1}),
    ("is no key file", lambda content: [content]),
    ("no known purpose", lambda content: content | {"purpose": "other"}),
    ("does not bear the name", lambda content: content | {"purpose": "rp-sig"}),
    ("does not bear the name", lambda content: content | {"jwk": content["jwk"] | {"kid": "other"}}),
    ("another algorithm", lambda content: content | {"jwk": content["jwk"] | {"alg": "HS256"}}),
    ("no usable JWK", lambda content: content | {"jwk": content["jwk"] | {"d": "AA", "x": "AA"}}),
    ("no private key", lambda content: content | {"jwk": public_half(content["jwk"])}),
    ("timetable", lambda content: content | {"timetable": {}}),
    ("timetable", lambda content: content | {"timetable": content["timetable"] | {"expires": 1}}),
]


class TestFolder:
    def test_it_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        made = generate_keys(tmp_path / "a" / "keys", NOW, purposes=("store", "pairwise"))
        assert (tmp_path / "a" / "keys").stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in made] == [0o600, 0o600]

    def test_generating_twice_makes_no_second_key(self, full: Path) -> None:
        assert generate_keys(full, NOW + 1) == []

    @pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
    def test_an_open_folder_is_refused_with_the_mend(self, folder: Path, clock: Clock, mode: int) -> None:
        folder.chmod(mode)
        with pytest.raises(KeysUnusable, match=f"chmod 700 {folder}"):
            KeyRing(folder, clock)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
    def test_an_open_file_is_refused_with_the_mend(self, folder: Path, clock: Clock, mode: int) -> None:
        path = file_of(folder, "pairwise")
        path.chmod(mode)
        with pytest.raises(KeysUnusable, match=f"chmod 600 {path}"):
            KeyRing(folder, clock)

    def test_a_missing_folder_says_how_to_make_one(self, tmp_path: Path, clock: Clock) -> None:
        with pytest.raises(KeysUnusable, match="keys init"):
            KeyRing(tmp_path / "nowhere", clock)

    def test_every_problem_of_the_folder_is_told_at_once(self, folder: Path, clock: Clock) -> None:
        file_of(folder, "store").write_text("{")
        file_of(folder, "pairwise").chmod(0o644)
        end(folder, "id-token-sig", "ES256", NOW + DAY, NOW + DAY, NOW + DAY)
        with pytest.raises(KeysUnusable) as caught:
            KeyRing(folder, clock)
        assert len(caught.value.problems) == 3

    def test_a_second_pairwise_key_is_refused(self, folder: Path, clock: Clock) -> None:
        write_key(folder, PURPOSES["pairwise"], new_key("HS256"), Timetable.from_now(NOW + 1))
        with pytest.raises(KeysUnusable, match="second pairwise key"):
            KeyRing(folder, clock)

    def test_a_key_file_is_never_written_over(self, folder: Path) -> None:
        key = new_key("ES256")
        write_key(folder, PURPOSES["id-token-sig"], key, Timetable.from_now(NOW))
        with pytest.raises(FileExistsError):
            write_key(folder, PURPOSES["id-token-sig"], key, Timetable.from_now(NOW))

    @pytest.mark.parametrize(("wrong", "bend"), BROKEN)
    def test_a_broken_file_is_refused_without_showing_the_key(
        self, folder: Path, clock: Clock, wrong: str, bend: Callable[[dict[str, Any]], Any]
    ) -> None:
        path = file_of(folder, "id-token-sig", "ES256")
        content = json.loads(path.read_text())
        path.write_text(json.dumps(bend(content)))
        with pytest.raises(KeysUnusable, match=wrong) as caught:
            KeyRing(folder, clock)
        assert content["jwk"]["d"] not in str(caught.value)

    def test_a_store_key_of_another_size_is_refused(self, folder: Path, clock: Clock) -> None:
        path = file_of(folder, "store")
        jwk = json.loads(path.read_text())["jwk"]
        change(path, jwk=jwk | {"k": OctKey.generate_key(128).as_dict(private=True)["k"]})
        with pytest.raises(KeysUnusable, match="size"):
            KeyRing(folder, clock)

    def test_another_curve_is_refused(self, folder: Path, clock: Clock) -> None:
        path = file_of(folder, "id-token-sig", "ES256")
        jwk = json.loads(path.read_text())["jwk"]
        other = ECKey.generate_key("P-384").as_dict(private=True)
        change(path, jwk={**other, "alg": "ES256", "kid": jwk["kid"]})
        with pytest.raises(KeysUnusable, match="size"):
            KeyRing(folder, clock)
