"""Who can be identified: the eleven faces of the banks, test persons, and artificial personal identity codes."""
