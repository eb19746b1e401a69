"""The mail server of the demo, and the page that shows what it caught."""
