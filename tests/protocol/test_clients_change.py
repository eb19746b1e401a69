"""A client whose settings change while people are on their way: no way back that is not registered, no fault."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from broker.app import create_app
from broker.settings import Settings
from tests.harness.broker import PORTAL, Broker
from tests.harness.broker_pair import (
    Pair,
    chooser,
    problem_of,
)
from tests.harness.browser import Browser


def other_settings(pair: Pair, **client: Any) -> Broker:
    """A third broker on the same store, after its operator changed the client."""
    config = deepcopy(pair.brokers[0].config)
    config["clients"] = {client.pop("name", "portal"): config["clients"]["portal"] | client}
    app = create_app(Settings.model_validate(config), clock=pair.system.clock)
    return Broker(app, pair.brokers[0].client, config)


def tab_at(other: Broker, browser: Browser) -> Any:
    """A tab of a browser, at another broker."""
    tab = other.app.test_client()
    for name, value in browser.session.cookies.get_dict().items():
        tab.set_cookie(name, value, domain="localhost")
    return tab


@pytest.mark.parametrize(("language", "words"), [("fi", "Vaihe 2/4"), ("sv", "Steg 2 av 4"), ("en", "Step 2 of 4")])
def test_a_client_that_may_say_its_step_has_it_on_the_chooser(pair: Pair, language: str, words: str) -> None:
    browser = pair.browser()
    wanted = urlsplit(browser.authorize_url(step="2/4", ui_locales=language))
    for allowed in (True, False):
        tab = other_settings(pair, show_step=allowed).app.test_client()
        text = tab.get(f"{wanted.path}?{wanted.query}", follow_redirects=True).get_data(as_text=True)
        assert (words in text) is allowed


def test_a_posted_request_keeps_its_step(pair: Pair) -> None:
    url, _, query = pair.browser().authorize_url(step="2/4").partition("?")
    tab = other_settings(pair, show_step=True).app.test_client()
    answer = tab.post(urlsplit(url).path, data=dict(parse_qsl(query)), follow_redirects=True)
    assert "Step 2 of 4" in answer.get_data(as_text=True)


@pytest.mark.parametrize("change", [{"redirect_uris": [f"{PORTAL}/other"]}, {"name": "other"}])
def test_the_way_back_never_leads_to_what_is_not_registered(pair: Pair, change: dict[str, Any]) -> None:
    browser = pair.browser()
    back = urlsplit(chooser(browser.start()).link("/return/")).path
    answer = tab_at(other_settings(pair, **change), browser).get(back)
    assert answer.status_code == 410
    assert "Location" not in answer.headers
    assert "https://example.com/" in answer.text


def test_a_client_that_is_registered_no_more_leaves_pages_and_no_faults(pair: Pair) -> None:
    browser = pair.browser()
    shown = chooser(browser.start())
    tab = tab_at(other_settings(pair, name="other"), browser)
    for address in (shown.url, shown.link("/op"), problem_of(shown)):
        answer = tab.get(urlsplit(address).path, follow_redirects=True)
        assert answer.status_code == 410
        assert "https://example.com/" in answer.text or "/return/" in answer.text
