"""How many files and connections this process may have open."""

import resource
from contextlib import suppress

WANTED = 8192


def allow_many() -> None:
    """Raise the soft limit towards the hard one, as far as a run with very many slots could need.

    macOS begins with 256; a call slot and its scaffolds take about ten. The hard limit is the administrator's.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # where the system allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
