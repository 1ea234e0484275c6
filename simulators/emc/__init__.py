"""Simulated Emergency Call: the import contract's server side, with its own reading of the file format."""
