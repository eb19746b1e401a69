"""Several processes with a Chromium each, that go through a list of views together."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Page

from tests.gallery.chromium import open_page
from tests.gallery.state import View

JOBS = max(2, os.cpu_count() or 2)
SHARE = 4
"""Views that a process takes at a time."""
MOST_MILLISECONDS = 30_000
"""For one page to load, or one picture to be taken."""

Result = TypeVar("Result")
_open = ExitStack()
_own: dict[str, Page] = {}
"""This process's page. It is never closed: Chromium ends with the process that holds its pipe."""


def work(
    task: Callable[..., Result], wanted: Sequence[View], *more: Any, scripts: Sequence[Path] = ()
) -> Iterator[tuple[View, Result]]:
    """Do a task with each view, in whatever order; task: a function of a module, of a page, a view and more.

    scripts: run in each document. Raises what the task raises.
    """
    spawn = multiprocessing.get_context("spawn")
    shares = [wanted[start : start + SHARE] for start in range(0, len(wanted), SHARE)]
    with ProcessPoolExecutor(JOBS, mp_context=spawn) as pool:
        running = {pool.submit(_do_share, task, share, more, scripts): share for share in shares}
        for future in as_completed(running):
            yield from zip(running[future], future.result(), strict=True)


def _do_share(
    task: Callable[..., Result], share: Sequence[View], more: Sequence[Any], scripts: Sequence[Path]
) -> list[Result]:
    if not _own:
        _own["page"] = _open.enter_context(open_page(scripts))
        _own["page"].set_default_timeout(MOST_MILLISECONDS)
    return [task(_own["page"], view, *more) for view in share]
