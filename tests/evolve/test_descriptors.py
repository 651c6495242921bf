"""The limit on open files: raised towards the hard one, never above it."""

import resource
import subprocess
import sys

CODE = """
import resource
from evolve.descriptors import allow_many
allow_many()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits_after(soft: int, hard: int) -> tuple[int, ...]:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    done = subprocess.run(
        [sys.executable, "-c", CODE], preexec_fn=lower, capture_output=True, text=True, check=True
    )
    return tuple(map(int, done.stdout.split()))


def test_the_soft_limit_follows_the_hard_one() -> None:
    """A low one is raised, the hard one is never touched."""
    assert limits_after(64, 512) == (512, 512)
    assert limits_after(512, 512) == (512, 512)
