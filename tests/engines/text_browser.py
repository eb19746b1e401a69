"""w3m in a terminal of its own, as a person uses it: keys in, what stands on the screen out."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte

from tests.engines.engines import program

COLUMNS, ROWS = 120, 200
"""Of the terminal: so many lines that each page stands on it whole."""
SECONDS = 20
"""How long a page may take."""
QUIET = 0.15
"""Seconds without a change after which the screen is as it stays."""
OPTIONS = {
    "accept_language": "sv",
    "display_charset": "UTF-8",
    "use_proxy": "0",
    "confirm_qq": "0",
    "ignorecase_search": "0",
}
LONGEST_SOUGHT = 40
"""Characters; w3m finds no longer text."""
TAB, BACK_TAB, ENTER, CLEAR = "\t", "\x1b\t", "\r", "\x15"


class TextBrowser:
    """w3m. Its keys: `U` asks for an address, `g` goes to the top, `/` seeks, TAB goes to the next link or field."""

    def __init__(self, terminal: int, version: str) -> None:
        self.version = version
        self._terminal = terminal
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def text(self) -> str:
        """What stands on the screen, with single spaces."""
        return " ".join(" ".join(self._screen.display).split())

    def lines(self) -> list[str]:
        """The screen's lines that are not empty."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    def sees(self, text: str) -> None:
        """Wait until the screen says a text. Raises AssertionError with the screen."""
        until = time.monotonic() + SECONDS
        while text not in self.text():
            assert time.monotonic() < until, "\n".join([f"no {text!r} on the screen:", *self.lines()])
            self._take(QUIET)

    def go(self, url: str) -> None:
        """Open an address."""
        self._keys("U", CLEAR, url, ENTER)

    def press(self, text: str) -> None:
        """Follow the first link, or press the first button, that reads so."""
        self._seek(text)
        self._keys(ENTER)

    def press_next(self) -> None:
        """Follow the link, or press the button, after the place of the cursor."""
        self._keys(TAB, ENTER)

    def reload(self) -> None:
        """Load the page again."""
        self._keys("R")

    def type(self, label: str, text: str) -> None:
        """Type into the field after a label, instead of what stands there."""
        self._seek(label, then=r" *(\[|$)")  # beside the label, or below it
        self._keys(TAB, ENTER, CLEAR, text, ENTER)

    def tick(self, label: str) -> None:
        """Choose the box or the circle before a label."""
        self._seek(label)
        self._keys(BACK_TAB)
        if self._screen.display[self._screen.cursor.y][self._screen.cursor.x] != "*":
            self._keys(ENTER)

    def _seek(self, text: str, then: str = "") -> None:
        """Put the cursor on a text. then: what follows it, as an expression."""
        self.sees(text)
        self._keys("g", "/", text[:LONGEST_SOUGHT].replace(".", "\\.") + then, ENTER)
        assert "Not found: " not in self.text(), text

    def _keys(self, *keys: str) -> None:
        os.write(self._terminal, "".join(keys).encode())  # w3m takes them one after the other
        self._take(QUIET)

    def _take(self, seconds: float) -> None:
        """Take what w3m writes until it has written nothing for some time."""
        while select.select([self._terminal], [], [], seconds)[0]:
            self._stream.feed(os.read(self._terminal, 65536))


@contextmanager
def text_browser(site: Path, url: str) -> Iterator[TextBrowser]:
    """w3m at an address. home: a folder for its settings and cookies."""
    options = [word for name, value in OPTIONS.items() for word in ("-o", f"{name}={value}")]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {"HOME": str(site), "PATH": os.environ["PATH"], "TERM": "linux", "LC_ALL": "C.UTF-8"}
    w3m = program("w3m")
    told = subprocess.run([w3m, "-version"], capture_output=True, text=True, check=True).stdout
    version = told.split(",")[0].removeprefix("w3m version ")
    command = [w3m, "-cookie", *options, url]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            yield TextBrowser(ours, version)
        finally:
            process.terminate()
            os.close(ours)
