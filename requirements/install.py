"""Put this folder on the path of the environment that runs this, with its commands: `tunnus` and those of COMMANDS.

Tunnus runs from its folder or its image; building a wheel for that would need a build tool and a network.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = """#!/bin/sh
exec "{python}" -m {package} "$@"
"""
COMMANDS = {
    "tunnus": "broker",
    "tunnus-registration": "registration",
    "tunnus-customer-service": "customer_service",
}


def install() -> None:
    """Write one .pth file and the scripts into the environment."""
    Path(sysconfig.get_path("purelib"), "tunnus.pth").write_text(f"{ROOT}\n{ROOT / 'verifier'}\n")
    for name, package in COMMANDS.items():
        script = Path(sysconfig.get_path("scripts"), name)
        script.write_text(COMMAND.format(python=sys.executable, package=package))
        script.chmod(0o755)


if __name__ == "__main__":
    install()
