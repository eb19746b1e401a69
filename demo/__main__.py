"""`make demo`: everything on this machine, proved once, until Ctrl-C. Each start deletes the registered accounts."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from demo.runner.configs import PROVIDERS
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import PYTHON, CannotStart, Processes, end_by_signal, require_free
from demo.runner.proof import prove
from demo.runner.services import Ports, Services, companies, prepare_services
from demo.runner.stack import Stack, prepare

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / "var" / "demo"
PORTS = {
    "the broker": ("TUNNUS_PORT", 8000),
    "operations": ("TUNNUS_OPERATIONS_PORT", 9000),
    "the mock banks": ("MOCK_PORT", 8002),
    "the portal": ("PORTAL_PORT", 8003),
    "registration": ("REGISTRATION_PORT", 8001),
    "the online service": ("ONLINE_SERVICE_PORT", 8004),
    "the mock of PRH": ("PRH_PORT", 8005),
    "caught e-mail": ("MAILBOX_PORT", 8025),
    "SMTP": ("MAIL_PORT", 8026),
    "registration's operations": ("REGISTRATION_OPERATIONS_PORT", 9001),
}
PEOPLE = (("nordea", "aino-virtanen"), ("op", "vaino-tunnistus"), ("alandsbanken", "alva-testholm"))
"""Who may register for the first three companies: provider and persona."""


def port_of(variable: str, default: int) -> int:
    """A port from the environment. Raises CannotStart if it is none."""
    value = os.environ.get(variable, str(default))
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise CannotStart(f"{variable}={value} is no port; give a number from 1 to 65535")
    return int(value)


def start_all(stack: Stack, services: Services, portal_port: int) -> None:
    """The mock banks, the broker, registration, the portal, each when the one before answers."""
    environment = {
        **services.environment(),
        "TUNNUS_PORT": str(stack.places.port),
        "TUNNUS_OPERATIONS_PORT": str(stack.places.operations_port),
        "TUNNUS_STORE_URL": stack.places.store_url,
        "MOCK_BASE_URL": stack.places.mock,
        "PORTAL_URL": f"http://127.0.0.1:{portal_port}",
    }
    config = ROOT / "config" / "demo.toml"
    stack.write_our_statement(config, environment)
    print("starting the mock banks", flush=True)
    stack.start_mock()
    print("starting the broker", flush=True)
    stack.start_broker(config, environment)
    print("starting registration, the online service, the mail catcher and the mock of PRH", flush=True)
    services.start()
    print("starting the portal", flush=True)
    key = stack.places.state / "portal-keys"
    options = [
        "--port",
        str(portal_port),
        "--issuer",
        stack.places.issuer,
        "--key",
        str(key),
        "--registration",
        services.registration,
    ]
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


def show_companies(stack: Stack) -> None:
    """Print companies to register for, and who may do it at which bank."""
    names = {persona["id"]: persona["title"] for persona in MockBanks(stack.places.mock).personas()}
    print("Register for one of these companies:")
    for company, (provider, persona) in zip(companies(), PEOPLE, strict=False):
        numbers = f"FO-nummer {company.fo_nummer}, customer number {company.customer_number}"
        print(f"  {company.name:<26} {numbers}, as {names[persona]} at {provider}")


def run_until_ended(stack: Stack, services: Services, portal_port: int) -> int:
    """Print the addresses and wait, for Ctrl-C or for the end of a part."""
    show_companies(stack)
    print(
        f"""
Tunnus is up. Ctrl-C ends it.
  example portal   http://127.0.0.1:{portal_port}/
  registration     {services.registration}/
  online service   {services.online_service}/
  caught e-mail    {services.mailbox}/
  mock banks       {stack.places.mock}/
  broker           {stack.places.issuer}/.well-known/openid-configuration
  for developers   http://127.0.0.1:{stack.places.operations_port}/developer
  operations       http://127.0.0.1:{stack.places.operations_port}/readyz, {services.operations}/readyz
  logs, audit      {stack.places.state}
""",
        flush=True,
    )
    while (name := stack.processes.ended()) is None:
        time.sleep(0.5)
    print(f"{name} has ended by itself:\n{stack.processes.tail(name)}", file=sys.stderr)
    return 1


def forget_accounts() -> bool:
    """Delete registration's database, so that the companies can be registered for again; whether there was one."""
    old = list(STATE.glob("registration.sqlite*"))
    for file in old:
        file.unlink()
    return bool(old)


def run() -> int:
    """Everything, to its end. Raises CannotStart, and KeyboardInterrupt on Ctrl-C."""
    ports = {what: port_of(*setting) for what, setting in PORTS.items()}
    broker, operations, mock, portal, *others = ports.values()
    addresses = {"issuer_port": broker, "operations_port": operations, "mock_port": mock}
    with Processes(STATE) as processes:
        for what, port in ports.items():
            require_free(port, what, PORTS[what][0])
        stack = prepare(processes, portal=f"http://127.0.0.1:{portal}", **addresses)
        if forget_accounts():
            print("the accounts that were registered before are deleted: each start of the demo begins anew")
        services = prepare_services(stack, Ports(*others))
        start_all(stack, services, portal)
        print("one identification through each provider", flush=True)
        prove_all(stack)
        return run_until_ended(stack, services, portal)


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
