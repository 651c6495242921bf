"""The outer loop: a population of scaffolds, evolved as git commits. Start reading at `evolve/loop.py`."""

__version__ = "0.1.0"
