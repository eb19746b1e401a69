"""The processes of a stack; its short commands are run by the tests' own process, which has imported all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from click.testing import CliRunner

from broker.cli import main as broker
from customer_service.cli import main as customer_service
from demo.runner.processes import CannotStart, Processes
from mock_idp.cli import main as mock_idp
from registration.cli import main as registration

COMMANDS = {"broker": broker, "customer_service": customer_service, "mock_idp": mock_idp, "registration": registration}


class ImportedCommands(Processes):
    """What serves is a process of its own; `python -m broker keys init` would spend its second on imports."""

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """Run a command of ours to its end; return what it prints. Raises CannotStart with what it said."""
        module, *words = command[2:]  # after `python -m`
        done = CliRunner().invoke(COMMANDS[module], words, env=environment)
        if done.exit_code:
            raise CannotStart(f"{' '.join(command[1:4])} failed:\n{done.output.strip()}")
        return done.stdout
