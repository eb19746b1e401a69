"""A service that is handed identity tokens, to be copied as it is."""
