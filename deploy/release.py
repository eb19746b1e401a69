"""What a release is made of, from the commit alone: `make release` writes it to `dist/`.

    tunnus_verifier-….whl        for other services, the same bytes whoever builds it
    tunnus-….tar.gz              what deploy/Dockerfile copies, the image's own layer; and what machines without it need
    tunnus-….cdx.json            its packages by version and licence, as CycloneDX; not those of the base image
    tunnus-….licences.txt        the same to read
    SHA256SUMS

Nothing that is not committed gets in. Needs git, and the environment that `requirements/lint.txt` makes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from requirements.audit import locked, requirements_of

ROOT = Path(__file__).resolve().parent.parent
UNITS = ("deploy", "config", "docs", "LICENSE", "README.md", "CHANGELOG.md")
"""Besides what the image holds: what a machine without containers is set up by."""


class CannotRelease(Exception):
    """What is wrong, and the mend."""


def main() -> int:
    """The command. 0: all of it is in `dist/`; 1: something is wrong, and was said."""
    try:
        changed = _git(ROOT, "status", "--porcelain").decode()
        if changed:
            raise CannotRelease(f"there is what was not committed:\n{changed}mend: commit it, or put it away")
        made = release(ROOT, ROOT / "dist")
    except CannotRelease as error:
        print(error, file=sys.stderr)
        return 1
    for file in made:
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  dist/{file.name}")
    return 0


def release(root: Path, out: Path) -> list[Path]:
    """Make everything of the commit that `root` has checked out, in the folder `out`; returns the files."""
    out.mkdir(exist_ok=True)
    project = tomllib.loads(_git(root, "show", "HEAD:pyproject.toml").decode())["project"]
    name = f"{project['name']}-{project['version']}"
    bill = bill_of_materials(root)
    files = {
        f"{name}.tar.gz": application(root, name),
        f"{name}.cdx.json": (json.dumps(bill, indent=2, sort_keys=True) + "\n").encode(),
        f"{name}.licences.txt": "".join(f"{line}\n" for line in licences(bill)).encode(),
    }
    for file, content in files.items():
        (out / file).write_bytes(content)
    made = [verifier_wheel(root, out), *(out / file for file in files)]
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in made)
    (out / "SHA256SUMS").write_text(sums)
    return made


def verifier_wheel(root: Path, out: Path) -> Path:
    """Build the verifier's wheel: the same bytes wherever and by whomever it is built, with the same setuptools."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(_git(root, "archive", "HEAD", "verifier"))) as archive:
            archive.extractall(folder, filter="data")  # with modes that do not depend on anybody's umask
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-build-isolation", "--wheel-dir", str(out), str(Path(folder, "verifier"))]
        epoch = {"SOURCE_DATE_EPOCH": _git(root, "log", "-1", "--format=%ct").decode().strip()}
        before = os.umask(0o022)
        try:
            _run(command, env=os.environ | epoch)
        finally:
            os.umask(before)
    (wheel,) = out.glob("tunnus_verifier-*.whl")
    return wheel


def application(root: Path, name: str) -> bytes:
    """A compressed archive of what the image copies, and of `UNITS`, as committed."""
    paths = sorted({*copied(root), *UNITS})
    return gzip.compress(_git(root, "archive", f"--prefix={name}/", "HEAD", *paths), mtime=0)


def copied(root: Path, dockerfile: str = "deploy/Dockerfile") -> set[str]:
    """What an image takes from the folder that it is built in."""
    text = _git(root, "show", f"HEAD:{dockerfile}").decode()
    lines = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", text, re.MULTILINE)
    return {source for line in lines for source in line.split()}


def bill_of_materials(root: Path) -> dict[str, Any]:
    """A CycloneDX document of what the image installs. Raises CannotRelease if this environment has other versions."""
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", sys.executable]
    command += ["--pyproject", str(root / "pyproject.toml"), "--output-reproducible", "--of", "JSON"]
    command.append("--no-validate")  # it takes a minute for all that is installed here; the tests validate what is kept
    bill: dict[str, Any] = json.loads(_run(command))
    lock = root / "requirements" / "main.txt"
    needed = {(name, str(version)) for name, version in locked(_of_this_machine(lock))}
    kept = {made["bom-ref"]: made for made in bill["components"] if (_name(made), made["version"]) in needed}
    if lost := sorted(needed - {(_name(made), made["version"]) for made in kept.values()}):
        raise CannotRelease(f"not installed here as {lock.name} says: {lost}; mend: make clean, then make release")
    direct = {canonicalize_name(line.split("[")[0]) for line in lock.with_suffix(".in").read_text().split("\n") if line}
    root_ref = bill["metadata"]["component"]["bom-ref"]
    for made in kept.values():
        made.pop("externalReferences", None)  # where its documentation is, and such
    bill["components"] = list(kept.values())
    bill["dependencies"] = [
        {**made, "dependsOn": [ref for ref in made.get("dependsOn", ()) if ref in kept]}
        for made in bill["dependencies"]
        if made["ref"] in kept
    ] + [{"ref": root_ref, "dependsOn": sorted(ref for ref, made in kept.items() if _name(made) in direct)}]
    return bill


def licences(bill: dict[str, Any]) -> Iterator[str]:
    """A line for each package: name, version, licence."""
    for made in sorted(bill["components"], key=_name):
        said = [entry.get("expression") or _licence(entry["license"]) for entry in made.get("licenses", ())]
        yield f"{_name(made)} {made['version']}: {', '.join(dict.fromkeys(said)) or 'says none'}"


def _licence(entry: dict[str, Any]) -> str:
    name: str = entry.get("id") or entry["name"]
    return name.removeprefix("License :: OSI Approved :: ")


def _name(component: dict[str, Any]) -> str:
    return canonicalize_name(component["name"])


def _of_this_machine(lock: Path) -> Iterator[Any]:
    return (made for made in requirements_of(lock) if made.marker is None or made.marker.evaluate())


def _git(root: Path, *words: str) -> bytes:
    return _run(["git", "-C", str(root), *words])


def _run(command: list[str], env: dict[str, str] | None = None) -> bytes:
    done = subprocess.run(command, env=env, capture_output=True, check=False)  # noqa: S603 - our own words
    if done.returncode != 0:
        raise CannotRelease(f"{' '.join(command[:4])} … says:\n{done.stderr.decode()[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
