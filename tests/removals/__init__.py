"""Are the checks alive? Each is removed in turn from a copy of the tree; a named row of a table must turn red."""
