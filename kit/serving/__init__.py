"""A WSGI application as a process: a port, many threads, and an orderly end."""
