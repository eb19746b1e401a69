"""The measure of `bench.chooser`: an empty Flask page with one read of the store, served as the broker is.

python -m bench.empty_page STORE_URL PORT
"""

from __future__ import annotations

import gc
import sys

from flask import Flask, Response
from waitress import serve

from broker.settings.store import StoreSettings
from broker.store import connect


def create_app(store_url: str) -> Flask:
    """A Flask application with one page."""
    app = Flask("empty", static_folder=None)
    client = connect(StoreSettings(url=store_url))
    client.set("bench", b"x" * 1000)

    @app.get("/empty")
    def show() -> Response:
        client.get("bench")
        return Response(b"", content_type="text/html; charset=utf-8")

    return app


if __name__ == "__main__":
    store_url, port = sys.argv[1], int(sys.argv[2])
    app = create_app(store_url)
    gc.freeze()  # as kit.serving.process does
    serve(app, host="127.0.0.1", port=port, threads=64, ident=None, asyncore_use_poll=True, _quiet=True)
