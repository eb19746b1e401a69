"""Backups as archives: files of one kind, each with its digest, for their owner alone; and what goes into them."""
