"""A person's account: signing in, sessions, passwords, user names, and all that is held on one person."""
