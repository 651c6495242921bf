"""What commands share: the pager, colours, examples."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.cli import COMMANDS, cli
from evolve.commands.common import examples, pageable, understands_colour

LONG = """
from rich.text import Text
from evolve.commands.common import page
page(*(Text(f"line {i}", "red") for i in range(LINES)))
"""


def on_a_terminal(code: str, **environment: str) -> str:
    """What a terminal of 24 lines is sent by a Python program; input is at its end."""
    ours, theirs = pty.openpty()
    known = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=known | environment
    )
    os.close(theirs)
    found = b""
    while True:
        try:
            chunk = os.read(ours, 65536) if select.select([ours], [], [], 90)[0] else b""
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        found += chunk
    os.close(ours)
    assert process.wait(90) == 0, found
    return found.decode()


@pytest.fixture
def pager(tmp_path: Path) -> str:
    """A pager that says what it is and shows three lines: whoever writes to it finds it gone early."""
    path = tmp_path / "less"
    path.write_text('#!/bin/sh\necho "PAGED with $LESS"\nhead -n 3\n')
    path.chmod(0o755)
    return str(path)


def long(lines: int) -> str:
    return LONG.replace("LINES", str(lines))


def test_what_is_taller_than_the_screen_is_paged(pager: str) -> None:
    """The pager gets it in colour; that it ends before everything is read is no error."""
    found = on_a_terminal(long(50_000), PAGER=pager)
    assert "PAGED with -FRX" in found
    assert "\x1b[31mline 2" in found
    assert "line 400" not in found
    assert "Traceback" not in found


def test_what_fits_is_not_paged(pager: str) -> None:
    """A short picture is printed as it is."""
    found = on_a_terminal(long(10), PAGER=pager)
    assert "PAGED" not in found
    assert "line 9" in found


@pytest.mark.parametrize("no", [{"PAGER": "cat"}, {"PAGER": ""}, {"NO_PAGER": "1"}, {"TERM": "dumb"}])
def test_a_pager_can_be_refused(pager: str, no: dict[str, str]) -> None:
    """With PAGER=cat, an empty PAGER, NO_PAGER or a dumb terminal everything is printed."""
    found = on_a_terminal(long(100), **({"PAGER": pager} | no))
    assert "PAGED" not in found
    assert "line 99" in found


def test_no_color_is_kept_by_the_pager(pager: str) -> None:
    """NO_COLOR takes the colour out of what is paged, too."""
    found = on_a_terminal(long(100), PAGER=pager, NO_COLOR="1")
    assert "PAGED" in found
    assert "\x1b[31m" not in found


def test_a_missing_pager_is_no_error() -> None:
    """Where the pager is not installed the text is printed."""
    assert "line 99" in on_a_terminal(long(100), PAGER="no-such-pager-here", PATH="/nowhere")


def test_nothing_is_paged_into_a_pipe(pager: str) -> None:
    """Without a terminal there is no pager, whatever the environment says."""
    done = subprocess.run(
        [sys.executable, "-c", long(100)],
        env={"PAGER": pager, "TERM": "xterm", "FORCE_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PAGED" not in done.stdout
    assert "line 99" in done.stdout
    assert not pageable({"TERM": "xterm"})


@pytest.mark.parametrize(
    ("environment", "passed_on"),
    [
        ({"LESS": "-FRX"}, True),
        ({"LESS": "FRX"}, True),
        ({"LESS": "FX"}, False),
        ({"LESS": "FX", "PAGER": "/usr/bin/less -R"}, True),
        ({"LESS": "-R", "PAGER": "more"}, False),
        ({"LESS": "-R", "PAGER": "less 'open"}, False),
    ],
)
def test_colour_goes_to_a_less_that_passes_it_on(environment: dict[str, str], passed_on: bool) -> None:
    """Only less with -R or -r shows colours and not their codes."""
    assert understands_colour(environment) is passed_on


def test_examples_are_aligned() -> None:
    """Comments stand in one column, a line without one is left alone, and click is told not to wrap."""
    text = examples("evolve log", "evolve log --json  # for a program", "evolve show best  # the winner")
    assert text.splitlines() == [
        "\b",
        "Examples:",
        "  evolve log",
        "  evolve log --json  # for a program",
        "  evolve show best   # the winner",
    ]
    wide = examples("evolve x  # " + "long " * 12, "evolve x --option value --another  # short").splitlines()
    assert wide[2].startswith("  evolve x  # long")
    assert max(map(len, wide)) <= 78


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_fit(name: str) -> None:
    """The help of each command ends with examples of itself, on lines that fit a small terminal."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    _, _, shown = result.stdout.partition("Examples:\n")
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    assert lines
    assert all(f"evolve {name}" in line for line in lines)
    assert max(map(len, result.stdout.splitlines())) <= 80
