"""By keyboard through a page: where Tab leads, and whether each stop can be seen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

MOST_STOPS = 160
PARTS_OF_A_DATE = 4
OUTLINE = 2
"""CSS pixels, at least: WCAG 2.2 success criterion 2.4.13, which is of level AAA."""
STOPS = """() => {
  const all = 'a[href], button, input:not([type=hidden]), select, summary, textarea, [tabindex="0"]';
  window.stops = Array.from(document.querySelectorAll(all)).filter((element) => {
    const style = getComputedStyle(element), closed = element.closest('details:not([open])');
    if (element.tabIndex < 0 || element.disabled || style.visibility !== 'visible') return false;
    if (closed && !(element.localName === 'summary' && element.parentElement === closed)) return false;
    if (element.getClientRects().length === 0) return false;
    if (element.type !== 'radio') return true;
    const group = [...document.getElementsByName(element.name)];
    return element === (group.find((one) => one.checked) || group[0]);
  });
  document.body.tabIndex = -1; // where the focus has been, Tab goes on from
  document.body.focus({preventScroll: true});
  document.body.removeAttribute('tabindex');
  return window.stops.length;
}"""
STOP = """() => {
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    place: window.stops.indexOf(element),
    name: element.localName + ' ' + (element.textContent || element.name || '').trim().slice(0, 30),
    outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    same: style.outlineColor === getComputedStyle(document.body).backgroundColor,
    hidden: box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth || box.width < 2,
  };
}"""


def begin(page: Page) -> int:
    """Stand before the first stop; how many there are."""
    return int(page.evaluate(STOPS))


def walk(page: Page) -> list[str]:
    """Press Tab until the page is through; what is wrong with its stops."""
    wrong: list[str] = []
    expected = begin(page)
    if expected > MOST_STOPS:
        return [f"it has {expected} stops"]
    for place in range(expected):
        stop = _next(page, place - 1)
        if stop["place"] != place:
            return [*wrong, f"stop {place} is {stop['name']!r}, which is number {stop['place']}"]
        if stop["outline"] < OUTLINE or stop["same"] or stop["hidden"]:
            wrong.append(f"{stop['name']!r} is not seen to have the focus: {stop}")
    return wrong


def _next(page: Page, place: int) -> dict[str, Any]:
    """The stop after a place. A date has a stop for its day, month, year and calendar, all of them one element."""
    for _ in range(PARTS_OF_A_DATE + 1):
        page.keyboard.press("Tab")
        stop: dict[str, Any] = page.evaluate(STOP)
        if stop["place"] != place:
            break
    return stop
