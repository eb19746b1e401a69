"""`make demo`: everything on this machine, proved once, until Ctrl-C."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from demo.configs import PROVIDERS
from demo.mock import MockBanks
from demo.processes import PYTHON, CannotStart, Processes, end_by_signal, require_free
from demo.proof import prove
from demo.stack import Stack, prepare

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / "var" / "demo"
PORTS = {
    "the broker": ("TUNNUS_PORT", 8000),
    "operations": ("TUNNUS_OPERATIONS_PORT", 9000),
    "the mock banks": ("MOCK_PORT", 8002),
    "the portal": ("PORTAL_PORT", 8003),
}


def port_of(variable: str, default: int) -> int:
    """A port from the environment. Raises CannotStart if it is none."""
    value = os.environ.get(variable, str(default))
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise CannotStart(f"{variable}={value} is no port; give a number from 1 to 65535")
    return int(value)


def start_all(stack: Stack, portal_port: int) -> None:
    """The mock banks, the broker and the portal, each when the one before answers."""
    environment = {
        "TUNNUS_ISSUER": stack.places.issuer,
        "TUNNUS_PORT": str(stack.places.port),
        "TUNNUS_OPERATIONS_PORT": str(stack.places.operations_port),
        "TUNNUS_STORE_URL": stack.places.store_url,
        "TUNNUS_STATE_DIR": str(stack.places.state),
        "MOCK_BASE_URL": stack.places.mock,
        "PORTAL_URL": f"http://127.0.0.1:{portal_port}",
    }
    config = ROOT / "config" / "demo.toml"
    stack.write_our_statement(config, environment)
    print("starting the mock banks", flush=True)
    stack.start_mock()
    print("starting the broker", flush=True)
    stack.start_broker(config, environment)
    print("starting the portal", flush=True)
    key = stack.places.state / "portal.key.json"
    options = ["--port", str(portal_port), "--issuer", stack.places.issuer, "--key", str(key)]
    stack.processes.start("portal", [PYTHON, "-m", "demo.portal", *options])
    stack.processes.wait_for("portal", f"http://127.0.0.1:{portal_port}/")


def prove_all(stack: Stack) -> None:
    """One identification through each provider. Raises CannotStart if one is not right."""
    mock = MockBanks(stack.places.mock)
    persona = mock.people()[0]
    for name in PROVIDERS:
        proof = prove(stack.client, mock, name, name, persona, name)
        print(f"  {name:<20} {proof.milliseconds:5.0f} ms  {proof.problem or 'ok'}", flush=True)
        if proof.problem:
            raise CannotStart(f"the identification through {name} failed; logs: {stack.places.state}")


def stay(stack: Stack, portal_port: int) -> int:
    """Print the addresses and wait, for Ctrl-C or for the end of a part."""
    print(
        f"""
Tunnus is up. Ctrl-C ends it.
  example portal   http://127.0.0.1:{portal_port}/
  mock banks       {stack.places.mock}/
  broker           {stack.places.issuer}/.well-known/openid-configuration
  operations       http://127.0.0.1:{stack.places.operations_port}/readyz
  logs, audit      {stack.places.state}
""",
        flush=True,
    )
    while (name := stack.processes.ended()) is None:
        time.sleep(0.5)
    print(f"{name} has ended by itself:\n{stack.processes.tail(name)}", file=sys.stderr)
    return 1


def run() -> int:
    """Everything, to its end. Raises CannotStart, and KeyboardInterrupt on Ctrl-C."""
    broker, operations, mock, portal = (port_of(*setting) for setting in PORTS.values())
    addresses = {"issuer_port": broker, "operations_port": operations, "mock_port": mock}
    with Processes(STATE) as processes:
        for (what, (variable, _)), port in zip(PORTS.items(), (broker, operations, mock, portal), strict=True):
            require_free(port, what, variable)
        stack = prepare(processes, portal=f"http://127.0.0.1:{portal}", **addresses)
        start_all(stack, portal)
        print("one identification through each provider", flush=True)
        prove_all(stack)
        return stay(stack, portal)


def main() -> int:
    """The command. 0: ended by Ctrl-C; 1: a part ended by itself; 2: it could not start."""
    end_by_signal()
    try:
        return run()
    except CannotStart as problem:
        print(f"make demo: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ended")
        return 0


if __name__ == "__main__":
    sys.exit(main())
