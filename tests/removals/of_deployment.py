"""The checks of what is released and of the packages in it."""

from __future__ import annotations

from tests.removals.of_broker import Mutation

AUDIT = "requirements/audit.py"
DEPLOYMENT = (
    Mutation(
        "a vulnerability fails the audit",
        AUDIT,
        "status = status if reason else 1",
        "status = 0",
        "that_an_advisory_names",
        tests="tests/deploy/test_audit.py",
    ),
    Mutation(
        "an advisory's range is read",
        AUDIT,
        " or any(\n        _is_within(",
        " or any(\n        False and _is_within(",
        "introduced_and_fixed",
        tests="tests/deploy/test_audit.py",
    ),
    Mutation(
        "an audit without data says so",
        AUDIT,
        "    if not advisories:\n",
        "    if False:\n",
        "without_data",
        tests="tests/deploy/test_audit.py",
    ),
    Mutation(
        "a file that is no advisory is no data",
        AUDIT,
        'raise ValueError("holds something that is no advisory of OSV")',
        "continue",
        "holds_something_else",
        tests="tests/deploy/test_audit.py",
    ),
)
