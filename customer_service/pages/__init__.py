"""The pages of customer service: templates, texts, look."""
