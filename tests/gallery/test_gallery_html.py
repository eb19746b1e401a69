"""HTML and CSS of every page in every state are valid by the Nu Html Checker; and no page is missing here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest

from tests.gallery.chromium import NODE_MODULES
from tests.gallery.server import GalleryServer, open_gallery

pytestmark = [pytest.mark.gallery, pytest.mark.enable_socket]
ROOT = Path(__file__).resolve().parent.parent.parent
JAR = NODE_MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
PACKAGES = ("kit", "broker", "registration", "customer_service", "mock_idp", "demo")


@pytest.fixture(scope="module")
def drawn() -> set[Path]:
    """The templates that were drawn: by the gallery's fixture."""
    return set()


@pytest.fixture(scope="module")
def gallery(drawn: set[Path]) -> Iterator[GalleryServer]:
    """All states, each drawn in each of its languages."""
    plain = jinja2.Environment.get_template

    def noted(environment: jinja2.Environment, *asked: Any, **more: Any) -> jinja2.Template:
        template = plain(environment, *asked, **more)
        if template.filename:
            drawn.add(Path(template.filename).resolve())
        return template

    with pytest.MonkeyPatch.context() as patch, open_gallery() as gallery:
        patch.setattr(jinja2.Environment, "get_template", noted)
        for state in gallery.states:
            for locale in state.locales:
                gallery.draw(state, locale)
        yield gallery


@pytest.fixture(scope="module")
def vnu() -> list[str]:
    """The checker's command. Fails, and does not skip: who asked for these tests wants them run."""
    java = shutil.which("java")
    assert java, "these tests need Java; on Debian: sudo apt install default-jre-headless"
    assert JAR.is_file(), "the Nu Html Checker is not installed; run: npm ci --ignore-scripts --prefix tests/peers"
    return [
        java,
        "-Xss2m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-jar",
        str(JAR),
        "--errors-only",
        "--stdout",
    ]


def test_every_page_in_every_state_and_language_is_valid_html(
    gallery: GalleryServer, vnu: list[str], tmp_path: Path
) -> None:
    for state in [state for state in gallery.states if state.is_page]:
        for locale in state.locales:
            page = gallery.draw(state, locale)
            assert page.mimetype == "text/html", state.id
            (tmp_path / f"{state.service}.{state.slug}.{locale}.html").write_bytes(page.get_data())
    assert complaints([*vnu, "--skip-non-html", str(tmp_path)], tmp_path) == []


def test_every_stylesheet_is_valid_css(vnu: list[str]) -> None:
    sheets = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("static/*.css"))
    assert {"tunnus.css", "mock.css", "portal.css", "online.css", "mailbox.css", "status.css"} <= {
        sheet.name for sheet in sheets
    }
    assert complaints([*vnu, "--css", *map(str, sheets)], ROOT) == []


def test_the_checker_sees_what_is_wrong(vnu: list[str], tmp_path: Path) -> None:
    (tmp_path / "wrong.html").write_text("<!DOCTYPE html><title>x</title><p><ul></ul></p>", encoding="utf-8")
    assert len(complaints([*vnu, str(tmp_path)], tmp_path)) == 1


def test_every_template_is_drawn_in_some_state(gallery: GalleryServer, drawn: set[Path]) -> None:
    folders = [folder for name in PACKAGES for folder in (ROOT / name).rglob("templates")]
    templates = {path for folder in folders for path in folder.rglob("*.*") if path.is_file()}
    assert templates
    # One leads away by itself as soon as it is drawn: tests/browser/test_browser_form_post.py looks at it.
    # A letter is on paper; the mock of an employer's provider stands for others' software.
    elsewhere = {"broker/pages/templates/form_post.html", "registration/pages/templates/letter.txt"}
    undrawn = {path.relative_to(ROOT) for path in templates - drawn}
    assert {str(path) for path in undrawn if path.parts[:2] != ("demo", "employer")} == elsewhere


def test_no_state_is_a_fault_or_a_redirect_by_mistake(gallery: GalleryServer) -> None:
    for state in gallery.states:
        status = gallery.draw(state, state.locales[0]).status_code
        assert not 300 <= status < 400, state.id
        assert status < 500 or status in {502, 503} or "fault" in state.name, state.id


def complaints(command: list[str], folder: Path) -> list[str]:
    """What the checker says, a line each, without the folder."""
    run = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    assert lines or run.returncode == 0, f"the checker ended with {run.returncode}"
    return [line.replace(f"file:{folder}/", "").replace(f"file:{folder}", "") for line in lines]
