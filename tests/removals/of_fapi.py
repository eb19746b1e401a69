"""The checks of the FAPI profiles, and how each is removed: data."""

from __future__ import annotations

from tests.removals.of_broker import Mutation

TESTS = "tests/broker/oidc/fapi"


def _row(what: str, file: str, old: str, new: str, rows: str) -> Mutation:
    place = file if file.startswith(("kit/", "broker/")) else f"broker/oidc/{file}"
    return Mutation(what, place, old, new, rows, tests=TESTS)


FAPI = (
    _row(
        "a request_uri is its client's",
        "fapi/pushed.py",
        ' or value["client_id"] != client_id:',
        ":",
        "share_an_address",
    ),
    _row("a used request_uri is gone", "fapi/pushed.py", " or used is not None", "", "until_one_login"),
    _row(
        "a request_uri ends in one login",
        "fapi/pushed.py",
        'if not created and (holder is None or holder["transaction"] != transaction):',
        "if False:",
        "until_one_login",
    ),
    _row(
        "a pushed redirect URI is still registered",
        "authorize.py",
        " or not client.check_redirect_uri(found.redirect_uri)",
        "",
        "gone_with_its_redirect_uri",
    ),
    _row(
        "no request beside a request_uri",
        "authorize.py",
        'if "request" in parameters.values or not',
        "if not",
        "beside-a-request",
    ),
    _row(
        "a request_uri once",
        "authorize.py",
        ' or not parameters.is_clean("request_uri")',
        "",
        "request_uri_twice",
    ),
    _row("no request_uri is pushed", "fapi/par.py", 'if "request_uri" in form:', "if False:", "request-uri"),
)
