"""A survival rule of a user that neither decides nor asks for anything, on the command line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evolve.cli import cli

SETTINGS = "[documents]\nvalidation = 4\ntest = 4\nminibatch = 2\n[search]\nsurvival = 'idle.lazy'\n"
LAZY = """from evolve.contest import Measure
def step(contest):
    return Measure((), ())
def record(documents, terms):
    return 0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings that name the rule, which Python finds there."""
    (tmp_path / "idle").mkdir()
    (tmp_path / "idle" / "lazy.py").write_text(LAZY)
    (tmp_path / "evolve.toml").write_text(SETTINGS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("idle.lazy", "idle"):
        sys.modules.pop(name, None)


def run(folder: Path, workers: int) -> Result:
    words = ["run", "--iterations", "3", "--workers", str(workers), "--db", str(folder / "population.db")]
    return CliRunner().invoke(cli, words)


@pytest.mark.parametrize("workers", [1, 3])
def test_it_is_refused_by_name(folder: Path, workers: int) -> None:
    """A line for people and the exit code of what the user wrote, however many workers met it; and so again."""
    for _ in range(2):
        found = run(folder, workers)
        assert found.exit_code == 2
        assert isinstance(found.exception, SystemExit)
        said = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
        assert said == [
            "error: the rule 'idle.lazy' neither decides nor names a document; mend its `step` (search.survival)"
        ]
        assert "Traceback" not in found.output


def test_a_null_run_refuses_it_too(folder: Path) -> None:
    """`evolve null` simulates the very rule."""
    words = ["null", "--iterations", "3", "--runs", "2", "--db", str(folder / "population.db")]
    found = CliRunner().invoke(cli, words)
    assert (found.exit_code, isinstance(found.exception, SystemExit)) == (2, True)
    assert "'idle.lazy' neither decides nor names a document" in found.stderr
