"""Browsers that are not Chromium, as Debian has them: Firefox, and WebKit's own small browser for Safari's engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Remote
from selenium.webdriver.firefox.options import Options as FirefoxOptions
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options as WebKitOptions
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.engines.marionette import Marionette

LANGUAGE = "sv-FI"
SECONDS = 30
"""How long a browser may take to start."""
FIREFOX_SETTINGS: dict[str, bool | int | str] = {
    "marionette.port": 0,
    "intl.accept_languages": f"{LANGUAGE}, sv",
    "network.proxy.type": 0,
    "browser.translations.enable": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
}
FIREFOX_CONSOLE = """
    return Services.console.getMessageArray()
      .filter(message => message instanceof Ci.nsIScriptError && message.sourceName.startsWith("http"))
      .filter(message => message.category !== "Layout")
      .map(message => message.category + ": " + message.errorMessage + " at " + message.sourceName)"""
"""What pages caused; `Layout` is what tests cause that look at a page before it has loaded."""
INSTALL = {
    "firefox-esr": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
    "w3m": "w3m",
}
"""Debian's package of each program."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A browser that runs. console: what it has logged about pages, as far as it tells."""

    name: str
    version: str
    driver: Remote
    console: Callable[[], list[str]]


def program(name: str) -> str:
    """Where a program of INSTALL is. Raises AssertionError if it is not installed, and says what to install."""
    found = shutil.which(name)
    assert found, f"this test needs {name}; on Debian: sudo apt install {INSTALL[name]}"
    return found


@contextmanager
def firefox() -> Iterator[Engine]:
    """A Firefox without a screen, with a profile of its own."""
    command = [program("firefox-esr"), "--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        lines = (f"user_pref({_js(name)}, {_js(value)});\n" for name, value in FIREFOX_SETTINGS.items())
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        environment = os.environ | {"HOME": folder}
        with _process([*command, "--profile", folder], env=environment, **_quiet()):
            connection = Marionette(int(_wait_for(profile / "MarionetteActivePort")))
            driver = Remote(connection, options=FirefoxOptions())
            try:
                yield Engine("Firefox", driver.caps["browserVersion"], driver, lambda: _firefox_console(connection))
            finally:
                driver.quit()


@contextmanager
def webkit() -> Iterator[Engine]:
    """WebKitGTK's MiniBrowser on a screen of its own. It does not tell what pages log."""
    driver_program = program("WebKitWebDriver")
    with _screen() as display, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as site:
        environment = os.environ | {
            "HOME": site,
            "DISPLAY": display,
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # its sandbox does not start as root
        }
        service = WebKitService(driver_program, env=environment, log_output=subprocess.DEVNULL)
        service.start()
        options = WebKitOptions()
        options.binary_location = str(_mini_browser())
        options.add_argument("--automation")
        connection = RemoteConnection(client_config=ClientConfig(remote_server_addr=service.service_url))
        try:
            driver = Remote(connection, options=options)
            try:
                yield Engine("WebKitGTK", driver.caps["browserVersion"], driver, list)
            finally:
                driver.quit()
        finally:
            service.stop()


ENGINES = {"firefox": firefox, "webkit": webkit}


def _mini_browser() -> Path:
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    assert found, "this test needs WebKit's MiniBrowser; on Debian: sudo apt install webkit2gtk-driver"
    return found[-1]


@contextmanager
def _screen() -> Iterator[str]:
    """A screen in memory; its name for DISPLAY."""
    read, write = os.pipe()
    command = [program("Xvfb"), "-displayfd", str(write), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    with _process(command, pass_fds=[write], **_quiet()), os.fdopen(read) as names:
        os.close(write)
        name = names.readline().strip()
        assert name, "Xvfb did not start"
        yield f":{name}"


@contextmanager
def _process(command: list[str], **options: Any) -> Iterator[None]:
    with subprocess.Popen(command, **options) as process:
        try:
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS)
            process.kill()


def _wait_for(path: Path) -> str:
    """What a file says as soon as it says something."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text(encoding="ascii").strip()):
            return text
        time.sleep(0.05)
    raise AssertionError(f"the browser did not start within {SECONDS} s")


def _firefox_console(connection: Marionette) -> list[str]:
    connection.call("Marionette:SetContext", {"value": "chrome"})
    error, result = connection.call("WebDriver:ExecuteScript", {"script": FIREFOX_CONSOLE, "args": []})
    connection.call("Marionette:SetContext", {"value": "content"})
    assert not error, error
    logged: list[str] = result["value"]
    return logged


def _js(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _quiet() -> dict[str, Any]:
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
