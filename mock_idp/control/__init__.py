"""The control API: tests and people say here what the banks answer next, and read what was sent to them."""
