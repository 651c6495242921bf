"""Where settings come from, how they are held against the tree in evolve/settings.py, and what writes them for people."""
