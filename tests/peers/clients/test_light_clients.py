"""Real client libraries log in the way docs/clients tells: by the pages' own code and part of our configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.peers.clients.login import HERE, PEERS, Framework, Running, log_in, running_broker

pytestmark = pytest.mark.peers

PYTHON = str(PEERS / ".venv" / "bin" / "python")
FLASK = (PYTHON, "-m", "flask", "--app", "app", "run", "--port", "{port}")
DJANGO = (PYTHON, "-m", "django", "runserver", "--noreload", "127.0.0.1:{port}")
DJANGO_TABLES = ((PYTHON, "-m", "django", "migrate", "--verbosity", "0"),)
DJANGO_SETTINGS = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": "."}
NODE = ("node", "app.mjs")
NODE_MODE = {"NODE_ENV": "development"}
PUMA = ("puma", "--bind", "tcp://127.0.0.1:{port}", "config.ru")
APACHE = ("apache2", "-d", "{folder}", "-f", str(HERE / "httpd.conf"), "-DFOREGROUND")

FRAMEWORKS = (
    Framework("authlib-flask", FLASK),
    Framework("flask-pyoidc", FLASK),
    *(
        Framework(page, DJANGO, "/me", before=DJANGO_TABLES, environment=DJANGO_SETTINGS)
        for page in ("mozilla-django-oidc", "django-allauth", "social-auth")
    ),
    *(
        Framework(page, NODE, environment=NODE_MODE)
        for page in ("express-openid-connect", "openid-client", "passport", "auth-js")
    ),
    Framework("omniauth", PUMA, environment={"RUBYOPT": f"-r{HERE / 'plain_http.rb'}"}),
    Framework("mod_auth_openidc", APACHE, "/claims", environment={"PAGES": str(HERE / "htdocs")}),
)


@pytest.fixture(scope="module")
def running(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_broker(tmp_path_factory.mktemp("clients"), stack_state, FRAMEWORKS) as running:
        yield running


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.page)
def test_a_client_connects_as_its_page_tells(
    framework: Framework, running: Running, browser: requests.Session, tmp_path: Path
) -> None:
    log_in(framework, running, browser, tmp_path)
