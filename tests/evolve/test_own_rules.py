"""Rules of a user that fail, on the command line: an error in words that names them, in a run and in a null run."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evolve.cli import cli

SIZES = "[documents]\nvalidation = 4\ntest = 4\nminibatch = 2\n[search]\n"
LAZY = """from evolve.contest import Measure
def step(contest):
    return Measure((), ())
def record(documents, terms):
    return 0
"""
KEEPING = LAZY.replace("import Measure", "import Measure, Survival").replace(
    "return Measure((), ())",
    "return Survival(True, 'so be it') if contest.child else Measure((), contest.documents)",
)
BROKEN = "error: the rule 'idle.lazy' cannot be used: its "
SURVIVAL = "; mend it, or set search.survival to one of ours: paired, sequential, strict"
SELECTION = "; mend it, or set search.selection to one of ours: boltzmann"
UNLOADED = "; mend it, or take one of ours: paired, sequential, strict"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings that name the rule, which Python finds there."""
    (tmp_path / "idle").mkdir()
    written(tmp_path, LAZY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in ("idle.lazy", "idle"):
        sys.modules.pop(name, None)


def written(folder: Path, rule: str, settings: str = "survival = 'idle.lazy'\n") -> None:
    """The rule, and the settings that have it."""
    (folder / "idle" / "lazy.py").write_text(rule)
    (folder / "evolve.toml").write_text(SIZES + settings)


def run(folder: Path, workers: int = 1) -> Result:
    words = ["run", "--iterations", "3", "--workers", str(workers), "--db", str(folder / "population.db")]
    return CliRunner().invoke(cli, words)


def null(folder: Path) -> Result:
    words = ["null", "--iterations", "3", "--runs", "2", "--processes", "1"]
    return CliRunner().invoke(cli, [*words, "--db", str(folder / "population.db")])


def said(found: Result) -> str:
    """The line for people; it ends with the exit code of what the user wrote, without a traceback."""
    assert (found.exit_code, type(found.exception)) == (2, SystemExit)
    assert "Traceback" not in found.output
    (line,) = (one for one in found.stderr.splitlines() if one.startswith("error: "))
    return line


@pytest.mark.parametrize("workers", [1, 3])
def test_it_is_refused_by_name(folder: Path, workers: int) -> None:
    """A line for people, however many workers met it; and so again."""
    for _ in range(2):
        assert said(run(folder, workers)) == (
            "error: the rule 'idle.lazy' neither decides nor names a document; mend its `step` (search.survival)"
        )


def test_a_null_run_refuses_it_too(folder: Path) -> None:
    """`evolve null` simulates the very rule, and says the same."""
    assert said(null(folder)) == (
        "error: the rule 'idle.lazy' neither decides nor names a document; mend its `step` (search.survival)"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("1 / 0", "raises ZeroDivisionError: division by zero (lazy.py, line 3)"),
        ("True", "returns True, which is neither a Measure nor a Survival"),
        ("Measure((), ('gone',))", "returns a Measure that names 'gone', which is none of contest.documents"),
    ],
)
def test_a_step_that_fails(folder: Path, answer: str, told: str) -> None:
    """What it does, and in which iteration; the same of a run and of a null run."""
    written(folder, LAZY.replace("Measure((), ())", answer))
    wanted = f"{BROKEN}`step` in iteration 1 {told}{SURVIVAL}"
    assert (said(run(folder)), said(null(folder))) == (wanted, wanted)


def test_a_step_that_fails_for_several_workers(folder: Path) -> None:
    """One line, of one of them."""
    written(folder, LAZY.replace("Measure((), ())", "1 / 0"))
    line = said(run(folder, workers=3))
    assert line.startswith(f"{BROKEN}`step` in iteration ")
    assert line.endswith(f" raises ZeroDivisionError: division by zero (lazy.py, line 3){SURVIVAL}")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("def step(contest:\n", "SyntaxError: '(' was never closed (lazy.py, line 1)"),
        ("LIMIT = {}['limit']\n", "KeyError: 'limit' (lazy.py, line 1)"),
        ("import no_such_thing\n", "ModuleNotFoundError: No module named 'no_such_thing' (lazy.py, line 1)"),
    ],
)
def test_a_module_that_does_not_load(folder: Path, rule: str, told: str) -> None:
    """What Python raised while it read the module, and where."""
    written(folder, rule)
    wanted = f"error: the rule 'idle.lazy' does not load: it raises {told}{UNLOADED}"
    assert (said(run(folder)), said(null(folder))) == (wanted, wanted)


@pytest.mark.parametrize("answer", ["-1", "2.0", "True"])
def test_a_record_of_no_length(folder: Path, answer: str) -> None:
    """Before anything is measured."""
    written(folder, LAZY.replace("return 0", f"return {answer}"))
    wanted = f"{BROKEN}`record` returns {answer}, which is no int of 0 or more{SURVIVAL}"
    assert (said(run(folder)), said(null(folder))) == (wanted, wanted)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("standings[7]", "raises IndexError: list index out of range (lazy.py, line 7)"),
        ("None", "returns None, which is no Choice"),
    ],
)
def test_a_selection_rule_that_fails(folder: Path, answer: str, told: str) -> None:
    """The setting that it is of, and our rules of that kind."""
    rule = f"{KEEPING}def select(standings, children, pressure, rng):\n    return {answer}\n"
    written(folder, rule, "survival = 'idle.lazy'\nselection = 'idle.lazy'\n")
    wanted = f"{BROKEN}`select` {told}{SELECTION}"
    assert (said(run(folder)), said(null(folder))) == (wanted, wanted)


def test_a_rule_that_is_mended_goes_on(folder: Path) -> None:
    """The run stands, and the same command ends it."""
    written(folder, LAZY.replace("Measure((), ())", "1 / 0"))
    assert run(folder).exit_code == 2
    sys.modules.pop("idle.lazy")
    written(folder, KEEPING)
    assert run(folder).exit_code == 0
