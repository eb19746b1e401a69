"""Firefox for Selenium without geckodriver, which Debian and PyPI do not have: Selenium's commands over Marionette.

Marionette is what Firefox itself listens to and what geckodriver translates to: JSON with its length in front, over
TCP (firefox-source-docs.mozilla.org/testing/marionette/Protocol.html). The commands are those of W3C WebDriver.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection

NAMES = {
    Command.NEW_SESSION: "WebDriver:NewSession",
    Command.QUIT: "WebDriver:DeleteSession",
    Command.GET: "WebDriver:Navigate",
    Command.GET_CURRENT_URL: "WebDriver:GetCurrentURL",
    Command.GET_TITLE: "WebDriver:GetTitle",
    Command.GO_BACK: "WebDriver:Back",
    Command.REFRESH: "WebDriver:Refresh",
    Command.FIND_ELEMENT: "WebDriver:FindElement",
    Command.FIND_ELEMENTS: "WebDriver:FindElements",
    Command.CLICK_ELEMENT: "WebDriver:ElementClick",
    Command.CLEAR_ELEMENT: "WebDriver:ElementClear",
    Command.SEND_KEYS_TO_ELEMENT: "WebDriver:ElementSendKeys",
    Command.GET_ELEMENT_TEXT: "WebDriver:GetElementText",
    Command.GET_ELEMENT_PROPERTY: "WebDriver:GetElementProperty",
    Command.W3C_GET_ACTIVE_ELEMENT: "WebDriver:GetActiveElement",
    Command.W3C_EXECUTE_SCRIPT: "WebDriver:ExecuteScript",
    Command.W3C_EXECUTE_SCRIPT_ASYNC: "WebDriver:ExecuteAsyncScript",
    Command.W3C_ACTIONS: "WebDriver:PerformActions",
    Command.GET_ALL_COOKIES: "WebDriver:GetCookies",
    Command.SCREENSHOT: "WebDriver:TakeScreenshot",
    Command.SET_WINDOW_RECT: "WebDriver:SetWindowRect",
}
"""Those that the tests use; another one is a KeyError."""
SECONDS = 60
"""How long Firefox may take for an answer."""


class Marionette(RemoteConnection):
    """A connection to a Firefox that listens on a port of 127.0.0.1. Raises OSError if there is none."""

    def __init__(self, port: int) -> None:
        super().__init__(client_config=ClientConfig(f"http://127.0.0.1:{port}"))
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._stream = self._socket.makefile("rb")
        self._count = 0
        self._read()  # its greeting

    def execute(self, command: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """A command of Selenium in, its answer as Selenium takes one from a driver out."""
        sent = {name: value for name, value in (params or {}).items() if name != "sessionId"}
        if command == Command.NEW_SESSION:
            sent = sent["capabilities"].get("alwaysMatch", {})
        if command == Command.SCREENSHOT:
            sent = {"full": True}
        error, result = self.call(NAMES[command], sent)
        if error:
            return {"status": 500, "value": json.dumps(error)}
        return {"value": result["value"] if isinstance(result, dict) and "value" in result else result}

    def call(self, name: str, params: dict[str, Any]) -> tuple[Any, Any]:
        """A command of Marionette in; out: its error, None for none, and its result."""
        self._count += 1
        data = json.dumps([0, self._count, name, params]).encode()
        self._socket.sendall(b"%d:%s" % (len(data), data))
        _, _, error, result = self._read()
        return error, result

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
        self._socket.close()

    def _read(self) -> Any:
        digits = b""
        while (digit := self._stream.read(1)) != b":":
            if not digit:
                raise ConnectionError("Firefox has ended the connection")
            digits += digit
        return json.loads(self._stream.read(int(digits)))
