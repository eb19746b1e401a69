"""The example portal: a whole client of the broker, to be copied as it is."""
