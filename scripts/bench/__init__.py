"""`make bench`: its parts, one module for each group of figures."""
