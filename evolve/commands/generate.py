"""The command `generate`: a chosen scaffold over documents -> a JSONL file of accepted examples."""

import asyncio
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from evolve.commands.common import as_json as json_option
from evolve.commands.common import budget, database, draw, limits, run_name
from evolve.layout import Layout
from evolve.production import Job, Production, produce
from evolve.report import figures, views
from evolve.report.store import as_json, opened, resolve
from harness.budget import BudgetLimits
from harness.errors import BudgetSpent, UsageError


@click.command()
@click.argument("name", metavar="ID", default="best")
@click.option(
    "-n", "wanted", type=click.IntRange(min=1), default=100, show_default=True, help="How many examples."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("examples.jsonl"),
    show_default=True,
    help="The file; examples that it holds already count.",
)
@click.option(
    "--docs",
    type=click.Path(path_type=Path, exists=True),
    help="Folder or file; else the training documents.",
)
@click.option(
    "--passes", type=click.IntRange(min=1), default=1, show_default=True, help="Tries at each document."
)
@budget
@database
@run_name
@json_option
def generate(
    name: str,
    wanted: int,
    out: Path,
    docs: Path | None,
    passes: int,
    db: Path,
    run_name: str | None,
    json_output: bool,
    **flags: Any,
) -> None:
    """Make accepted examples with a scaffold (c12, best, c0, the start of a commit), one JSON line each.

    The same command goes on after an interruption and pays for nothing twice: calls are kept in OUT.calls.db.
    """
    with opened(db, run_name) as store:
        candidate, run = resolve(store, name), store.run.run
    if not out.absolute().parent.is_dir():
        raise UsageError(f"{str(out.parent)!r} is no folder; make it, or name another file with --out")
    layout = Layout(db.absolute().parent, db.absolute(), run)
    job = Job(layout, candidate, out, wanted, passes, docs, BudgetLimits(**limits(flags)))
    try:
        found = asyncio.run(produce(job))
    except BudgetSpent as spent:
        raise BudgetSpent(
            f"{spent}; {str(out)!r} keeps what it holds, the same command with more goes on"
        ) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo(f"interrupted; {str(out)!r} keeps what it holds, the same command goes on", err=True)
        raise KeyboardInterrupt from None
    if json_output:
        click.echo(as_json({"out": str(out), "wanted": wanted, **vars(found)}))
    else:
        draw(result(found, out, wanted))


def result(found: Production, out: Path, wanted: int) -> Table:
    """What was made, of how many rollouts, and what it cost in this start."""
    tally, source = found.tally, found.provenance
    simulated = ", simulated: no examples of real models" if source.simulated else ""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    grid.add_row("file", str(out))
    grid.add_row("examples", f"{tally.accepted:,} of {wanted:,} wanted{simulated}")
    mix = Text()
    for outcome, number in sorted(tally.outcomes.items(), key=lambda one: -one[1]):
        mix.append(", " if mix.plain else "").append(f"{number:,} ").append_text(views.outcome(outcome))
    grid.add_row("rollouts", Text(f"{tally.rollouts:,} on {found.documents:,} documents: ").append_text(mix))
    grid.add_row(
        "scaffold", f"{source.candidate} ({source.commit[:8]}) of {source.run}, sandbox {source.sandbox}"
    )
    grid.add_row("instrument", f"{source.instrument}, preset {source.preset}")
    note = " (notional)" if source.simulated else ""
    tokens = figures.amount(found.tokens)
    grid.add_row("paid now", f"{found.calls:,} calls, {tokens} tokens, {figures.money(found.cost)}{note}")
    if tally.accepted < wanted:
        grid.add_row("", "the documents are used up; --passes tries each again, --docs names more")
    return grid
