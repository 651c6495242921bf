"""What a scaffold's process is born with: environment, limits, descriptors, randomness."""

import os
from pathlib import Path

import pytest
from sandboxes import LIMITS, Make, fault, make, run, told

from harness.sandbox import pipe

__all__ = ["make"]  # a fixture


def test_clean_environment_and_replay(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is PYTHONHASHSEED and nothing else; hashes and random numbers repeat exactly."""
    monkeypatch.setenv("API_KEY", "secret")
    code = """
import os, random, sys
def tell():
    environment = dict(os.environ)
    return [environment, hash("text"), random.random(), list({"a", "b", "c", "d"}), os.getcwd(),
            [name for name in sys.path if "site-packages" in name], sys.stdin.read()]
"""
    first, second = (told(make(LIMITS), tmp_path / "s", code) for _ in range(2))
    assert first[0] == {"PYTHONHASHSEED": "0"}
    assert first[1:4] == second[1:4]
    assert first[4] not in (str(tmp_path), str(Path.cwd()))
    assert first[5:] == [[], ""]


def test_limits_are_set_before_the_scaffold_loads(make: Make, tmp_path: Path) -> None:
    """The first line of a scaffold runs under all limits, and cannot raise them as far as the kernel says so."""
    code = """
import resource
names = ("CPU", "AS", "FSIZE", "NOFILE", "CORE")
SEEN = [resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names]
def tell(): return SEEN
"""
    assert told(make(LIMITS), tmp_path / "s", code) == [
        [LIMITS.cpu_seconds, LIMITS.cpu_seconds + 1],
        [LIMITS.memory] * 2,
        [LIMITS.scratch] * 2,
        [pipe.OPEN_FILES] * 2,
        [0, 0],
    ]


def test_file_size_limit(make: Make, tmp_path: Path) -> None:
    """A scratch file may have the size of the scratch space and no more."""
    write = "def create(document, env): open('f', 'wb').write(b'x' * {size})\n"
    run(make(LIMITS), tmp_path / "s", write.format(size=LIMITS.scratch // 2))
    assert "OSError" in fault(make, tmp_path / "s", write.format(size=LIMITS.scratch * 2)).detail


def test_only_the_pipe_is_inherited(make: Make, tmp_path: Path) -> None:
    """A descriptor that the host holds open, inheritable or not, does not reach a scaffold."""
    code = """
import os, stat
def tell():
    kinds = []
    for fd in range(100):
        try:
            kinds.append(stat.S_IFMT(os.fstat(fd).st_mode))
        except OSError:
            continue
    return sorted(kinds)
"""
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        kinds = told(make(LIMITS), tmp_path / "s", code)
    assert kinds == sorted([0o020000] + 4 * [0o140000])  # /dev/null; stdout, stderr and the pipe's two ends
