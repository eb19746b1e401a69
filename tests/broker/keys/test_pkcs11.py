"""Private keys in a PKCS#11 token: SoftHSM, which does RSA-OAEP with SHA-1 only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pkcs11
import pytest
import tomli_w
from click.testing import CliRunner
from joserfc import jws
from joserfc.jwk import import_key

from broker.cli import main
from broker.keys import KeyRing, generate_keys, purposes_of, rotation_of
from broker.keys import pkcs11 as our_pkcs11
from broker.keys.pkcs11 import Pkcs11Token
from broker.operations.key_checks import check_keys
from broker.settings.models import KeysSettings
from kit.keys.timetable import ALL_LOOKED, AT_ONCE
from providers.dialects import DIALECTS
from providers.model import DecryptionFailed, KeysUnavailable
from tests.broker.conftest import NOW, Data
from tests.harness.key_rotation import Lost, RotatingSystem
from tests.harness.keys import ALGORITHMS, Clock, kid_of, sealed_to
from tests.harness.softhsm import MODULE, PIN, SoftHsm

pytestmark = pytest.mark.peers
ALL = ("entity", "rp-sig", "rp-enc", "id-token-sig")


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> SoftHsm:
    return SoftHsm(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has failed is tried again at once."""
    monkeypatch.setattr(our_pkcs11, "RETRY", 0.0)


class Held:
    """A folder whose keys a token holds, and rings over it."""

    def __init__(self, folder: Path, hsm: SoftHsm, token: str = "ours", **changes: Any) -> None:
        settings = hsm.settings(token, *ALL, **changes)
        self.settings = KeysSettings.model_validate({"dir": str(folder), "pkcs11": settings})
        self.clock = Clock(NOW)
        self.purposes = purposes_of(self.settings)
        self.rotation = rotation_of(folder, 2048, self.purposes)

    def ring(self) -> KeyRing:
        return KeyRing(self.settings.dir, self.clock, self.purposes)

    @property
    def token(self) -> Pkcs11Token:
        token = self.purposes["rp-sig"].token
        assert isinstance(token, Pkcs11Token)
        return token


@pytest.fixture
def held(hsm: SoftHsm, tmp_path: Path) -> Held:
    made = Held(tmp_path / "keys", hsm)
    made.rotation.init(NOW)
    return made


def test_nothing_private_is_in_the_files_and_nothing_can_be_had_from_the_token(held: Held) -> None:
    for path in held.settings.dir.glob("*.json"):
        content = json.loads(path.read_text())
        assert ("d" in content["jwk"]) is (content["purpose"] == "audit-sig")  # which no token holds
        assert ("k" in content["jwk"]) is (content["purpose"] in ("store", "pairwise"))
    held.ring().check_token()
    with pkcs11.lib(str(MODULE)).get_token(token_label="ours").open() as session:
        private = list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}))
        assert len(private) >= 5
        for key in private:
            assert (key[pkcs11.Attribute.SENSITIVE], key[pkcs11.Attribute.EXTRACTABLE]) == (True, False)


@pytest.mark.parametrize(
    ("purpose", "alg"), [("entity", "RS256"), ("rp-sig", "RS256"), ("id-token-sig", "RS256"), ("id-token-sig", "ES256")]
)
def test_it_signs(held: Held, purpose: str, alg: str) -> None:
    ring = held.ring()
    token = ring.sign(purpose, {"sub": "Å"}, alg=alg)
    (public,) = (key for key in ring.public_set(purpose) if key["kid"] == kid_of(token))
    verified = jws.deserialize_compact(token, import_key(public), algorithms=[alg])
    assert json.loads(verified.payload or b"") == {"sub": "Å"}


def test_it_decrypts_what_it_can_and_is_published_for_that_alone(held: Held) -> None:
    ring = held.ring()
    (jwk,) = ring.public_set("rp-enc")
    assert jwk["alg"] == "RSA-OAEP"
    assert ring.decrypt("rp-enc", sealed_to(jwk), algorithms=ALGORITHMS).payload == b"a token"
    more = ("RSA-OAEP-256", "A128CBC-HS256")
    with pytest.raises(DecryptionFailed):
        ring.decrypt("rp-enc", sealed_to(jwk, algorithms=more, alg="RSA-OAEP-256"), algorithms=more)


def test_a_message_that_does_not_open_is_no_failure_of_the_token(held: Held) -> None:
    ring = held.ring()
    (jwk,) = ring.public_set("rp-enc")
    head, key, *rest = sealed_to(jwk).split(".")
    for bad in (key[:-4] + "AAAA", "AAAA", ""):
        with pytest.raises(DecryptionFailed):
            ring.decrypt("rp-enc", ".".join((head, bad, *rest)), algorithms=ALGORITHMS)
    assert held.token._failed_at is None


def test_many_threads_share_it(held: Held) -> None:
    ring = held.ring()
    (jwk,) = ring.public_set("rp-enc")
    sealed = sealed_to(jwk)

    def work(_: int) -> bool:
        signed = ring.sign("id-token-sig", {}, alg="ES256")
        return bool(signed) and ring.decrypt("rp-enc", sealed, algorithms=ALGORITHMS).payload == b"a token"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_a_key_that_is_retired_leaves_the_token_too(held: Held) -> None:
    (old,) = (key.kid for key in held.ring().status() if key.purpose == "rp-sig")
    held.rotation.rotate(["rp-sig"], NOW)
    held.clock.now = NOW + 30 * 86_400
    held.token.find("rp-sig", [old])
    (removed,) = held.rotation.retire(int(held.clock.now))
    assert old in removed.name
    with pytest.raises(KeysUnavailable, match="NoSuchKey"):
        held.token.find("rp-sig", [old])
    held.ring().check_token()


def test_a_key_that_the_token_has_lost_is_not_ready(held: Held) -> None:
    (kid,) = (key.kid for key in held.ring().status() if key.purpose == "rp-sig")
    held.token.destroy("rp-sig", kid)
    (check,) = (check for check in check_keys(held.ring(), NOW, {}) if check.state != "ok")
    assert (check.name, check.state, "NoSuchKey" in check.said) == ("key token", "failed", True)


class TestPin:
    def test_one_that_was_refused_is_never_tried_again(self, hsm: SoftHsm, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong"
        wrong.write_text("9999")
        wrong.chmod(0o600)
        held = Held(tmp_path / "keys", hsm, "refused", pin_file=str(wrong))
        for _ in range(2):
            with pytest.raises(KeysUnavailable, match="refused the PIN"):
                held.rotation.init(NOW)
            wrong.write_text(PIN)

    def test_a_file_that_others_can_read_is_not_read(self, hsm: SoftHsm, tmp_path: Path) -> None:
        pin = tmp_path / "pin"
        pin.write_text(PIN)
        pin.chmod(0o644)
        with pytest.raises(KeysUnavailable, match="open to others"):
            Held(tmp_path / "keys", hsm, "refused", pin_file=str(pin)).rotation.init(NOW)

    def test_a_file_that_is_no_text_is_told(self, hsm: SoftHsm, tmp_path: Path) -> None:
        pin = tmp_path / "pin"
        pin.write_bytes(b"\xff\xfe1")
        pin.chmod(0o600)
        with pytest.raises(KeysUnavailable, match="is not UTF-8"):
            Held(tmp_path / "keys", hsm, "away", pin_file=str(pin)).rotation.init(NOW)

    def test_it_may_come_from_the_environment(
        self, hsm: SoftHsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = Held(tmp_path / "keys", hsm, "away", pin_file=None, pin_variable="TUNNUS_TOKEN_PIN")
        with pytest.raises(KeysUnavailable, match="TUNNUS_TOKEN_PIN holds no PIN"):
            held.rotation.init(NOW)
        monkeypatch.setenv("TUNNUS_TOKEN_PIN", PIN)
        held.rotation.init(NOW)
        held.ring().check_token()


@pytest.fixture
def system(hsm: SoftHsm, tmp_path: Path, valkey_url: str) -> Iterator[RotatingSystem]:
    begin = int(time.time()) - 90 * 86_400
    with RotatingSystem(tmp_path, valkey_url, begin, hsm.settings("brokers", *ALL)) as made:
        yield made


# python-pkcs11 ends a search in its destructor too, which a library that was opened anew refuses; nothing hangs on it.
@pytest.mark.filterwarnings("ignore:Exception ignored in. 'pkcs11:pytest.PytestUnraisableExceptionWarning")
def test_people_identify_through_a_rotation_and_when_the_token_is_back(system: RotatingSystem, hsm: SoftHsm) -> None:
    system.login()
    system.rotation.rotate(["rp-sig", "rp-enc", "id-token-sig"], int(system.clock.now), emergency=True)
    system.clock.now += AT_ONCE
    system.hourly.forget()
    system.login()
    under_way = system.begin(0)
    hsm.take_away()
    try:
        with pytest.raises(Lost, match="a page"):
            system.come_back(under_way)
        with pytest.raises(Lost, match="a page"):
            system.login()
        assert system.ready()["key token"] == "failed"
    finally:
        hsm.bring_back()
    assert "key token" not in system.ready()
    system.login()


def test_keys_move_from_files_into_a_token_by_a_rotation(hsm: SoftHsm, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    generate_keys(folder, NOW, entity_bits=2048)
    held = Held(folder, hsm)
    ring = held.ring()
    before = kid_of(ring.sign("rp-sig", {}))
    held.rotation.rotate(["rp-sig"], NOW, emergency=True)
    held.clock.now = NOW + ALL_LOOKED
    assert kid_of(ring.sign("rp-sig", {})) == before
    held.clock.now = NOW + AT_ONCE
    assert kid_of(ring.sign("rp-sig", {})) != before
    assert [check.state for check in check_keys(ring, held.clock.now, {})] == ["ok"]


def test_a_token_that_went_and_came_is_there_for_a_ring_that_never_saw_it_go(held: Held, hsm: SoftHsm) -> None:
    hsm.take_away()
    try:
        with pytest.raises(KeysUnavailable):
            Held(held.settings.dir.parent / "second", hsm).rotation.init(NOW)
    finally:
        hsm.bring_back()
    Held(held.settings.dir.parent / "third", hsm).rotation.init(NOW)


def test_without_its_library_a_rotation_says_so(hsm: SoftHsm, tmp_path: Path) -> None:
    held = Held(tmp_path / "keys", hsm, module=str(tmp_path / "nowhere.so"))
    with pytest.raises(KeysUnavailable, match="cannot be used"):
        held.rotation.init(NOW)


def test_a_dialect_that_needs_more_than_the_token_can_do_is_refused(
    held: Held, data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = held.settings.dir.parent / "broker.toml"
    data["keys"] = held.settings.model_dump(mode="json", exclude_none=True)
    data["notices"] = {}
    file.write_text(tomli_w.dumps(data))
    assert CliRunner().invoke(main, ["check", "--config", str(file)]).exit_code == 0
    monkeypatch.setitem(DIALECTS, "ftn", replace(DIALECTS["ftn"], jwe_algorithms=("RSA-OAEP-256",)))  # type: ignore[arg-type]
    done = CliRunner().invoke(main, ["check", "--config", str(file)])
    assert done.exit_code == 1
    assert "connections.own.dialect" in done.stderr
    assert "take rp-enc out of keys.pkcs11.purposes" in done.stderr


def test_the_commands_say_what_is_wrong_with_the_token(held: Held, data: Data, hsm: SoftHsm) -> None:
    file = held.settings.dir.parent / "broker.toml"
    data["keys"] = {**held.settings.model_dump(mode="json", exclude_none=True), "rotate_every": {"rp-sig": 7}}
    file.write_text(tomli_w.dumps(data))
    status = CliRunner().invoke(main, ["keys", "status", "--config", str(file)])
    assert (status.exit_code, status.output.count("in use")) == (0, 8)
    hsm.take_away()
    try:
        done = CliRunner().invoke(main, ["keys", "rotate", "rp-sig", "--config", str(file)])
        assert (done.exit_code, "the token cannot be used" in done.stderr) == (1, True)
    finally:
        hsm.bring_back()
