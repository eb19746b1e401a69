"""How a client of ours proves itself: by a secret, or by a JWT that it has signed. Reasons are constants of ours."""

from kit.client_authentication.errors import ClientRefused

__all__ = ["ClientRefused"]
