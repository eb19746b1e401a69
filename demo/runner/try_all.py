"""`make try`: every provider by every dialect and shape of contract, each token verified and compared.

11 providers x {telia, isb} x {own issuer, shared issuer}, 11 x ftn with an issuer each, and one shared ftn
contract that cannot select. Then a client of each profile, from a secret to FAPI 2.0. Then, through each provider, a
first and a second person register for a company, and their rights are compared.

Free ports, a state folder of its own, no browser. Exit status 0 only if all is right.
"""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path

import requests

from demo.runner.client import Client
from demo.runner.configs import ANY_BANK, PROVIDERS, broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import CannotStart, Processes, end_by_signal, free_port
from demo.runner.profile_client import ProfileClient
from demo.runner.profiles import PROFILES, with_profiles
from demo.runner.progress import Stalled, waiting_for, watched
from demo.runner.proof import Proof, prove
from demo.runner.registration_proof import register_pairs
from demo.runner.services import Ports, Services, companies, prepare_services
from demo.runner.stack import Stack, free_ports, prepare

CONTRACTS = (
    ("telia", "own"),
    ("telia", "shared"),
    ("isb", "own"),
    ("isb", "shared"),
    ("ftn", "own"),
    ("ftn", "shared"),
)
ROW = "{:<20} {:<6} {:<7} {:>6}  {}"
PROFILE_ROW = "{:<20} {:>6}  {}"
REGISTRATION_ROW = "{:<20} {:<14} {:>6}  {}"


def rows_of(dialect: str, shape: str) -> list[tuple[str, str, str | None]]:
    """Row of the chooser, face of the mock banks, and the `idp` claim to expect."""
    if (dialect, shape) == ("ftn", "shared"):
        return [(ANY_BANK, "nordea", None)]
    return [(name, name, name) for name in PROVIDERS]


def try_all(processes: Processes) -> int:
    """Print a line for each; return how many were not right. Raises CannotStart."""
    issuer_port, operations_port, mock_port = free_ports()
    addresses = {"issuer_port": issuer_port, "operations_port": operations_port, "mock_port": mock_port}
    stack = prepare(processes, portal="http://127.0.0.1:9", **addresses)
    stack.write_our_statement(every_connection(stack))
    stack.start_mock()
    mock = MockBanks(stack.places.mock)
    people = itertools.cycle(mock.people())
    print(ROW.format("provider", "dialect", "shape", "ms", "result"))
    wrong = total = 0
    for dialect, shape in CONTRACTS:
        stack.start_broker(broker_config(dialect, shape, stack.places))
        for row, face, idp in rows_of(dialect, shape):
            waiting_for(f"the identification through {row} ({dialect}, {shape})")
            proof = prove(stack.client, mock, row, face, next(people), idp)
            total += 1
            wrong += proof.problem is not None
            show(proof, dialect, shape)
        stack.processes.end("broker")
    print(f"{total - wrong} of {total} right")
    services = prepare_services(stack, Ports(*(free_port() for _ in fields(Ports))))
    config = with_profiles(broker_config("telia", "shared", stack.places), stack.client)
    stack.start_broker(config | {"clients": config["clients"] | services.clients()})
    return wrong + try_profiles(stack.client, mock) + try_registration(services, mock)


def try_profiles(client: Client, mock: MockBanks) -> int:
    """Print a line for each way in which a client may be registered; return how many were not right."""
    print(PROFILE_ROW.format("profile of a client", "ms", "result"))
    people = itertools.cycle(mock.people())
    wrong = 0
    for profile in PROFILES:
        waiting_for(f"the identification by {profile.name}")
        with requests.Session() as server:
            server.trust_env = False
            as_registered = ProfileClient(replace(client, client_id=profile.name), profile, server)
            proof = prove(as_registered, mock, "nordea", "nordea", next(people), "nordea")
        wrong += proof.problem is not None
        print(PROFILE_ROW.format(profile.name, f"{proof.milliseconds:.0f}", proof.problem or "ok"), flush=True)
    print(f"{len(PROFILES) - wrong} of {len(PROFILES)} right")
    return wrong


def try_registration(services: Services, mock: MockBanks) -> int:
    """Print a line for each person who registers; return how many were not right. Raises CannotStart."""
    services.start()
    print(REGISTRATION_ROW.format("provider", "registration", "ms", "result"))
    wrong = total = 0
    for proof in register_pairs(services, mock, PROVIDERS, companies()):
        total += 1
        wrong += proof.problem is not None
        shown = REGISTRATION_ROW.format(proof.provider, proof.which, f"{proof.milliseconds:.0f}", proof.problem or "ok")
        print(shown, flush=True)
    print(f"{total - wrong} of {total} right")
    return wrong


def every_connection(stack: Stack) -> dict[str, object]:
    """One configuration with the connections of all contracts, so that one statement of ours serves them all."""
    configs = [broker_config(dialect, shape, stack.places) for dialect, shape in CONTRACTS]
    connections = {name: value for config in configs for name, value in config["connections"].items()}
    return {**configs[0], "connections": connections}


def show(proof: Proof, dialect: str, shape: str) -> None:
    """Print one row."""
    print(ROW.format(proof.row, dialect, shape, f"{proof.milliseconds:.0f}", proof.problem or "ok"), flush=True)


def main() -> int:
    """The command. 0: every row is right; 1: one is not; 2: it could not start, or was ended."""
    begun = time.monotonic()
    end_by_signal()
    state = Path(tempfile.mkdtemp(prefix="tunnus-try-"))
    status = 2
    try:
        with Processes(state) as processes, watched():
            status = 1 if try_all(processes) else 0
        print(f"{time.monotonic() - begun:.1f} s")
    except (CannotStart, Stalled) as problem:
        print(f"make try: {problem}", file=sys.stderr)
    except KeyboardInterrupt:
        print("ended")
    finally:
        if status == 1:
            print(f"logs, configuration, keys: {state}")
        else:
            shutil.rmtree(state)
    return status


if __name__ == "__main__":
    sys.exit(main())
