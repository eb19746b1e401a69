"""Good tokens and every kind of bad one, for the tests of a service. `plugin.py` has them as pytest fixtures."""

from tunnus_verifier.testing.bad_tokens import BAD_TOKENS, POLICY_TOKENS, BadToken
from tunnus_verifier.testing.mint import TokenMint
from tunnus_verifier.testing.serving import served_mint

__all__ = ["BAD_TOKENS", "POLICY_TOKENS", "BadToken", "TokenMint", "served_mint"]
