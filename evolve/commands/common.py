"""What commands share: the options that choose a run, examples in a help, and where output goes."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console, RenderableType

from evolve.commands.completing import complete_run

C = TypeVar("C", bound=Callable[..., Any])
PIPE_WIDTH = 120
DATABASE = Path("population.db")
LESS = "-FRX"
EXAMPLE_WIDTH = 70  # with margins and the sign of the comment 78


def named(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A name that was given is no empty one, as an unset variable of a shell gives it."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty; `evolve runs` lists the names.", param=parameter)
    return value


database = click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DATABASE,
    show_default=True,
    help="The database. runs/, evolve.toml and baseline_repo/ lie beside it.",
)
run_name = click.option(
    "--run",
    "run_name",
    metavar="NAME",
    callback=named,
    help="Which run; by default the one that was picked, else the newest.",
    shell_complete=complete_run,
)
as_json = click.option("--json", "json_output", is_flag=True, help="Print one JSON object.")


BUDGET = (
    click.option(
        "--budget-usd", "cost", type=click.FloatRange(min=0), help="Stop before it costs more US dollars."
    ),
    click.option("--budget-calls", "calls", type=click.IntRange(min=0), help="Stop before more model calls."),
    click.option("--budget-tokens", "tokens", type=click.IntRange(min=0), help="Stop before more tokens."),
    click.option(
        "--budget-seconds", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds."
    ),
)


def budget(command: C) -> C:
    """The options of every command that pays for calls."""
    for option in reversed(BUDGET):
        command = option(command)
    return command


SIMULATION = (
    click.option(
        "--iterations", type=click.IntRange(min=1), help="Length of a run.  [default: as the run, else 50]"
    ),
    click.option(
        "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the simulation."
    ),
    click.option("--processes", type=click.IntRange(min=1), help="How many at once.  [default: one a core]"),
    click.option(
        "--new", is_flag=True, help="With the settings of a new run, although there is one that would go on."
    ),
)


def simulation(command: C) -> C:
    """The options of every command that simulates runs."""
    for option in reversed(SIMULATION):
        command = option(command)
    return command


def limits(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that were given, by their names in the settings."""
    return {key: flags[key] for key in ("calls", "tokens", "cost", "seconds") if flags[key] is not None}


def reading(command: C) -> C:
    """The options of every command that reads."""
    return database(run_name(as_json(command)))


def examples(*lines: str) -> str:
    """The end of a help: `@click.command(epilog=examples("evolve log", "evolve log --json  # for a program"))`.

    What follows the first `  # ` of a line is aligned where there is room; no line is wrapped.
    """
    pairs = [line.partition("  # ")[::2] for line in lines]
    width = max((len(command) for command, note in pairs if note), default=0)
    return "\n".join(("\b", "Examples:", *(f"  {example(*pair, width)}" for pair in pairs)))


def example(command: str, note: str, width: int) -> str:
    """A command and what it does, the latter in the column after `width` unless that were too far to the right."""
    aligned = width if width + len(note) <= EXAMPLE_WIDTH else 0
    return f"{command:<{aligned}}  # {note}" if note else command


def console(stderr: bool = False) -> Console:
    """Where pictures are drawn: in colour on a terminal; elsewhere plain and wide enough for tables."""
    stream = sys.stderr if stderr else sys.stdout
    made = Console(file=stream, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = max(PIPE_WIDTH, made.width)
    return made


def draw(*parts: RenderableType) -> None:
    """Print pictures on stdout; into a file or a pipe without the blanks that fill a terminal's lines."""
    out = console()
    if out.is_terminal:
        for part in parts:
            out.print(part)
        return
    click.echo("\n".join(line.rstrip() for line in captured(out, parts).splitlines()))


def page(*parts: RenderableType) -> None:
    """As `draw`, but what is taller than the screen goes through the user's pager; leaving that early is no error."""
    out = console()
    if not pageable(os.environ) or (text := captured(out, parts)).count("\n") < out.height:
        draw(*parts)
        return
    os.environ.setdefault("LESS", LESS)
    colour = True if understands_colour(os.environ) else None
    click.echo_via_pager(text.rstrip("\n"), color=colour)


def captured(out: Console, parts: tuple[RenderableType, ...]) -> str:
    """What printing the parts would put on the screen, escape sequences included."""
    with out.capture() as caught:
        for part in parts:
            out.print(part)
    return caught.get()


def pageable(environment: Mapping[str, str]) -> bool:
    """Whether somebody sits at a screen that can page and has not said no: PAGER=cat, PAGER= or NO_PAGER."""
    refused = environment.get("NO_PAGER") or environment.get("PAGER", "less").strip() in ("", "cat")
    able = environment.get("TERM", "dumb") not in ("dumb", "unknown", "")
    return able and not refused and sys.stdin.isatty() and sys.stdout.isatty()


def understands_colour(environment: Mapping[str, str]) -> bool:
    """Whether the pager is less, and told to pass colours on; click finds out about other pagers."""
    try:
        command, *options = shlex.split(environment.get("PAGER", "less"))
    except ValueError:
        return False
    letters = environment.get("LESS", "") + "".join(one for one in options if not one.startswith("--"))
    return Path(command).name == "less" and "r" in letters.lower()
