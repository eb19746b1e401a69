"""Logs: JSON lines whose fields are allowed one by one, and a line for each request. `logs.add` adds to the latter."""

from kit.logs.lines import Fields, JsonFormatter, add, added, configure_logging, log_each_request, raised_at

__all__ = ["Fields", "JsonFormatter", "add", "added", "configure_logging", "log_each_request", "raised_at"]
