"""The demo: starts the parts as processes on one machine, proves them, and shows what people copy.

    python -m demo            everything, until Ctrl-C
    python -m demo.runner.try_all    every provider, dialect and shape of contract once
    demo/portal/app.py            the example portal
    demo/runner/client.py            an OpenID Connect client in a hundred lines, on Authlib and PyJWT

It meets the others over HTTP and their commands only.
"""
