"""The command `runs`: list, pick and delete runs."""

import asyncio
import sys
from pathlib import Path

import click

from evolve import picking
from evolve.commands.common import as_json as json_option
from evolve.commands.common import console, database, draw, examples
from evolve.commands.completing import complete_run
from evolve.opening import run_names
from evolve.removal import Remains, left_behind, remains, size
from evolve.removal import delete as remove
from evolve.report import figures
from evolve.report import runs as listing
from evolve.report.store import as_json, opened
from harness.errors import UsageError

MANY = 8
EXAMPLES = examples(
    "evolve runs  # all of them",
    "evolve runs pick run-002  # commands mean this one from now on",
    "evolve runs pick --newest  # the newest again",
    "evolve runs delete run-001",
)


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@database
@json_option
@click.pass_context
def runs(ctx: click.Context, db: Path, json_output: bool) -> None:
    """List, pick and delete runs; without a command they are listed."""
    if ctx.invoked_subcommand is None:
        show(db, json_output)
    ctx.default_map = {name: {"db": db, "json_output": json_output} for name in runs.commands}


@runs.command(
    "list",
    short_help="Every run with its state, best candidate, cost and size.",
    epilog=examples("evolve runs list", "evolve runs list --json  # for a program"),
)
@database
@json_option
def list_runs(db: Path, json_output: bool) -> None:
    """Every run: state, iterations done and asked for, best candidate, cost of what is recorded, size on the disk."""
    show(db, json_output)


@runs.command(
    short_help="Choose the run that commands mean by default.",
    epilog=examples("evolve runs pick run-002", "evolve runs pick --newest"),
)
@click.argument("name", required=False, shell_complete=complete_run)
@click.option("--newest", is_flag=True, help="Forget the pick: the newest run is meant again.")
@database
@json_option
def pick(name: str | None, newest: bool, db: Path, json_output: bool) -> None:
    """Make a run the one that is meant where a command names none; starting a new run ends that."""
    if (name is None) == (not newest):
        raise UsageError(
            "name the run to pick, or give --newest to forget the pick; `evolve runs` lists them"
        )
    known = run_names(db.absolute())
    if name is None:
        picking.unpick(db.absolute())
    elif name in known:
        picking.pick(db.absolute(), name)
    else:
        raise UsageError(
            f"there is no run {name!r} in {str(db)!r}; its runs are {', '.join(known) or 'none'}"
        )
    meant = picking.default(db.absolute(), known)
    if json_output:
        click.echo(as_json({"default": meant, "picked": name}))
    else:
        click.echo(f"commands that name no run mean {meant} now" if meant else "there is no run yet")


@runs.command(
    short_help="Delete a run for good, after asking.",
    epilog=examples("evolve runs delete run-001", "evolve runs delete run-001 --yes  # in a script, unasked"),
)
@click.argument("name", shell_complete=complete_run)
@click.option("--yes", is_flag=True, help="Do not ask.")
@database
@json_option
def delete(name: str, yes: bool, db: Path, json_output: bool) -> None:
    """Delete a run for good: its rows in the database and its folder with candidates, traces and journal.

    It is refused while the run, or another one of the same database, is going on. Killed half-way, it leaves a folder
    without rows, which `evolve runs` shows and this command removes.
    """
    found = remains(db.absolute(), name)
    if not yes:
        confirm(found)
    asyncio.run(remove(db.absolute(), found))
    if json_output:
        click.echo(as_json({"deleted": found.run, "rows": found.rows, "octets": found.octets}))
    else:
        click.echo(f"{found.run} is deleted")


def show(db: Path, json_output: bool) -> None:
    """The list, as a picture or as one object."""
    database = db.absolute()
    names = run_names(database)
    meant = picking.default(database, names)
    rows = []
    for name in names:
        with opened(database, name) as store:
            rows.append(listing.row(store, size(store.folder), meant))
    left = [(name, size(database.parent / "runs" / name)) for name in left_behind(database)]
    if notice := picking.stale(database, names):
        click.echo(notice, err=True)
    if json_output:
        without = [{"run": name, "octets": octets} for name, octets in left]
        click.echo(as_json({"default": meant, "runs": rows, "without_rows": without}))
    elif rows or left:
        draw(listing.drawn(rows, left, console().width))
    else:
        click.echo(f"there is no run in {str(db)!r} yet; `evolve run` starts one")


def confirm(found: Remains) -> None:
    """Say what goes, and ask.

    Raises:
        UsageError: nobody is there to answer. Exit: the answer is no.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"deleting {found.run!r} needs a yes: nobody can be asked here, so give --yes")
    click.echo("\n".join(described(found)), err=True)
    if not click.confirm(f"Delete {found.run}? It cannot be undone.", err=True):
        click.echo("nothing is deleted", err=True)
        raise click.exceptions.Exit(1)


def described(found: Remains) -> list[str]:
    """What goes with a run, a line each."""
    rows = sum(found.rows.values())
    most = sorted(found.rows.items(), key=lambda one: -one[1])[:MANY]
    named = ", ".join(f"{number:,} {table}" for table, number in most)
    paid, tokens = found.receipt, figures.amount(found.receipt.tokens)
    return [
        f"rows:   {rows:,} in the database ({named})" if rows else "rows:   none, no database here knows it",
        f"folder: {found.folder} ({figures.size(found.octets)}: candidates, traces, journal)",
        f"paid:   {paid.calls:,} calls, {tokens} tokens, {figures.money(paid.cost)}; calls.db in it is the only receipt",
    ]
