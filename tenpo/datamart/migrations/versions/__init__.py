"""One file a change of structure, in order."""
