"""SoftHSM (Debian's softhsm2): one store of tokens for a test session, as a process loads a library once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4711"
TOKENS = ("ours", "brokers", "refused", "away")


class SoftHsm:
    """A folder of tokens, each by its label; made before the library is first loaded."""

    def __init__(self, folder: Path) -> None:
        self._tokens, self._away, self.pin_file = folder / "tokens", folder / "away", folder / "pin"
        self._tokens.mkdir()
        config = folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {self._tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(config)
        self.pin_file.write_text(PIN + "\n")
        self.pin_file.chmod(0o600)
        command = shutil.which("softhsm2-util")
        assert command is not None, "SoftHSM is needed; on Debian: sudo apt install softhsm2"
        for label in TOKENS:
            made = [command, "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "5678"]
            subprocess.run(made, check=True, capture_output=True)

    def settings(self, token: str, *purposes: str, **changes: Any) -> dict[str, Any]:
        """`keys.pkcs11` of a configuration."""
        usual = {"module": str(MODULE), "token": token, "purposes": purposes, "pin_file": str(self.pin_file)}
        return usual | changes

    def take_away(self) -> None:
        """The tokens are pulled out."""
        self._tokens.rename(self._away)

    def bring_back(self) -> None:
        """They are there again."""
        self._away.rename(self._tokens)
