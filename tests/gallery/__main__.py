"""`python -m tests.gallery [word…]`: look at every page, tell what is wrong, and a table of what axe-core said."""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter, defaultdict

from tests.gallery.looking import Report, look, scripts
from tests.gallery.server import open_gallery
from tests.gallery.state import views
from tests.gallery.workers import work


def main() -> int:
    """1 if anything is wrong."""
    logging.disable(logging.CRITICAL)
    with open_gallery() as gallery:
        pages = [state for state in gallery.states if state.is_page]
        reports = [found for _, found in work(look, [*views(pages, gallery.url, sys.argv[1:])], scripts=scripts())]
    reports.sort(key=lambda report: (report.view.state, report.view.locale))
    wrong = [line for report in reports for line in complaints(report)]
    print(*wrong, "", *table(reports), "", *untold(reports), sep="\n")
    return 1 if wrong else 0


def complaints(report: Report) -> list[str]:
    """A line for each thing that is wrong."""
    where = f"{report.view.state} {report.view.locale}"
    by_axe = [f"{where}, {scheme}: {found}" for scheme, axe in report.axe.items() for found in axe.violations]
    return by_axe + [f"{where}, {check}: {found}" for check, all in report.wrong.items() for found in all]


def untold(reports: list[Report]) -> list[str]:
    """What axe-core cannot tell, and how often."""
    counted = Counter(
        f"{report.view.service}, {scheme}: {re.sub('[0-9]+', '', found)}"
        for report in reports
        for scheme, axe in report.axe.items()
        for found in axe.incomplete
    )
    return [f"{count} × {found}" for found, count in counted.most_common()]


def table(reports: list[Report]) -> list[str]:
    """A Markdown table: how much was looked at of each service's pages, and what axe-core found."""
    of: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        of[report.view.service].append(report)
    lines = [
        "| service | pages | states | axe runs | rules that hold, in all | violations | cannot tell |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for service, found in [*of.items(), ("all", reports)]:
        runs = [axe for report in found for axe in report.axe.values()]
        pages = len({(report.view.service, report.view.group) for report in found})
        counts = [pages, len({report.view.state for report in found}), len(runs)]
        counts += [sum(run.passed for run in runs), sum(len(run.violations) for run in runs)]
        counts += [sum(len(run.incomplete) for run in runs)]
        lines.append(f"| {service} | {' | '.join(f'{count:,}'.replace(',', ' ') for count in counts)} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
