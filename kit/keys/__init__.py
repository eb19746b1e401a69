"""Keys in files and in configurations: who may read them, and what is taken for a public key set."""
