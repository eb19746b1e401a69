"""An unusable Host header gets 400 from registration, wherever it is sent."""

from __future__ import annotations

import pytest

from tests.harness.registration import Site


@pytest.mark.parametrize("path", ["/", "/start", "/form", "/api/account", "/not-there"])
def test_registration_wants_one_host(site: Site, path: str) -> None:
    for host in ("a.example, b.example", "a.example/x", ""):
        answer = site.app.test_client().get(path, environ_overrides={"HTTP_HOST": host})
        assert answer.status_code == 400
        assert "a.example" not in answer.get_data(as_text=True)
