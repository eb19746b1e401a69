"""A stack of real processes for tests: what `make try` starts, without its broker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.runner.configs import broker_config
from demo.runner.stack import Stack, free_ports, prepare
from tests.harness.imported_commands import ImportedCommands

PORTAL = "http://127.0.0.1:9"
CONTRACT = ("telia", "shared")


@contextmanager
def running_stack(folder: Path, stack_state: Path) -> Iterator[Stack]:
    """Valkey and the mock banks, which know the contract `telia`, shared; a broker is started by who needs one.

    stack_state: keys that take long to make, which are copied.
    """
    shutil.copytree(stack_state, folder, dirs_exist_ok=True)
    broker, operations, mock = free_ports()
    with ImportedCommands(folder) as processes:
        stack = prepare(processes, issuer_port=broker, operations_port=operations, mock_port=mock, portal=PORTAL)
        stack.write_our_statement(broker_config(*CONTRACT, stack.places))
        stack.start_mock()
        yield stack
