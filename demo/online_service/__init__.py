"""The stand-in online service: where a company's representatives sign in."""
