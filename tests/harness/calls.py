"""How many functions an application calls: exact on any machine, where a time is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any

import pytest
from flask import Flask


class Calls:
    """Calls of functions, of Python and of C, in a WSGI application; requests of some paths are not counted."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch, without: Collection[str] = ()) -> None:
        self.counted = 0
        answer: Callable[..., Any] = app.wsgi_app

        def answered(environ: dict[str, Any], start: Any) -> Any:
            sys.setprofile(self._count if environ["PATH_INFO"] not in without else None)
            try:
                return answer(environ, start)
            finally:
                sys.setprofile(None)

        monkeypatch.setattr(app, "wsgi_app", answered)

    def _count(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.counted += event in ("call", "c_call")

    def told(self) -> int:
        """How many there were since this was asked last."""
        counted, self.counted = self.counted, 0
        return counted
