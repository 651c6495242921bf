"""The command `doctor`."""

import asyncio
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from evolve.checks import Finding, State
from evolve.checks.doctor import examine
from evolve.commands.common import as_json as json_option
from evolve.commands.common import database, draw, examples
from evolve.report.figures import count, visible
from evolve.report.store import as_json

COLOURS: dict[State, str] = {"ok": "green", "warn": "yellow", "bad": "bold red"}
STATE_WIDTH, NAME_WIDTH = 4, 15


@click.command(
    epilog=examples(
        "evolve doctor  # everything, a line each",
        "evolve doctor --json  # for a program",
        "evolve doctor --db /data/evolve/population.db  # another folder",
    )
)
@database
@json_option
def doctor(db: Path, json_output: bool) -> None:
    """Look at everything a run needs here, and say what to do where something is wrong.

    Machine, sandbox, disk, database, locks, settings, keys and endpoints. Changes nothing and calls no model. Exit code
    1 if something is bad, 0 with mere warnings.
    """
    found = asyncio.run(look(db, json_output))
    worst = sum(one.state == "bad" for one in found)
    warnings = sum(one.state == "warn" for one in found)
    if json_output:
        click.echo(as_json({"folder": str(db.absolute().parent), "healthy": not worst, "checks": found}))
    else:
        bad = Text(f"{worst} bad", "bold red") if worst else Text("nothing bad", "green")
        draw(Text.assemble(f"{count(len(found), 'check')}: ", bad, f", {count(warnings, 'warning')}"))
    if worst:
        raise click.exceptions.Exit(1)


async def look(db: Path, json_output: bool) -> list[Finding]:
    """All findings; each is shown as it comes, unless it goes into an object."""
    found = []
    async for one in examine(db):
        found.append(one)
        if not json_output:
            draw(line(one))
    return found


def line(one: Finding) -> Table:
    """A finding with its remedy, wrapped under itself."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=STATE_WIDTH)
    grid.add_column(width=NAME_WIDTH)
    grid.add_column(ratio=1, overflow="fold")
    text = Text(visible(one.found))
    if one.remedy:
        text.append(f"\n→ {visible(one.remedy)}", "bold")
    grid.add_row(Text(one.state, COLOURS[one.state]), one.name, text)
    return grid
