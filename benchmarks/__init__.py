"""Measures proconsul against the original it is compatible with. ``python -m benchmarks --help``."""
