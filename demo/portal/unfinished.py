"""Logins that were begun and not ended: each in a signed cookie of its own, which outlives the browser.

Authlib would keep them in Flask's session. That ends with the browser, and a phone may end the browser while the
bank's app is in front; and of two logins that begin at the same moment the later session overwrites the earlier.
"""

from __future__ import annotations

import hashlib
from typing import Any

from authlib.integrations.flask_client import FlaskIntegration, OAuth
from flask import Response, after_this_request, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

SECONDS = 7200
"""How long a login may take: the broker's chooser waits, and a person may try one bank after the other."""
MOST = 8
"""Logins begun and not ended that one browser can have: tabs, the back button. Then the latest one goes."""
_KEPT = ("redirect_uri", "nonce", "code_verifier")
"""What is needed of an authorization request when its answer comes."""


class LoginCookies(FlaskIntegration):
    """Where Authlib's Flask client keeps what belongs to a `state`."""

    def set_state_data(self, session: Any, state: str, data: dict[str, Any]) -> None:
        """Give the browser a cookie for a login that begins."""
        value = _signer(state).dumps({name: data[name] for name in _KEPT if name in data})
        begun = [name for name in request.cookies if name.startswith(_name(""))]

        @after_this_request
        def give(response: Response) -> Response:
            for name in begun[MOST - 1 :]:
                response.delete_cookie(name, **_as_closed())
            response.set_cookie(_name(state), value, max_age=SECONDS, **_as_closed())
            return response

    def get_state_data(self, session: Any, state: str | None) -> dict[str, Any] | None:
        """What belongs to a login of this browser; None if there is none of that state, or no longer."""
        try:
            found: dict[str, Any] = _signer(state or "").loads(request.cookies[_name(state or "")], max_age=SECONDS)
        except (BadData, KeyError):
            return None
        return found

    def clear_state_data(self, session: Any, state: str | None) -> None:
        """Delete the cookie: the login has ended."""

        @after_this_request
        def take_back(response: Response) -> Response:
            response.delete_cookie(_name(state or ""), **_as_closed())
            return response


class LoginOAuth(OAuth):
    """Authlib's registry of clients, with LoginCookies."""

    framework_integration_cls = LoginCookies


def _name(state: str) -> str:
    start = f"{current_app.config['SESSION_COOKIE_NAME']}_login_"
    return start + hashlib.sha256(state.encode()).hexdigest()[:12] if state else start


def _signer(state: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"login {state}")


def _as_closed() -> dict[str, Any]:
    return {"secure": current_app.config["SESSION_COOKIE_SECURE"], "httponly": True, "samesite": "Lax", "path": "/"}
