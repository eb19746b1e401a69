"""How pages look and what they say: languages, texts, brand, static files, and the templates that all pages share."""
