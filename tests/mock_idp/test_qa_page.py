"""The commands of docs/qa.md work as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from click.testing import CliRunner

from mock_idp.cli import main
from tests.harness.relying_party import SmallRelyingParty

TEXT = (Path(__file__).parents[2] / "docs" / "qa.md").read_text()
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).replace("\\\n", " ")
COMMANDS = [line for line in BLOCKS.splitlines() if line.startswith("curl")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_curl_command_of_the_page_works(rp: SmallRelyingParty, command: str) -> None:
    words = shlex.split(command)[1:]
    method, body, headers, address = "GET", None, {}, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-d":
            body = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        else:
            address = word
    parts = urlsplit(address)
    response = rp.client.open(f"{parts.path}?{parts.query}", method=method, data=body, headers=headers)
    assert response.status_code == 200, response.get_data(as_text=True)


def test_the_other_commands_of_the_page_exist() -> None:
    commands = re.findall(r"python -m mock_idp (\S+)", BLOCKS)
    assert set(commands) == {"serve", "entity-statements"}
    for name in commands:
        options = set(re.findall(r"--[a-z-]+", BLOCKS))
        shown = "".join(CliRunner().invoke(main, [command, "--help"]).output for command in set(commands))
        assert all(option in shown for option in options), name


def test_the_ci_examples_name_variables_and_addresses_that_there_are(rp: SmallRelyingParty) -> None:
    serve = CliRunner().invoke(main, ["serve", "--help"]).output
    examples = [yaml.safe_load(found) for found in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
    gitlab, github = examples
    (service,) = gitlab["identification"]["services"]
    variables = service["variables"], github["jobs"]["identification"]["services"]["mock-idp"]["env"]
    table = set(re.findall(r"`(MOCK_\w+)`", TEXT))
    for name in {*variables[0], *variables[1], *table}:
        assert f"[{name}]" in serve, name
    assert table == set(re.findall(r"\[(MOCK_\w+)\]", serve))
    for address in re.findall(r"curl -fsS [^h\n]*(http://\S+)", str(examples)):
        assert rp.client.get(urlsplit(address.rstrip("',")).path).status_code == 200, address
