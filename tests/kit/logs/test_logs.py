"""Logs: an allow-list of fields, one line for each request, and nothing of anybody."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response

from broker.log_fields import FIELDS
from kit import logs

SECRET = "eyJhbGciOiJSUzI1NiJ9.secret"
CODE = "010100A969P"


@pytest.fixture
def lines() -> Iterator[Any]:
    """Everything that was logged, as the formatter writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter(FIELDS))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def app() -> Flask:
    app = Flask("test")
    seen: list[tuple[str, int]] = []

    @app.get("/identify/<transaction>/<row>")
    def identify(transaction: str, row: str) -> Response:
        logs.add(txn="K7QF", provider=row, client="portal", code=None)
        logs.add(outcome="started")
        return Response("ok")

    @app.get("/refuse")
    def refuse() -> Response:
        logs.add(code="integrity_error", step="id_token", reason="the nonce is another", claim="nonce")
        return Response(status=303)

    @app.get("/slip")
    def slip() -> Response:
        logs.add(given_name="Tero")
        return Response("not reached")

    @app.get("/within")
    def within() -> Response:
        app.test_client().get("/refuse")
        logs.add(txn="K7QF")
        return Response("ok")

    @app.get("/fault")
    def fault() -> Response:
        raise RuntimeError(SECRET)

    @app.errorhandler(Exception)
    def last(error: Exception) -> Response:
        logs.add(code="fault", reason=type(error).__name__)
        logging.getLogger("tunnus.app").error("fault", extra={"place": logs.raised_at(error), "reason": "x"})
        return Response(status=getattr(error, "code", 500))

    logs.log_each_request(app, FIELDS, on_request=lambda endpoint, status, *_: seen.append((endpoint, status)))
    app.extensions["seen"] = seen
    return app


def story(lines: Any) -> dict[str, Any]:
    (told,) = [line for line in lines() if line["logger"] == "tunnus.request"]
    return dict(told)


class TestRequests:
    def test_one_line_tells_the_story_without_address_or_query(self, app: Flask, lines: Any) -> None:
        app.test_client().get(f"/identify/{SECRET}/nordea?state={SECRET}")
        told = story(lines)
        assert {
            name: told[name] for name in ("method", "endpoint", "status", "txn", "provider", "client", "outcome")
        } == {
            "method": "GET",
            "endpoint": "identify",
            "status": 200,
            "txn": "K7QF",
            "provider": "nordea",
            "client": "portal",
            "outcome": "started",
        }
        assert told["ms"] >= 0
        assert "code" not in told
        assert SECRET not in json.dumps(lines())

    def test_a_refusal_has_code_step_and_reason(self, app: Flask, lines: Any) -> None:
        app.test_client().get("/refuse")
        told = story(lines)
        assert (told["code"], told["step"], told["claim"]) == ("integrity_error", "id_token", "nonce")
        assert told["level"] == "WARNING"

    def test_a_fault_shows_where_and_not_what(self, app: Flask, lines: Any) -> None:
        app.test_client().get("/fault")
        assert story(lines)["level"] == "ERROR"
        assert any(line.get("place", "").startswith("test_logs.py:") for line in lines())
        assert SECRET not in json.dumps(lines())

    def test_an_unknown_address_and_method_have_no_name_of_their_own(self, app: Flask, lines: Any) -> None:
        app.test_client().open(f"/{SECRET}", method="BREW")
        told = story(lines)
        assert (told["endpoint"], told["method"], told["status"]) == ("(none)", "(other)", 404)

    @pytest.mark.parametrize(("row", "written"), [(CODE, "(other)"), (CODE.lower(), "(withheld)"), ("å", "(other)")])
    def test_a_row_that_is_no_id_is_not_written(self, app: Flask, lines: Any, row: str, written: str) -> None:
        app.test_client().get(f"/identify/x/{row}")
        assert story(lines)["provider"] == written

    def test_stories_do_not_run_into_each_other(self, app: Flask, lines: Any) -> None:
        client = app.test_client()
        client.get("/identify/x/nordea")
        client.get("/refuse")
        last = lines()[-1]
        assert "txn" not in last

    def test_each_request_is_given_to_the_metrics(self, app: Flask) -> None:
        app.test_client().get("/refuse")
        assert app.extensions["seen"] == [("refuse", 303)]

    def test_a_field_that_is_not_allowed_is_an_error(self, app: Flask, lines: Any) -> None:
        app.test_client().get("/slip")
        assert story(lines)["reason"] == "TypeError"
        assert "Tero" not in json.dumps(lines())

    def test_a_request_within_another_has_a_line_of_its_own(self, app: Flask, lines: Any) -> None:
        app.test_client().get("/within")
        inner, outer = [line for line in lines() if line["logger"] == "tunnus.request"]
        assert (inner["endpoint"], inner["code"]) == ("refuse", "integrity_error")
        assert (outer["endpoint"], outer["txn"], outer.get("code")) == ("within", "K7QF", None)

    def test_a_note_outside_a_request_is_nothing(self) -> None:
        logs.add(txn="K7QF")


class TestFormatter:
    def test_only_allowed_fields_are_written(self, lines: Any) -> None:
        logging.getLogger("tunnus.x").info("event", extra={"count": 2, "token": SECRET, "given_name": "Tero"})
        (line,) = lines()
        assert set(line) == {"time", "level", "logger", "message", "count"}

    def test_arguments_of_anybody_are_not_written(self, lines: Any) -> None:
        logging.getLogger("urllib3.connectionpool").debug("%s %s", "GET", SECRET)
        logging.getLogger("tunnus.x").info("event %s", SECRET)
        assert [line["message"] for line in lines()] == ["%s %s", "event %s"]

    def test_a_message_of_others_that_was_put_together_is_not_written(self, lines: Any) -> None:
        logging.getLogger("authlib.x").warning(f"token {SECRET}")
        (line,) = lines()
        assert line["message"].startswith("test_logs:")

    def test_an_exception_is_its_kind_and_place(self, lines: Any) -> None:
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("waitress").exception("Exception while serving %s", SECRET)
        (line,) = lines()
        assert line["exception"] == "ValueError"
        assert line["place"].startswith("test_logs.py:")
        assert SECRET not in json.dumps(line)

    def test_what_looks_like_a_personal_identity_code_is_withheld(self, lines: Any) -> None:
        logging.getLogger("tunnus.x").info("event", extra={"reason": f"for {CODE}"})
        assert lines()[0]["reason"] == "for (withheld)"

    def test_a_line_stays_a_line(self, lines: Any) -> None:
        logging.getLogger("tunnus.x").info("event", extra={"reason": "a\nb\u2028c" + "x" * 1000})
        (line,) = lines()
        assert line["reason"].startswith("a·b·c")
        assert len(line["reason"]) < 400

    def test_an_object_as_message_is_not_turned_into_text(self, lines: Any) -> None:
        logging.getLogger("tunnus.x").info({"token": SECRET})
        assert SECRET not in json.dumps(lines())


@pytest.fixture
def untouched() -> Iterator[None]:
    """Puts logging back as it was."""
    root, authlib = logging.getLogger(), logging.getLogger("authlib")
    before = (root.handlers[:], root.level, authlib.level)
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level, authlib.level = before


@pytest.mark.usefixtures("untouched")
class TestConfiguring:
    def test_authlib_stays_at_info_because_it_logs_tokens_below(self) -> None:
        logs.configure_logging("DEBUG", FIELDS)
        assert logging.getLogger().level == logging.DEBUG
        assert logging.getLogger("authlib").level == logging.INFO
        assert not logging.getLogger("authlib.oauth2").isEnabledFor(logging.DEBUG)

    def test_a_higher_level_holds_for_authlib_too(self) -> None:
        logs.configure_logging("ERROR", FIELDS)
        assert logging.getLogger("authlib").level == logging.ERROR

    def test_there_is_one_handler_and_it_writes_json(self) -> None:
        logs.configure_logging("INFO", FIELDS)
        logs.configure_logging("INFO", FIELDS)
        (handler,) = logging.getLogger().handlers
        assert isinstance(handler.formatter, logs.JsonFormatter)
