"""The calls of a principal, read and counted: what several questions ask alike."""
