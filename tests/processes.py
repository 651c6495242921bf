"""Processes of this machine, as /proc tells of them."""

import os
from pathlib import Path


def children(of: int | None = None) -> set[int]:
    """Processes of which this one, or another, is the parent; zombies too."""
    found, wanted = set(), of or os.getpid()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == wanted:
            found.add(int(path.parent.name))
    return found
