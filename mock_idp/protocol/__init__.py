"""The protocol of the mock banks: what a relying party sends, what it is answered, and every rule between."""
