"""The pages of docs/clients as a test runs them: their code as files, word for word but for the addresses."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[3] / "docs" / "clients"
BROKER = "https://broker.example.fi"
APP = "https://app.example.fi"
_FILE = re.compile(r"^`([\w./-]+)`:?\n+```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SECTION = re.compile(r"^```toml\n(\[clients\..*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ClientPage:
    """One page. name: of its file. files: what it tells to write at the client, by path."""

    name: str
    section: str
    files: dict[str, str]

    @classmethod
    def read(cls, name: str) -> ClientPage:
        """A page of docs/clients."""
        text = (DOCS / f"{name}.md").read_text()
        (section,) = _SECTION.findall(text)
        return cls(name, section, dict(_FILE.findall(text)))

    def clients(self, app: str, secret_hash: str) -> dict[str, Any]:
        """Its part of the broker's configuration, for a client at another address."""
        section = self.section.replace(APP, app).replace("${APP_SECRET_HASH}", secret_hash)
        found: dict[str, Any] = tomllib.loads(section)["clients"]
        return found

    def write(self, folder: Path, app: str, issuer: str) -> None:
        """Write the client's files for the addresses of a test."""
        for path, content in self.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content.replace(BROKER, issuer).replace(APP, app))
