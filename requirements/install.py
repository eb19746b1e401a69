"""Put this folder on the path of the environment that runs this, with its `tunnus` command.

Tunnus runs from its folder or its image; building a wheel for that would need a build tool and a network.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = """#!/bin/sh
exec "{python}" -m broker "$@"
"""


def install() -> None:
    """Write one .pth file and one script into the environment."""
    Path(sysconfig.get_path("purelib"), "tunnus.pth").write_text(f"{ROOT}\n")
    script = Path(sysconfig.get_path("scripts"), "tunnus")
    script.write_text(COMMAND.format(python=sys.executable))
    script.chmod(0o755)


if __name__ == "__main__":
    install()
