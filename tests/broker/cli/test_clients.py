"""`tunnus clients refused`: what a running broker refused, out of the store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
import tomli_w
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from broker.app import create_app
from broker.cli import main
from broker.settings import load_settings

WRONG = "https://client.example/wrong"


def refused(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["clients", "refused", "--config", str(config), *arguments])


@pytest.fixture
def config(tmp_path: Path, data: dict[str, Any], broker_keys: Path, valkey_url: str) -> Path:
    shutil.copytree(broker_keys, tmp_path / "keys")
    data["store"] = {"url": valkey_url}
    path = tmp_path / "tunnus.toml"
    path.write_text(tomli_w.dumps(data))
    with redis.Redis.from_url(valkey_url) as store:
        store.delete(*store.keys("tunnus:refused:*") or ["none"])  # type: ignore[misc]
    return path


@pytest.fixture
def browser(config: Path) -> FlaskClient:
    return create_app(load_settings(config)).test_client()


def test_what_was_refused_is_listed_with_the_code_of_its_page(config: Path, browser: FlaskClient) -> None:
    page = browser.get("/authorize", query_string={"client_id": "portal", "redirect_uri": WRONG, "state": "secret"})
    done = refused(config)
    assert (done.exit_code, page.status_code) == (0, 400)
    first, reason, address = done.output.splitlines()
    code = first.rpartition(" ")[2]
    assert f'<code class="reference">{code}</code>' in page.get_data(as_text=True)
    assert "  portal  page with code " in first
    assert "redirect_uri is not registered" in reason
    assert address == f"  redirect_uri sent: {WRONG}"
    assert "wrong" not in page.get_data(as_text=True)


def test_it_lists_one_client_known_or_not(config: Path, browser: FlaskClient) -> None:
    for client in ("portal", "stranger", "strange"):
        browser.get("/authorize", query_string={"client_id": client, "redirect_uri": WRONG})
    assert len([line for line in refused(config).output.splitlines() if "page with code" in line]) == 3
    assert "portal" in refused(config, "--client", "portal").output
    told = refused(config, "--client", "strange").output
    assert "no client of ours (strange)" in told
    assert "stranger" not in told


def test_json_lines_are_for_programs(config: Path, browser: FlaskClient) -> None:
    browser.get("/authorize", query_string={"client_id": "stranger"})
    (line,) = refused(config, "--json").output.splitlines()
    assert json.loads(line)["sent_client_id"] == "stranger"


def test_it_looks_back_as_far_as_it_is_told(config: Path, browser: FlaskClient) -> None:
    browser.get("/authorize", query_string={"client_id": "stranger"})
    assert "page with code" in refused(config, "--since", "2d").output
    assert refused(config, "--since", "0s").output in ("no refused authorization requests\n", refused(config).output)


@pytest.mark.parametrize("time", ["1", "h", "1.5h", "-1h", "1w", "²h", "1234567s"])
def test_a_time_without_a_unit_is_told(config: Path, time: str) -> None:
    done = refused(config, "--since", time)
    assert done.exit_code == 2
    assert "write a number and its unit, as 90s, 30m, 1h or 2d" in done.output


def test_nothing_refused_is_said(config: Path) -> None:
    assert refused(config).output == "no refused authorization requests\n"


def test_a_store_that_does_not_answer_is_told(config: Path, data: dict[str, Any]) -> None:
    data["store"] = {"url": "redis://127.0.0.1:1/0"}
    config.write_text(tomli_w.dumps(data))
    done = refused(config)
    assert done.exit_code == 1
    assert "the store does not answer" in done.output
    assert "Traceback" not in done.output


def test_what_is_kept_lapses_by_itself(config: Path, browser: FlaskClient, valkey_url: str) -> None:
    browser.get("/authorize", query_string={"client_id": "stranger"})
    with redis.Redis.from_url(valkey_url) as store:
        (name,) = store.keys("tunnus:refused:*")  # type: ignore[misc]
        assert 3590 < int(store.ttl(name)) <= 3600  # type: ignore[arg-type]
        assert b"stranger" not in store.lrange(name, 0, -1)[0]  # type: ignore[index]
