"""Completion as the shells ask for it: through the console script's own entry, by environment variables."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.cli import COMMANDS, cli

ENTRY = "import sys; from evolve.cli import main; sys.argv[0] = 'evolve'; main()"
LOADED = (
    "import sys, atexit; from evolve.cli import main; sys.argv[0] = 'evolve'; "
    "atexit.register(lambda: print('LOADED', [one for one in ('rich', 'pydantic', 'numpy') if one in sys.modules])); main()"
)


def offered(place: Path, *words: str, code: str = ENTRY) -> list[str]:
    """What bash is offered for the last of the words."""
    line = " ".join(("evolve", *words))
    asked = {"_EVOLVE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env=asked, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


def test_commands_are_offered_and_not_imported(tmp_path: Path) -> None:
    """Every command is offered in its order, without loading one; a beginning narrows it."""
    *names, loaded = offered(tmp_path, "", code=LOADED)
    assert names == list(COMMANDS)
    assert loaded == "LOADED []"
    assert offered(tmp_path, "ver") == ["verify"]
    assert "--version" in offered(tmp_path, "--")


def test_runs_are_offered(finished: Path) -> None:
    """--run knows the recorded runs, and only where they are."""
    assert offered(finished, "status", "--run", "") == ["run-001"]
    assert offered(finished, "status", "--run", "x") == []
    assert offered(finished.parent, "status", "--run", "") == []
    database = str(finished / "population.db")
    assert offered(finished.parent, "status", "--db", database, "--run", "r") == ["run-001"]


@pytest.mark.parametrize("command", ["show", "diff", "export", "generate"])
def test_candidates_are_offered(finished: Path, command: str) -> None:
    """Where a scaffold is meant, the words for it and the candidates that exist are offered."""
    found = offered(finished, command, "")
    assert found[:2] == ["best", "baseline"]
    assert found[-1] == "c0"
    assert offered(finished, command, "ba") == ["baseline"]


def test_trouble_with_the_database_offers_nothing(finished: Path, tmp_path: Path) -> None:
    """No database, a damaged one or an unknown run is an empty offer and no message."""
    assert offered(tmp_path, "show", "") == []
    assert offered(finished, "show", "--run", "nope", "") == []
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    (copy / "population.db").write_text("no database" * 100)
    assert offered(copy, "show", "") == []
    assert offered(copy, "status", "--run", "") == []


@pytest.mark.parametrize(("shell", "start"), [("bash", "#"), ("zsh", "#compdef evolve"), ("fish", "#")])
def test_the_script_says_how_to_install_it(shell: str, start: str) -> None:
    """It begins as the shell wants it, has a comment on installing, and calls evolve with the right variable."""
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert result.stdout.startswith(start)
    assert f"evolve completion {shell} > " in result.stdout
    assert f"_EVOLVE_COMPLETE={shell}_complete" in result.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_takes_the_script(finished: Path, tmp_path: Path) -> None:
    """Sourced by bash, with `evolve` on the path, its function fills in candidates."""
    program = tmp_path / "evolve"
    program.write_text(f"#!{sys.executable}\n{ENTRY}\n")
    program.chmod(0o755)
    script = CliRunner().invoke(cli, ["completion", "bash"]).stdout
    asking = "COMP_WORDS=(evolve show b); COMP_CWORD=2; _evolve_completion evolve; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asking}"],
        cwd=finished,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["best", "baseline"], done.stderr


def test_an_unknown_shell_is_refused() -> None:
    """The message names the shells that are known."""
    result = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr
