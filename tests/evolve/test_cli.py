"""The command line: what it prints, how it fails, and how little it imports."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evolve.cli import COMMANDS, cli

HEAVY = ("openai", "numpy", "git", "sqlite_utils", "pydantic", "rich", "asyncio")
WITHOUT_DATABASE = ("init", "completion", "config", "models")  # some are groups: their commands have it
READING = (
    "status",
    "log",
    "log --all",
    "lineage",
    "runs",
    "test",
    "best",
    "show c0",
    "show 0",
    "diff c0",
    "verify",
    "export c0 --patch -",
)


def call(folder: Path, command: str, *more: str) -> Result:
    return CliRunner().invoke(cli, [*command.split(), *more, "--db", str(folder / "population.db")])


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True
    )


def test_nothing_heavy_is_imported_for_help() -> None:
    """`evolve --help` lists every command and needs none of the large packages."""
    code = (
        "import sys, evolve.cli\nfrom click.testing import CliRunner\n"
        "print(CliRunner().invoke(evolve.cli.cli, ['--help']).output)\n"
        f"print('HEAVY', [one for one in {HEAVY!r} if one in sys.modules])"
    )
    bare = python(f"import sys, click.testing; print([one for one in {HEAVY!r} if one in sys.modules])")
    done = python(code)
    assert done.stdout.splitlines()[-1] == f"HEAVY {bare.stdout.strip()}"
    assert all(re.search(rf"^  {name} ", done.stdout, re.MULTILINE) for name in COMMANDS)
    assert "Exit codes" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """Each command can be loaded, and its help begins as the list of commands says."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert ("--db" in result.output) == (name not in WITHOUT_DATABASE)


def test_run_prints_json_lines(finished: Path) -> None:
    """`run --json` prints progress objects and ends with a summary that holds scores and differences."""
    lines = [json.loads(line) for line in (finished / "output.jsonl").read_text().splitlines()]
    assert {one["event"] for one in lines[:-1]} == {"progress"}
    assert (lines[-1]["event"], lines[-1]["outcome"], lines[-1]["iterations"]) == ("summary", "finished", 3)
    assert lines[-1]["baseline"]["test"]["interval"]["trials"] + lines[-1]["baseline"]["test"]["missing"] == 4
    assert lines[-1]["simulated_roles"]


def test_a_finished_run_is_not_run_again(finished: Path) -> None:
    """The same command on a finished run makes no call and shows the closing table."""
    before = json.loads(call(finished, "status --json").output)
    result = call(finished, "run --iterations 3")
    assert result.exit_code == 0
    assert "0 calls" in result.stderr
    assert "test, held out" in result.stdout
    after = json.loads(call(finished, "status --json").output)
    assert after["spend"] == before["spend"]
    assert after["outcomes"] == before["outcomes"]


@pytest.mark.parametrize("command", READING)
def test_reading_commands_print_one_object(finished: Path, command: str) -> None:
    """With --json there is one JSON object on stdout and nothing else; without, no JSON and no colour."""
    plain = call(finished, command)
    assert plain.exit_code == 0, plain.output
    assert "\x1b" not in plain.output
    assert all(
        line == line.rstrip()
        for line in plain.output.splitlines()
        if not command.startswith(("diff", "export"))
    )
    if "--patch -" not in command:
        found = json.loads(call(finished, command, "--json").stdout)
        assert isinstance(found, dict)


@pytest.mark.parametrize("command", ["status", "best", "lineage --all", "show c0", "show 1"])
def test_scores_are_shown_with_all_they_need(finished: Path, command: str) -> None:
    """Every line with a score has its interval, its trials, and the word simulated."""
    lines = [line for line in call(finished, command).output.splitlines() if re.search(r"\d\.\d\d \[", line)]
    assert lines
    for line in lines:
        assert re.search(
            r"\[[+-]?\d\.\d\d, [+-]?\d\.\d\d\] n=\d+( pairs?| documents?, \d+\+\d+ rollouts)?, simulated",
            line,
        ), line


def test_show_holds_the_trajectories(finished: Path) -> None:
    """`show` tells what happened on each document; with --trace every word that was said, with --document only there."""
    short = call(finished, "show 0").output
    full = call(finished, "show 0 --trace").output
    found = json.loads(call(finished, "show 0 --json").output)
    first, second = found["rollouts"]["baseline"][:2]
    asked = next(step for step in first["steps"] if step["kind"] == "ask")
    words = asked["reply"].split()[:6]
    assert first["name"] in short
    assert len(full) > 5 * len(short)
    assert all(word in full for word in words)
    only = call(finished, "show 0 --trace --document", first["name"]).output
    assert first["name"] in only
    assert f"{second['name']}  " not in only


def test_show_of_an_iteration_holds_its_edit(finished: Path) -> None:
    """An iteration's exchanges with analyzer and implementer are shown with --trace."""
    assert "analyzer asked" in call(finished, "show 1 --trace --side edit").output
    assert "analyzer asked" not in call(finished, "show 1").output


def test_diff_and_export_agree(finished: Path, tmp_path: Path) -> None:
    """The printed diff is the exported patch; the exported folder holds the scaffold's files, and is not overwritten."""
    number = next(
        (
            one["child"]
            for one in json.loads(call(finished, "log --json").output)["iterations"]
            if one["child"] not in (None, "c0")
        ),
        "c0",
    )
    patch = call(finished, f"export {number} --patch", str(tmp_path / "x.patch"))
    assert patch.exit_code == 0
    assert (tmp_path / "x.patch").read_text() == call(finished, f"diff {number}").output
    folder = tmp_path / "scaffold"
    assert call(finished, f"export {number} --to", str(folder)).exit_code == 0
    assert (folder / "agent.py").is_file()
    again = call(finished, f"export {number} --to", str(folder))
    assert again.exit_code == 2
    assert "is there already" in again.output
    reversed_diff = call(finished, f"diff {number} c0").output
    assert reversed_diff.count("\n+") == (tmp_path / "x.patch").read_text().count("\n-")


def test_verify_fails_with_findings(finished: Path, tmp_path: Path) -> None:
    """Findings are printed with their check, and the exit code is 1."""
    import shutil

    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    next((copy / "runs/run-001/traces").glob("*-baseline.jsonl")).unlink()
    result = call(copy, "verify")
    assert result.exit_code == 1
    assert re.search(r"BAD each trace is there.*\n.*000000-baseline", result.output)
    found = json.loads(call(copy, "verify --json").output)
    assert found["agrees"] is False


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("status --run nope", 2, "its runs are run-001"),
        ("show c99", 2, "no candidate 'c99'"),
        ("show 99", 2, "no iteration 99"),
        ("show 1 --side baseline", 2, "no baseline trace"),
        ("show 1 --side edit --document x", 2, "an edit has no documents"),
        ("show 0 --document nowhere", 2, "no document here has 'nowhere' in its name"),
        ("test c99", 2, "no candidate 'c99'"),
        ("runs pick nope", 2, "its runs are run-001"),
        ("runs pick", 2, "--newest"),
        ("runs delete nope", 2, "there is no run 'nope'"),
        ("runs delete run-001", 2, "give --yes"),
        ("export c0", 2, "--to FOLDER"),
        ("generate c0 --out nowhere/x.jsonl", 2, "no folder"),
        ("run --models config", 2, "models.default"),
        ("run --seed 5", 2, "search.seed"),
    ],
)
def test_errors_are_one_line_for_people(finished: Path, command: str, code: int, message: str) -> None:
    """What was wrong stands after `error:` on stderr, without a traceback, and the exit code says whose fault it is."""
    result = call(finished, command)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_database_is_an_error(tmp_path: Path) -> None:
    """Reading where nothing was run says how to begin, and makes no file."""
    result = call(tmp_path, "status")
    assert result.exit_code == 1
    assert "`evolve run` makes one" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_budget_spent_before_the_first_iteration(tmp_path: Path) -> None:
    """A budget too small for one iteration ends with exit code 4 and says so."""
    sizes = "[documents]\nvalidation = 2\ntest = 2\nminibatch = 1\n"
    (tmp_path / "evolve.toml").write_text(f"{sizes}[search]\neffect = 0.5\nblock = 3\noverlook = 0.9\n")
    result = call(tmp_path, "run --iterations 2 --budget-calls 3")
    assert result.exit_code == 4
    assert "not one iteration is done" in result.stderr


def test_no_color_is_honoured() -> None:
    """NO_COLOR takes the colour out of errors and pictures, FORCE_COLOR puts it into pictures."""
    code = "import sys; from evolve.cli import main; sys.argv = ['evolve', *sys.argv[1:]]; main()"
    done = python(code, "status", "--db", "missing.db", NO_COLOR="1", FORCE_COLOR="1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no database")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("statu", "there is no command 'statu'; did you mean 'status'?"),
        ("run --sede 1", "no such option '--sede'; did you mean"),
        ("run --seed x", "'--seed': 'x' is not a whole number. `evolve run --help` tells more."),
        ("run --budget-usd x", "'--budget-usd': 'x' is not a number."),
        ("run --docs nowhere", "'nowhere' does not exist"),
        ("run --run=", "`evolve runs` lists the names"),
        ("status --run=", "`evolve runs` lists the names"),
    ],
)
def test_what_click_refuses_reads_like_our_own_errors(command: str, message: str, tmp_path: Path) -> None:
    """A wrong argument is one line after `error:`, exit code 2, and leaves nothing behind."""
    code = "import os, sys; from evolve.cli import main; os.chdir(sys.argv.pop(1)); main()"
    done = python(code, str(tmp_path), *command.split(), NO_COLOR="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []
