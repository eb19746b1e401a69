"""Registration and what it needs, beside a running stack: the mock of PRH, the mail catcher, the online service, and
customer service with the employer's provider."""

from __future__ import annotations

import csv
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.runner.processes import PYTHON, run
from demo.runner.registrant import Company
from demo.runner.stack import Run, Stack, kept_client_keys

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config" / "registration.demo.toml"
STAFF_CONFIG = ROOT / "config" / "customer-service.demo.toml"
CUSTOMERS = ROOT / "config" / "customers.demo.csv"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each listens, on 127.0.0.1."""

    registration: int
    online_service: int
    prh: int
    mailbox: int
    smtp: int
    operations: int
    customer_service: int
    customer_service_operations: int
    employer: int


@dataclass(frozen=True)
class Services:
    """The services around registration. secret: the online service's, at registration's API."""

    stack: Stack
    ports: Ports
    secret: str

    @property
    def registration(self) -> str:
        """Registration's address."""
        return f"http://127.0.0.1:{self.ports.registration}"

    @property
    def operations(self) -> str:
        """The address of registration's second port."""
        return f"http://127.0.0.1:{self.ports.operations}"

    @property
    def online_service(self) -> str:
        """The online service's address."""
        return f"http://127.0.0.1:{self.ports.online_service}"

    @property
    def mailbox(self) -> str:
        """The address of the page that shows caught e-mail."""
        return f"http://127.0.0.1:{self.ports.mailbox}"

    @property
    def customer_service(self) -> str:
        """The address of customer service's pages, for staff."""
        return f"http://127.0.0.1:{self.ports.customer_service}"

    @property
    def employer(self) -> str:
        """The address of the employer's OpenID Provider, where staff sign in."""
        return f"http://127.0.0.1:{self.ports.employer}"

    def environment(self) -> dict[str, str]:
        """What the configuration files of the demo take from the environment."""
        state = self.stack.places.state
        hashed = hashlib.sha256(self.secret.encode()).hexdigest()
        return {
            "TUNNUS_ISSUER": self.stack.places.issuer,
            "TUNNUS_STATE_DIR": str(state),
            "REGISTRATION_URL": self.registration,
            "REGISTRATION_PORT": str(self.ports.registration),
            "REGISTRATION_OPERATIONS_PORT": str(self.ports.operations),
            "REGISTRATION_DATABASE_URL": f"sqlite:///{state / 'registration.sqlite'}",
            "ONLINE_SERVICE_URL": self.online_service,
            "ONLINE_SERVICE_SECRET_HASH": f"sha256:{hashed}",
            "PRH_URL": f"http://127.0.0.1:{self.ports.prh}/opendata-ytj-api/v3",
            "MAIL_PORT": str(self.ports.smtp),
            "CUSTOMER_SERVICE_URL": self.customer_service,
            "CUSTOMER_SERVICE_PORT": str(self.ports.customer_service),
            "CUSTOMER_SERVICE_OPERATIONS_PORT": str(self.ports.customer_service_operations),
            "EMPLOYER_URL": self.employer,
            "TUNNUS_OPERATIONS_URL": f"http://127.0.0.1:{self.stack.places.operations_port}",
        }

    def clients(self) -> dict[str, Any]:
        """How a broker knows registration and the online service, where its configuration is not config/demo.toml."""
        state = self.stack.places.state
        usual = {
            "auth_method": "private_key_jwt",
            "sector": "example-energy",
            "scopes": ["openid", "profile"],
            "id_token_alg": "ES256",
        }
        found: dict[str, dict[str, Any]] = {}
        for name, url in (("registration", self.registration), ("online-service", self.online_service)):
            ours = {
                "redirect_uris": [f"{url}/callback"],
                "home_uri": f"{url}/",
                "jwks": str(state / f"{name}.jwks.json"),
            }
            found[name] = usual | ours | {"name": {"fi": name, "sv": name, "en": name}}
        found["registration"]["show_step"] = True
        found["online-service"]["audiences"] = ["registration"]
        return found

    def start(self) -> None:
        """Start them, each when the one before answers. Raises CannotStart."""
        processes = self.stack.processes
        processes.run(self._command("migrate"), self.environment())
        reasons = ("--yes", "--operator", "demo", "--reason", "the demo's companies")
        processes.run(self._command("customers", "import", str(CUSTOMERS), *reasons), self.environment())
        processes.start("prh", [PYTHON, "-m", "demo.runner.prh", "--port", str(self.ports.prh)])
        smtp = ["--smtp-port", str(self.ports.smtp)]
        processes.start("mailbox", [PYTHON, "-m", "demo.mailbox", "--port", str(self.ports.mailbox), *smtp])
        processes.start("registration", self._command("serve"), self.environment())
        processes.start("send-mail", self._command("send-mail"), self.environment())
        self._start_online_service()
        self._start_customer_service()
        processes.wait_for("prh", f"http://127.0.0.1:{self.ports.prh}/livez")
        processes.wait_for("mailbox", f"{self.mailbox}/livez")
        processes.wait_for("registration", f"{self.operations}/readyz")
        processes.wait_for("online-service", f"{self.online_service}/livez")
        processes.wait_for("employer", f"{self.employer}/livez")
        operations = self.ports.customer_service_operations
        processes.wait_for("customer-service", f"http://127.0.0.1:{operations}/readyz")

    def _start_online_service(self) -> None:
        options = ["--port", str(self.ports.online_service), "--issuer", self.stack.places.issuer]
        options += ["--registration-url", self.registration]
        options += ["--key", str(self.stack.places.state / "online-service-keys")]
        command = [PYTHON, "-m", "demo.online_service", *options]
        self.stack.processes.start("online-service", command, {"ONLINE_SERVICE_SECRET": self.secret})

    def _start_customer_service(self) -> None:
        jwks = str(self.stack.places.state / "customer-service.jwks.json")
        options = ["--port", str(self.ports.employer), "--client-url", self.customer_service, "--client-jwks", jwks]
        self.stack.processes.start("employer", [PYTHON, "-m", "demo.employer", *options])
        command = [PYTHON, "-m", "customer_service", "serve", "--config", str(STAFF_CONFIG)]
        self.stack.processes.start("customer-service", command, self.environment())

    def _command(self, *arguments: str) -> list[str]:
        """A command of registration; the configuration comes after the command's own words."""
        return [PYTHON, "-m", "registration", *arguments, "--config", str(CONFIG)]


def companies() -> list[Company]:
    """The made-up companies that the customer register knows, in the order of their file."""
    with CUSTOMERS.open(encoding="utf-8", newline="") as file:
        return [Company(row["company_name"], row["fo_nummer"], row["customer_number"]) for row in csv.DictReader(file)]


def prepare_services(stack: Stack, ports: Ports) -> Services:
    """The keys of registration, the online service and customer service, made where there are none; public halves."""
    state, run = stack.places.state, stack.processes.run
    keys = str(state / "registration-keys")
    run([PYTHON, "-m", "registration", "keys", "init", "--dir", keys])
    public = run([PYTHON, "-m", "registration", "keys", "show-public", "--dir", keys])
    (state / "registration.jwks.json").write_text(public)
    make_customer_service(state / "customer-service-keys", state, run)
    kept_client_keys(state / "online-service-keys", run)
    return Services(stack, ports, kept_secret(state / "online-service.secret"))


def make_customer_service(keys: Path, public: Path, run: Run = run) -> None:
    """Customer service's keys, and their public half for registration and the employer's provider, in a folder."""
    command = [PYTHON, "-m", "customer_service", "keys"]
    run([*command, "init", "--dir", str(keys)])
    (public / "customer-service.jwks.json").write_text(run([*command, "show-public", "--dir", str(keys)]))


def kept_secret(path: Path) -> str:
    """The client secret in a file; made if there is none."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text()
