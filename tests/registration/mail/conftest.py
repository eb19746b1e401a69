"""A mail server, and an outbox on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.mail_server import MailServer, Post


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def post(tmp_path: Path, empty_tables: str, server: MailServer) -> Iterator[Post]:
    post = Post(tmp_path, server.port, empty_tables)
    yield post
    post.database.close()
