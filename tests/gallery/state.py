"""What a state is: a page as it stands at one moment, to be had in each language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

LOCALES = ("fi", "sv", "en")

Draw = Callable[[str], Response]
"""Language in, the page's answer out."""


@dataclass(frozen=True, slots=True)
class State:
    """A page in one state. What stands before a comma in its name is the page, what stands behind it the state.

    printed: it is a page that people keep on paper. locales: the languages that it is written in.
    """

    service: str
    name: str
    draw: Draw = field(repr=False, compare=False)
    printed: bool = False
    locales: tuple[str, ...] = LOCALES

    @property
    def group(self) -> str:
        """The page, without its state."""
        return self.name.partition(",")[0]

    @property
    def slug(self) -> str:
        """The name in addresses and file names."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def id(self) -> str:
        """Service and name, for people and tests."""
        return f"{self.service}/{self.slug}"

    @property
    def is_page(self) -> bool:
        """Whether it is HTML: an e-mail is plain text."""
        return self.service != "mail"


@dataclass(frozen=True, slots=True)
class View:
    """A state in one language, as a process without the state's code knows it. url: where it is."""

    state: str
    group: str
    locale: str
    url: str
    printed: bool
    first: bool

    @property
    def service(self) -> str:
        """The service whose page it is."""
        return self.state.partition("/")[0]


def states(
    service: str, draws: Mapping[str, Draw], *, printed: Sequence[str] = (), locales: tuple[str, ...] = LOCALES
) -> list[State]:
    """The states of a service by name. printed: the first words of the pages that are kept on paper."""
    return [
        State(service, name, draw, name.partition(",")[0].partition(" ")[0] in printed, locales)
        for name, draw in draws.items()
    ]


def views(
    states: Sequence[State], url: str, words: Sequence[str] = (), *, one_language: bool = False
) -> Iterator[View]:
    """Every state in each of its languages. url: the gallery's. words: only states whose id holds one of them.

    one_language: each state in one only, the next one in the next: a third of the work.
    """
    for place, state in enumerate(states):
        if not words or any(word in state.id for word in words):
            locales = state.locales
            if one_language:
                locales = (locales[place % len(locales)],)
            for locale in locales:
                address = f"{url}/{state.id}?ui_locales={locale}"
                first = locale == locales[0]
                yield View(state.id, state.group, locale, address, state.printed, first)
