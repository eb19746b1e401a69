"""A broker as a process, on greenlets, whose private keys are in a PKCS#11 token (SoftHSM)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import PYTHON, run
from demo.runner.proof import prove
from tests.demo.running import CONTRACT, running_stack
from tests.harness.softhsm import SoftHsm

pytestmark = pytest.mark.peers
PEOPLE = 6


def test_people_are_identified_at_once_by_keys_of_a_token(
    bank_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTHSM2_CONF", "")  # what SoftHsm sets there ends with this test
    (tmp_path / "hsm").mkdir()
    (tmp_path / "state").mkdir()
    hsm = SoftHsm(tmp_path / "hsm")
    with running_stack(tmp_path / "state", bank_keys) as stack:
        config = broker_config(*CONTRACT, stack.places)
        pkcs11 = hsm.settings("brokers", "entity", "rp-sig", "rp-enc", "id-token-sig")
        config["keys"] |= {"dir": str(tmp_path / "keys"), "pkcs11": pkcs11}
        path = stack._written(config, "hsm")
        # Each by a process of its own: one that has loaded the library already keeps its tokens.
        run([PYTHON, "-m", "broker", "keys", "init", "--config", str(path)])
        statement = run([PYTHON, "-m", "broker", "entity-statement", "--config", str(path)])
        (stack.places.state / "relying-party.jwt").write_text(statement)
        stack.start_broker(path)
        person = MockBanks(stack.places.mock).people()[0]

        def identified(_number: int) -> str | None:
            return prove(stack.client, MockBanks(stack.places.mock), "pop", "pop", person, "pop").problem

        with ThreadPoolExecutor(PEOPLE) as people:
            assert list(people.map(identified, range(PEOPLE))) == [None] * PEOPLE
