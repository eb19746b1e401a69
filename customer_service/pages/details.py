"""What is sent for an act, or stands in a record of the trail, as pairs of a name and words for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from customer_service.pages import texts
from kit.rights import LEVEL_NAMES, SECTION_NAMES, SECTIONS

Translate = Callable[[str], str]
MOST_SHOWN = 20
"""Of a list."""
_HIDDEN = frozenset({"account_id", "company", "case", "request_id", "hash"})
"""Keys of ours: whom they name stands beside."""


@pass_context
def facts_of(context: Context, arguments: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each argument. What we have no name for is shown under its own: nothing is left out."""
    gettext = context.resolve("_")

    def translate(text: str) -> str:
        return str(context.call(gettext, text))

    for name, value in arguments.items():
        if name in _HIDDEN or value in (None, "", [], {}, False, "false", "False"):
            continue
        label = translate(texts.ARGUMENTS[name]) if name in texts.ARGUMENTS else name
        yield label, list(_lines(name, value, translate))


def _lines(name: str, value: Any, translate: Translate) -> Iterator[str]:
    if name == "levels" and isinstance(value, Mapping):
        for section in SECTIONS:
            if section in value:
                level = _word(LEVEL_NAMES, value[section], translate)
                yield f"{translate(SECTION_NAMES[section])}: {level}"
    elif isinstance(value, list | tuple):
        yield from (str(one) for one in value[:MOST_SHOWN])
        if len(value) > MOST_SHOWN:
            yield f"… ({len(value)})"
    elif value is True or value in ("true", "True"):
        yield translate(texts.YES)
    elif name in SECTIONS:
        yield _word(LEVEL_NAMES, value, translate)
    elif name == "decision":
        yield _word(texts.DECISIONS, value, translate)
    elif name == "act":
        yield _word(texts.ACTS, value, translate)
    elif name == "reason":
        yield _word(texts.REASONS, value, translate)
    elif name == "owner":
        yield _word(texts.OWNER, value, translate)
    elif name == "by":
        yield _word(texts.WAYS, value, translate)
    else:
        yield str(value)


def _word(words: Mapping[str, str], value: Any, translate: Translate) -> str:
    return translate(words[value]) if value in words else str(value)
