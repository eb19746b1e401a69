"""Backups: the database as a file and back, and what a restored one has to lose again.

`erasure_list` is written whenever somebody is erased or a right is taken, `erasing` carries it out on a restored
database, `dump` knows SQLite and PostgreSQL, `restoring` puts all of it together.
"""
