"""The tests' own servers: one that dies takes nothing along."""

from __future__ import annotations

import requests
from flask import Flask

from demo.runner.processes import free_port
from tests.harness.serving import Served


def test_a_server_whose_thread_has_ended_serves_again() -> None:
    app = Flask("x")
    app.add_url_rule("/", view_func=lambda: "here")
    port = free_port()
    served = Served(app, port)
    served.close()
    served._ended.clear()
    served.revive()
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=60).text == "here"
    served.close()
