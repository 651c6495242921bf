"""What commands share: the options that choose a run, and where output goes."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console, RenderableType

C = TypeVar("C", bound=Callable[..., Any])
PIPE_WIDTH = 120

database = click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("population.db"),
    show_default=True,
    help="The database. runs/, evolve.toml and baseline_repo/ lie beside it.",
)
run_name = click.option("--run", "run_name", metavar="NAME", help="Which run; the newest by default.")
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


def limits(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that were given, by their names in the settings."""
    return {key: flags[key] for key in ("calls", "tokens", "cost", "seconds") if flags[key] is not None}


def reading(command: C) -> C:
    """The options of every command that reads."""
    return database(run_name(as_json(command)))


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
    with out.capture() as captured:
        for part in parts:
            out.print(part)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
