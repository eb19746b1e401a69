"""What a person can choose: the rows, the notices beside them, and the list of them for portals."""
