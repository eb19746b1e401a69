"""The `tunnus` command: what it says, and how it ends."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import tomli_w
from click.testing import CliRunner, Result

from broker.audit import AuditTrail, Refusal
from broker.cli import main
from providers.engine.entity_statement import parse_entity_statement
from tests.broker.conftest import NOW
from tests.harness.certificates import certificate, context
from tests.harness.closed_folder import closed
from tests.harness.engine.bank_server import answer, answering, served

Data = dict[str, Any]


def tunnus(*arguments: str | Path, **environ: str) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environ)


@pytest.fixture
def config(tmp_path: Path, data: Data, made_keys: Path) -> Path:
    """A right configuration in a file, with keys beside it."""
    shutil.copytree(made_keys, tmp_path / "keys")
    path = tmp_path / "tunnus.toml"
    path.write_text(tomli_w.dumps(data))
    return path


@pytest.fixture
def write(config: Path, data: Data) -> Callable[[], None]:
    """Writes the data again after a test changed it."""
    return lambda: config.write_text(tomli_w.dumps(data)) and None


class TestCheck:
    def test_a_right_configuration_is_said_to_be(self, config: Path) -> None:
        done = tunnus("check", "--config", config)
        assert (done.exit_code, done.output) == (
            0,
            f"{config}: no problems. Environment test, 3 providers open, 3 connections, 1 clients.\n"
            "connections.shared: notices = false, what it publishes of its state is not read\n",
        )

    def test_what_a_client_is_spared_is_said(self, config: Path, data: Data, write: Callable[[], None]) -> None:
        data["clients"]["portal"] |= {"pkce": "optional", "state": "optional", "iss_in_errors": False}
        write()
        said = tunnus("check", "--config", config).output
        assert "clients.portal: pkce, state may be absent" in said
        assert "clients.portal: iss is left out of error responses" in said

    def test_whose_word_on_certificates_is_believed_is_said(
        self, config: Path, data: Data, write: Callable[[], None]
    ) -> None:
        data["server"] = {
            "trusted_proxies": 1,
            "client_certificate_header": "X-Client-Cert",
            "client_certificate_proxies": ["10.0.0.5"],
        }
        write()
        said = tunnus("check", "--config", config).output
        assert "server: X-Client-Cert is believed from 10.0.0.5/32, which must write it itself" in said

    def test_what_a_failover_risks_is_said(self, config: Path, data: Data, write: Callable[[], None]) -> None:
        data["store"]["durable_replicas"] = 1
        write()
        assert "store.durable_replicas = 1: nothing is given before" in tunnus("check", "--config", config).output

    def test_what_a_clients_software_fails_with_is_said(
        self, config: Path, data: Data, write: Callable[[], None]
    ) -> None:
        data["clients"]["portal"]["software"] = "mod_auth_openidc"
        write()
        assert (
            "trips over iss in an error response: set iss_in_errors = false"
            in tunnus("check", "--config", config).output
        )

    def test_the_environment_names_the_configuration(self, config: Path) -> None:
        assert tunnus("check", TUNNUS_CONFIG=str(config)).exit_code == 0

    def test_all_problems_are_told_without_a_traceback(
        self, config: Path, data: Data, write: Callable[[], None]
    ) -> None:
        data["issuer"] = "http://id.energy.fi"
        data["providers"]["aktia"]["connection"] = "nowhere"
        write()
        done = tunnus("check", "--config", config)
        assert done.exit_code == 1
        assert f"{config}: 2 problems" in done.stderr
        assert 'providers.aktia.connection = "nowhere"' in done.stderr
        assert "allowed: bank-list, own, shared" in done.stderr
        assert "mend: define it, or name another" in done.stderr
        assert "Traceback" not in done.output

    def test_notices_are_checked_too(self, config: Path, data: Data, write: Callable[[], None]) -> None:
        (config.parent / "notices.toml").write_text("[elsewhere]\n")
        data["notices"] = {"file": "notices.toml"}
        write()
        done = tunnus("check", "--config", config)
        assert done.exit_code == 1
        assert "elsewhere" in done.stderr

    def test_without_a_configuration_the_command_was_given_wrongly(self) -> None:
        done = tunnus("check")
        assert done.exit_code == 2
        assert "TUNNUS_CONFIG" in done.output


class TestKeys:
    def test_init_makes_keys_once(self, tmp_path: Path) -> None:
        first = tunnus("keys", "init", "--dir", tmp_path / "made")
        assert first.exit_code == 0
        assert first.output.count("made ") >= 7
        second = tunnus("keys", "init", "--dir", tmp_path / "made")
        assert (second.exit_code, "nothing was made" in second.output) == (0, True)

    def test_status_shows_each_key_and_phase_but_no_secret(self, config: Path) -> None:
        done = tunnus("keys", "status", "--config", config)
        assert done.exit_code == 0
        assert done.output.count("in use") == 8
        secrets = [json.loads(path.read_text())["jwk"] for path in (config.parent / "keys").glob("*.json")]
        assert not any(jwk[name] in done.output for jwk in secrets for name in ("d", "k") if name in jwk)

    def test_status_says_which_purpose_has_no_key(self, config: Path) -> None:
        next(iter((config.parent / "keys").glob("rp-enc-*"))).unlink()
        done = tunnus("keys", "status", "--config", config)
        assert done.exit_code == 1
        assert "rp-enc RSA-OAEP: no key is in use" in done.stderr

    def test_status_says_what_is_next_and_when(self, config: Path) -> None:
        assert "no end: it is never replaced" in tunnus("keys", "status", "--config", config).output
        assert tunnus("keys", "rotate", "store", "--config", config).output.startswith("made ")
        shown = tunnus("keys", "status", "--config", config).output
        assert re.search(r"store .* warm-up .*\n +\d{4}-\d\d-\d\d \d\d:\d\d  is used from then on\n", shown)
        assert re.search(r"store .* in use .*\n .*  is used no more\n", shown)
        again = tunnus("keys", "rotate", "store", "--config", config)
        assert (again.exit_code, "in its warm-up already" in again.output) == (0, True)
        assert tunnus("keys", "postpone", "store", "--by", "1d", "--config", config).exit_code == 0
        done = tunnus("keys", "postpone", "rp-sig", "--by", "1d", "--config", config)
        assert (done.exit_code, "no rp-sig key is in its warm-up" in done.stderr) == (1, True)

    def test_cron_is_told_only_of_what_was_done_and_of_what_is_wrong(self, config: Path) -> None:
        due = ("keys", "rotate", "--due", "--config", config)
        assert (tunnus(*due).exit_code, tunnus(*due).output) == (0, "")
        config.write_text(config.read_text().replace("[keys]", "[keys]\nrotate_every = { id-token-sig = 7 }"))
        first, second = tunnus(*due), tunnus(*due)
        assert (first.exit_code, first.output.count("made ")) == (0, 2)
        assert (second.exit_code, second.output) == (0, "")
        (config.parent / "keys").chmod(0o755)
        assert (tunnus(*due).exit_code, tunnus(*due).stdout) == (1, "")
        assert "chmod 700" in tunnus(*due).stderr

    @pytest.mark.parametrize("words", [(), ("--all", "store"), ("--due", "--emergency"), ("pairwise",)])
    def test_what_to_rotate_is_said_in_one_way(self, config: Path, words: tuple[str, ...]) -> None:
        assert tunnus("keys", "rotate", *words, "--config", config).exit_code == 2

    def test_only_an_emergency_replaces_the_entity_key_among_all_and_says_what_banks_need(self, config: Path) -> None:
        assert "entity-" not in tunnus("keys", "rotate", "--all", "--config", config).output
        done = tunnus("keys", "rotate", "--all", "--emergency", "--config", config)
        assert "entity: give every bank the new entity statement (tunnus entity-statement); now" in done.output
        assert "in use in 55 s" in done.output

    def test_a_lost_entity_key_is_told_with_what_banks_need(self, config: Path) -> None:
        next(iter((config.parent / "keys").glob("entity-*"))).unlink()
        done = tunnus("keys", "init", "--config", config)
        assert "nobody gets through before" in done.output

    def test_public_keys_are_written_whole_where_the_broker_reads_them(self, tmp_path: Path) -> None:
        folder, out = tmp_path / "client", tmp_path / "portal.jwks.json"
        assert tunnus("client-keys", "init", "--dir", folder).exit_code == 0
        for keys in (1, 2):
            assert tunnus("client-keys", "show-public", "--dir", folder, "--out", out).exit_code == 0
            assert len(json.loads(out.read_text())["keys"]) == keys
            assert out.stat().st_mode & 0o777 == 0o644
            tunnus("client-keys", "rotate", "client", "--dir", folder)

    def test_show_public_prints_a_jwks_without_private_members(self, config: Path) -> None:
        done = tunnus("keys", "show-public", "id-token-sig", "--config", config)
        shown = json.loads(done.output)["keys"]
        assert {key["alg"] for key in shown} == {"RS256", "ES256"}
        assert not any("d" in key for key in shown)

    def test_which_public_keys_to_show_is_asked_where_there_are_several_that_are_needed(self, config: Path) -> None:
        done = tunnus("keys", "show-public", "--config", config)
        assert (done.exit_code, "Missing argument" in done.output) == (2, True)

    def test_a_secret_purpose_has_nothing_to_show(self, config: Path) -> None:
        assert tunnus("keys", "show-public", "pairwise", "--config", config).exit_code == 2

    def test_open_modes_are_told_with_the_mend(self, config: Path) -> None:
        (config.parent / "keys").chmod(0o755)
        done = tunnus("keys", "status", "--config", config)
        assert done.exit_code == 1
        assert f"chmod 700 {config.parent / 'keys'}" in done.stderr

    def test_neither_folder_nor_configuration_is_wrong_usage(self) -> None:
        assert tunnus("keys", "status").exit_code == 2


def test_the_entity_statement_names_every_callback_and_verifies(config: Path) -> None:
    done = tunnus("entity-statement", "--config", config)
    statement = parse_entity_statement(done.output, int(time.time()))
    assert statement.entity_id == "https://id.energy.fi"
    assert statement.metadata["openid_relying_party"]["redirect_uris"] == [
        "https://id.energy.fi/callback/bank-list",
        "https://id.energy.fi/callback/own",
        "https://id.energy.fi/callback/shared",
    ]


def test_an_entity_statement_without_an_entity_key_says_so(config: Path) -> None:
    next(iter((config.parent / "keys").glob("entity-*"))).unlink()
    done = tunnus("entity-statement", "--config", config)
    assert (done.exit_code, "no entity key" in done.stderr) == (1, True)


def test_a_client_secret_comes_with_the_hash_for_the_configuration(data: Data) -> None:
    first, second = tunnus("client-secret").output, tunnus("client-secret").output
    assert first != second
    secret, hashed = (line.split(": ")[1] for line in first.splitlines())
    assert hashed == f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"
    assert len(secret) >= 43


class TestDoctor:
    def test_a_machine_in_order_is_well(
        self, config: Path, data: Data, write: Callable[[], None], valkey_url: str
    ) -> None:
        data["store"]["url"] = valkey_url
        write()
        done = tunnus("doctor", "--config", config)
        assert done.exit_code == 0, done.output
        assert all(line.startswith("ok ") for line in done.output.splitlines())

    def test_replicas_that_are_demanded_and_away_are_told(
        self, config: Path, data: Data, write: Callable[[], None], valkey_url: str
    ) -> None:
        data["store"] |= {"url": valkey_url, "durable_replicas": 1}
        write()
        done = tunnus("doctor", "--config", config)
        assert done.exit_code == 1
        assert "failed   store durability: 0 replicas follow a primary, 1 must confirm" in done.output

    def test_the_keys_that_a_client_publishes_are_fetched_once(
        self, config: Path, data: Data, write: Callable[[], None], client_jwk: Data, tmp_path: Path
    ) -> None:
        pem = certificate(tmp_path, "127.0.0.1")
        published = answer(json.dumps({"keys": [client_jwk]}).encode())
        with served(answering(published, answer(b"", "500 No")), context(pem)) as server:
            del data["clients"]["portal"]["jwks"]
            data["clients"]["portal"] |= {"jwks_uri": f"{server.url}/jwks", "jwks_ca_bundle": str(pem)}
            data["private_network"] = True
            write()
            assert f"ok       keys of client portal: 1 fetched from {server.url}/jwks" in self.said(config)
            assert len(server.requests) == 1
        done = self.said(config)
        assert f"warning  keys of client portal: {server.url}/jwks cannot be fetched: the call failed" in done
        assert "mend: let the broker reach it by https" in done

    @staticmethod
    def said(config: Path) -> str:
        return tunnus("doctor", "--config", config).output

    def test_what_is_broken_is_told_with_its_mend_and_the_rest_too(
        self, config: Path, data: Data, write: Callable[[], None]
    ) -> None:
        data["store"]["url"] = f"unix://{config.parent}/nowhere.sock"
        write()
        (config.parent / "keys").chmod(0o755)
        done = tunnus("doctor", "--config", config)
        assert done.exit_code == 1
        assert "failed   keys folder" in done.output
        assert "mend: chmod 700" in done.output
        assert "failed   store: does not answer" in done.output
        assert "ok       audit trail" in done.output

    @pytest.mark.parametrize("command", ["check", "doctor", "serve"])
    def test_whatever_start_refuses_stands_in_one_report(
        self, config: Path, data: Data, write: Callable[[], None], command: str
    ) -> None:
        data["brand"] |= {"accessibility": "statement", "logo": "logo.svg", "logo_dir": "logos"}
        data["texts"] = {"dir": "texts"}
        data["notices"] = {"file": "notices.toml"}
        data["server"] = {"port": "many"}
        data["issuer"] = "http://id.energy.fi"
        (config.parent / "logo.svg").write_text("no picture")
        (config.parent / "notices.toml").write_text("[elsewhere]\n")
        (config.parent / "texts").mkdir()
        (config.parent / "texts" / "sv.po").write_text('msgid "no such"\nmsgstr "x"\n')
        write()
        done = tunnus(command, "--config", config)
        assert done.exit_code == 1
        for place in ("server.port", "issuer", "brand.accessibility", "brand.logo", "elsewhere", "logos", "sv.po"):
            assert place in done.output, place
        assert "Traceback" not in done.output

    def test_a_missing_statement_does_not_hide_what_is_wrong_with_the_machine(
        self, config: Path, data: Data, write: Callable[[], None]
    ) -> None:
        data["brand"]["accessibility"] = "statement"
        data["store"]["url"] = f"unix://{config.parent}/nowhere.sock"
        write()
        done = tunnus("doctor", "--config", config)
        assert done.exit_code == 1
        assert "failed   configuration: " in done.output
        assert "brand.accessibility has no statement in every language" in done.output
        assert "failed   store" in done.output


class TestAudit:
    def test_before_any_record_there_is_nothing_to_verify_and_nothing_to_find(self, config: Path) -> None:
        done = tunnus("audit", "verify", "--config", config)
        assert (done.exit_code, "not there yet" in done.output) == (0, True)
        done = tunnus("audit", "find", "K7QF", "--config", config)
        assert (done.exit_code, "nothing found" in done.stderr) == (1, True)

    def test_a_folder_that_is_gone_is_an_error_if_it_is_named_or_the_log_has_heads(
        self, config: Path, tmp_path: Path
    ) -> None:
        assert tunnus("audit", "verify", "--dir", tmp_path / "mistyped").exit_code == 1
        log = tmp_path / "log"
        log.write_text(json.dumps({"message": "audit_head", "file": "audit-x.jsonl", "seq": 1, "head": "0" * 64}))
        assert tunnus("audit", "verify", "--config", config, "--heads", log).exit_code == 1

    @pytest.fixture
    def trail(self, tmp_path: Path) -> Path:
        trail = AuditTrail(tmp_path / "audit", lambda: NOW)
        trail.record("identified", txn="K7QFAAAA", client="portal", provider="nordea")
        trail.record("handed_over", txn="K7QFAAAA", client="portal")
        trail.record("refused", txn="ZZZZ", code="cancelled")
        trail.close()
        return tmp_path / "audit"

    def test_find_tells_the_story(self, trail: Path) -> None:
        done = tunnus("audit", "find", "k7qf", "--dir", trail)
        assert done.exit_code == 0
        lines = done.output.splitlines()
        assert lines[0] == "K7QFAAAA"
        assert "identified" in lines[1]
        assert "provider=nordea" in lines[1]
        assert "handed_over" in lines[2]
        assert len(lines) == 3

    def test_find_gives_json_for_programs(self, trail: Path) -> None:
        done = tunnus("audit", "find", "ZZZZ", "--dir", trail, "--json")
        assert json.loads(done.output)["code"] == "cancelled"

    def test_find_says_if_there_is_nothing(self, trail: Path) -> None:
        assert tunnus("audit", "find", "AAAA", "--dir", trail).exit_code == 1
        assert tunnus("audit", "find", " ", "--dir", trail).exit_code == 2

    @pytest.mark.parametrize("command", [("verify",), ("find", "K7QF"), ("refusals",)], ids=lambda command: command[0])
    def test_a_folder_that_may_not_be_read_is_an_error_and_no_empty_trail(
        self, trail: Path, command: tuple[str, ...]
    ) -> None:
        with closed(trail):
            done = tunnus("audit", *command, "--dir", trail)
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"{trail}: Permission denied\n")

    def test_verify_of_an_untouched_trail_is_well(self, trail: Path) -> None:
        done = tunnus("audit", "verify", "--dir", trail)
        assert (done.exit_code, done.output) == (0, "5 records in 1 files, 0 findings\n")

    def test_verify_names_file_and_line_of_a_change(self, trail: Path) -> None:
        (path,) = trail.glob("*.jsonl")
        path.write_text(path.read_text().replace("nordea", "aktia1"))
        done = tunnus("audit", "verify", "--dir", trail)
        assert done.exit_code == 1
        assert f"{path.name}:2: was changed" in done.stderr

    def test_verify_ends_otherwise_for_a_file_that_was_never_closed(self, trail: Path) -> None:
        (path,) = trail.glob("*.jsonl")
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        done = tunnus("audit", "verify", "--dir", trail)
        assert done.exit_code == 3
        assert "never closed" in done.output

    def test_verify_compares_the_heads_of_a_log(self, trail: Path, tmp_path: Path) -> None:
        (path,) = trail.glob("*.jsonl")
        last = json.loads(path.read_text().splitlines()[-1])
        head = {"message": "audit_head", "file": path.name, "seq": 5, "head": last["hash"]}
        log = tmp_path / "log"
        log.write_text(f"noise\nbroker-1 | {json.dumps(head)}\naudit_head {{}}\n")
        assert tunnus("audit", "verify", "--dir", trail, "--heads", log).exit_code == 0
        log.write_text(json.dumps(head | {"head": "0" * 64}))
        done = tunnus("audit", "verify", "--dir", trail, "--heads", log)
        assert done.exit_code == 1
        assert f"{path.name}:5: is not the record" in done.stderr

    def test_refusals_are_counted_by_client_and_kind(self, tmp_path: Path) -> None:
        trail = AuditTrail(tmp_path / "refusals", time.time)
        for kind, times in (
            (Refusal("lost_cookie", "response", "another browser", "portal"), 3),
            (Refusal("bad_request", "response", "state is missing"), 2),
        ):
            for _ in range(times):
                trail.count_refusal(kind)
        trail.close()
        done = tunnus("audit", "refusals", "--since", "24h", "--dir", tmp_path / "refusals")
        assert [line.split() for line in done.output.splitlines()] == [
            ["3", "portal", "lost_cookie", "at", "response:", "another", "browser"],
            ["2", "(client", "unknown)", "bad_request", "at", "response:", "state", "is", "missing"],
            ["5", "refused", "before", "a", "claim"],
        ]
        done = tunnus("audit", "refusals", "--client", "portal", "--json", "--dir", tmp_path / "refusals")
        assert json.loads(done.output) == {
            "count": 3,
            "code": "lost_cookie",
            "step": "response",
            "reason": "another browser",
            "client": "portal",
        }

    def test_a_day_without_refusals_says_none(self, trail: Path) -> None:
        done = tunnus("audit", "refusals", "--dir", trail)
        assert (done.exit_code, done.output.split()) == (0, ["0", "refused", "before", "a", "claim"])

    def test_a_trail_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        done = tunnus("audit", "verify", "--dir", tmp_path / "nowhere")
        assert done.exit_code == 1
        assert "there is no audit trail" in done.stderr


def commands(group: click.Group, way: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += commands(command, (*way, name)) if isinstance(command, click.Group) else [(*way, name)]
    return found


@pytest.mark.parametrize("way", commands(main), ids=" ".join)
def test_every_command_has_help_that_teaches(way: tuple[str, ...]) -> None:
    done = tunnus(*way, "--help")
    assert done.exit_code == 0
    assert len(done.output.split()) > 30
    assert f"tunnus {' '.join(way)}" in done.output or way == ("client-secret",)


def test_the_help_names_every_exit_status() -> None:
    shown = tunnus("--help").output
    assert all(f"{status}  " in shown for status in (0, 1, 2, 3))
