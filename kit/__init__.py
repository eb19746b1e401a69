"""What every service of ours is built of, once: settings, pages, logs, serving, client assertions."""
