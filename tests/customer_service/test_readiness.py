"""Customer service's second port: what `/readyz` goes by, and that it is not on the first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from customer_service.keys import PURPOSES
from kit.keys.rotation import Rotation
from tests.harness.customer_service import MAIJA, StaffHarness
from tests.harness.keys import end


@pytest.fixture
def folder(staff: StaffHarness, tmp_path: Path) -> Path:
    """A folder of keys that this test may change."""
    made = tmp_path / "keys"
    shutil.copytree(staff.folder / "keys", made)
    staff.open_site(lambda config: config["keys"].update(dir=str(made)))
    return made


def ready(staff: StaffHarness) -> tuple[int, dict[str, tuple[str, str]]]:
    answer = staff.site.extensions["operations"].test_client().get("/readyz")
    return answer.status_code, {check["name"]: (check["state"], check["said"]) for check in answer.get_json()["checks"]}


def states(staff: StaffHarness) -> tuple[int, dict[str, str]]:
    status, checks = ready(staff)
    return status, {name: state for name, (state, _) in checks.items()}


def test_it_is_ready_and_never_on_the_public_port(staff: StaffHarness) -> None:
    assert states(staff) == (200, {"configuration": "ok", "keys in use": "ok"})
    for path in ("/readyz", "/livez", "/metrics", "/status"):
        assert requests.get(staff.url + path, timeout=5).status_code == 404


def test_it_stays_ready_while_registration_is_down_as_its_pages_say_so(staff: StaffHarness) -> None:
    with staff.registration_down():
        assert states(staff)[0] == 200


def test_keys_that_vanish_are_told_and_the_last_good_ones_stay_in_use(staff: StaffHarness, folder: Path) -> None:
    browser = staff.staff()
    for file in folder.glob("*.json"):
        file.unlink()
    staff.clock.ahead = 60
    status, checks = ready(staff)
    assert (status, checks["keys folder"][0]) == (200, "warning")
    assert browser.get("/service").status == 200
    assert staff.browser().sign_in(MAIJA).status == 200


def test_a_key_that_is_open_to_others_is_told_with_its_file(staff: StaffHarness, folder: Path) -> None:
    file = next(folder.glob("client-*.json"))
    file.chmod(0o644)
    staff.clock.ahead = 60
    status, checks = ready(staff)
    assert (status, checks["keys folder"][0]) == (200, "warning")
    assert file.name in checks["keys folder"][1]


def test_without_a_key_in_use_it_is_not_ready(staff: StaffHarness, folder: Path) -> None:
    now = int(staff.clock())
    end(folder, "client", None, now + 100, now + 1000, now + 1000)
    staff.clock.ahead = 60
    assert states(staff)[0] == 200
    staff.clock.ahead = 101
    status, checks = ready(staff)
    assert (status, checks["keys in use"][0]) == (503, "failed")
    assert "client" in checks["keys in use"][1]
    Rotation(folder, PURPOSES).init(int(staff.clock()))
    staff.clock.ahead = 300
    assert states(staff)[0] == 200, "made anew, without a restart"
