"""`response_mode=form_post`: the response is a page with a form, and everything else is as with a redirect."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode, urlsplit

from kit.pages.rendering import content_security_policy
from tests.harness.broker_pair import CALLBACK, Pair, chooser, identified
from tests.harness.browser import Arrival, Browser


def posted(browser: Browser, arrival: Arrival) -> Arrival:
    """The page presses its button: what the client gets, as if it had come in the address."""
    assert arrival.page is not None
    assert arrival.status == 200
    action, fields = form_of(arrival)
    assert action == browser.client.redirect_uri
    headers = arrival.page.headers
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(action))
    assert headers["Content-Security-Policy"] == content_security_policy(origin)
    assert headers["Cache-Control"] == "no-store"
    return Arrival(f"{action}?{urlencode(fields)}", None)


def form_of(arrival: Arrival) -> tuple[str, dict[str, str]]:
    (action,) = re.findall(r'<form [^>]*method="post" action="([^"]+)"', arrival.text)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', arrival.text)
    return html.unescape(action), {name: html.unescape(value) for name, value in fields}


def test_a_code_is_posted_and_a_reload_posts_the_same(pair: Pair) -> None:
    pair.everybody()
    browser = pair.browser()
    callback = browser.start(idp_hint="op", response_mode="form_post", stop_before=CALLBACK)
    shown = [browser.open(callback.url) for _ in range(2)]
    assert form_of(shown[0]) == form_of(shown[1])
    assert set(form_of(shown[0])[1]) == {"code", "state", "iss"}
    assert "Continue in the service" in shown[0].title
    identified(browser, posted(browser, shown[1]), "op")


def test_the_way_back_is_posted_too(pair: Pair) -> None:
    browser = pair.browser()
    back = browser.open(chooser(browser.start(response_mode="form_post")).link("/return/"))
    assert "Return to the service" in back.title
    answer = posted(browser, back).answer
    assert answer == {"error": "access_denied", "state": browser.state, "iss": browser.client.issuer}


def test_a_refused_request_is_answered_as_it_asked(pair: Pair) -> None:
    browser = pair.browser()
    answer = posted(browser, browser.start(response_mode="form_post", prompt="none", state='"><b>')).answer
    assert (answer["error"], answer["state"]) == ("login_required", '"><b>')


def test_without_it_nothing_is_posted(pair: Pair) -> None:
    browser = pair.browser()
    assert browser.start(response_mode="query", prompt="none").answer["error"] == "login_required"
