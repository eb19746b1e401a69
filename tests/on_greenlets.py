"""Tests on greenlets, as `tunnus serve` has them: python -m tests.on_greenlets FOLDER…; see `make test-greenlets`.

In one process: what starts others for pytest wants threads. One test is left out, which counts calls of functions:
gevent has some of its own.
"""

from __future__ import annotations

from kit.serving import greenlets

greenlets.use()

# isort: split
import sys  # noqa: E402

import pytest  # noqa: E402

COUNTS_CALLS = "tests/protocol/test_cost_of_a_login.py::test_a_login_by_hint_is_so_many_calls_of_functions"

if __name__ == "__main__":
    sys.exit(pytest.main(["-p", "no:xdist", "--deselect", COUNTS_CALLS, *sys.argv[1:]]))
