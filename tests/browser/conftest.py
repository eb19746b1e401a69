"""Tests in a browser need a driver that `make test` does not install: where it is missing, they are not collected."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]
