"""Reading and checking a configuration file: the file, the kinds of value, and the report of what is wrong."""
