"""Whether a locked package has a published vulnerability, by a file of advisories: nothing is fetched.

    python requirements/audit.py FILE

FILE is OSV's export for PyPI (`WHERE`), or JSON with one advisory or a list of them.
Exit status 0: none is known; 1: one is; 2: nothing was audited, and why is said.
`[tool.tunnus.advisories]` of pyproject.toml names those that were reviewed and do not concern us, with the reason.
Source: OSV schema, "Evaluation", https://ossf.github.io/osv-schema/#evaluation
"""

from __future__ import annotations

import json
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

FOLDER = Path(__file__).resolve().parent
WHERE = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
Advisory = Mapping[str, Any]


def requirements_of(lock: Path) -> Iterator[Requirement]:
    """Each line of a lock, without its hashes."""
    for line in lock.read_text().splitlines():
        if line[:1].isalnum():
            yield Requirement(line.rstrip("\\ "))


def locked(requirements: Iterable[Requirement]) -> Iterator[tuple[str, Version]]:
    """Name and version of each."""
    for requirement in requirements:
        yield canonicalize_name(requirement.name), Version(next(iter(requirement.specifier)).version)


def read_advisories(file: Path) -> Iterator[Advisory]:
    """Every advisory of a file that was not withdrawn. Raises ValueError or OSError if it is no such file."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            documents = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]
    else:
        read = json.loads(file.read_text())
        documents = read if isinstance(read, list) else [read]
    for document in documents:
        if not isinstance(document, dict) or not isinstance(document.get("id"), str):
            raise ValueError("holds something that is no advisory of OSV")
        if not document.get("withdrawn"):
            yield document


def concerns(affected: Mapping[str, Any], version: Version) -> bool:
    """Whether a version is one of those that an advisory's entry of a package names."""
    return any(_same(version, named) for named in affected.get("versions", ())) or any(
        _is_within(made["events"], version) for made in affected.get("ranges", ()) if made.get("type") == "ECOSYSTEM"
    )


def _same(version: Version, named: str) -> bool:
    try:
        return version == Version(named)
    except InvalidVersion:
        return False


def _is_within(events: Iterable[Mapping[str, str]], version: Version) -> bool:
    moments = sorted((_least(value), kind) for event in events for kind, value in event.items())
    vulnerable = False
    for moment, kind in moments:
        if kind == "introduced" and version >= moment:
            vulnerable = True
        elif (kind == "fixed" and version >= moment) or (kind == "last_affected" and version > moment):
            vulnerable = False
    return vulnerable


def _least(value: str) -> Version:
    return Version("0.dev0") if value == "0" else Version(value)


def hits(locks: Iterable[Path], advisories: Iterable[Advisory]) -> Iterator[tuple[Advisory, str, Version, list[str]]]:
    """Each advisory that concerns a package, with the locks that it is in."""
    packages: dict[str, dict[Version, list[str]]] = {}
    for lock in locks:
        for name, version in locked(requirements_of(lock)):
            packages.setdefault(name, {}).setdefault(version, []).append(lock.name)
    for advisory in advisories:
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            if package.get("ecosystem") == "PyPI":
                for version, names in packages.get(canonicalize_name(package["name"]), {}).items():
                    if concerns(affected, version):
                        yield advisory, package["name"], version, names


def main(arguments: list[str], pyproject: Path = FOLDER.parent / "pyproject.toml") -> int:
    """The command."""
    if len(arguments) != 1 or not arguments[0]:
        print(f"NOTHING WAS AUDITED: no file of advisories. Fetch {WHERE}, then: make audit ADVISORIES=all.zip")
        return 2
    try:
        advisories = [made for made in read_advisories(Path(arguments[0])) if _is_of_pypi(made)]
    except (OSError, ValueError) as error:
        print(f"NOTHING WAS AUDITED: {arguments[0]} cannot be read as advisories of OSV: {error}")
        return 2
    if not advisories:
        print(f"NOTHING WAS AUDITED: {arguments[0]} holds no advisory about a package of PyPI")
        return 2
    reviewed = tomllib.loads(pyproject.read_text()).get("tool", {}).get("tunnus", {}).get("advisories", {})
    locks = sorted(FOLDER.glob("*.txt"))
    status = 0
    for advisory, name, version, where in hits(locks, advisories):
        ids = [advisory["id"], *advisory.get("aliases", ())]
        reason = next((reviewed[id] for id in ids if id in reviewed), None)
        status = status if reason else 1
        said = f"reviewed: {reason}" if reason else f"VULNERABLE: {advisory.get('summary', 'no summary')}"
        print(f"{name} {version} in {', '.join(where)}: {', '.join(ids)}: {said}")
    newest = max(str(made.get("modified", "")) for made in advisories)[:10] or "an unknown date"
    print(f"{len(locks)} locks compared with {len(advisories)} advisories, the newest of {newest}")
    return status


def _is_of_pypi(advisory: Advisory) -> bool:
    return any(made.get("package", {}).get("ecosystem") == "PyPI" for made in advisory.get("affected", ()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
