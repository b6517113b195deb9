"""Measures proconsul against the original it is compatible with. ``python -m benchmarks --help``."""

import sys
from pathlib import Path

# Ports, and where the original is, are looked up as tests do it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
