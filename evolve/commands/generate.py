"""The command `generate`: a chosen scaffold over documents -> a JSONL file of accepted examples."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from evolve.commands.common import as_json as json_option
from evolve.commands.common import budget, database, draw, examples, limits, run_name
from evolve.commands.completing import complete_candidate
from evolve.commands.live import interruptible, watch
from evolve.layout import Layout
from evolve.report import figures, views
from evolve.report.journal import Receipt
from evolve.report.store import as_json, opened, resolve
from harness.errors import BudgetSpent, UsageError

if TYPE_CHECKING:
    from evolve.production import Production

EXAMPLES = examples(
    "evolve generate  # 100 examples with the best scaffold",
    "evolve generate best -n 1000 --out data.jsonl --docs papers/",
    "evolve generate c12 -n 50 --budget-usd 5",
    "evolve generate --passes 3  # up to three tries at each document",
)


@click.command(epilog=EXAMPLES)
@click.argument("name", metavar="[ID]", default="best", shell_complete=complete_candidate)
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
@click.option(
    "--other-instrument",
    is_flag=True,
    help="Also if models, gate or prompts are not those the run was measured with.",
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
    other_instrument: bool,
    db: Path,
    run_name: str | None,
    json_output: bool,
    **flags: Any,
) -> None:
    """Make accepted examples with a scaffold (c12, best, c0, the start of a commit), one JSON line each.

    The same command goes on after an interruption and pays for nothing twice: calls are kept in OUT.calls.db. A --budget
    option limits what the whole file may cost. With --json the last line is the result, those before it tell the progress.

    Exit code 0 when the file holds -n examples; 1 when the documents are used up or the budget is spent before that; 4
    when the budget is spent before the first example.
    """
    from evolve.production import Job, produce
    from harness.budget import BudgetLimits

    with opened(db, run_name) as store:
        candidate, run = resolve(store, name), store.run.run
    if not out.absolute().parent.is_dir():
        raise UsageError(f"{str(out.parent)!r} is no folder; make it, or name another file with --out")
    layout = Layout(db.absolute().parent, db.absolute(), run)
    allowed = BudgetLimits(**limits(flags))
    job = Job(layout, candidate, out, wanted, passes, docs, allowed, other_instrument)
    found = interruptible(
        produce(job, lambda one: watch(one, json_output)),
        lambda: f"{str(out)!r} holds {held(out):,} of {wanted:,} examples, the same command goes on",
    )
    if json_output:
        facts = {"event": "summary", "out": str(out), "wanted": wanted, "cost_of_one": found.cost_of_one}
        click.echo(as_json({**facts, **vars(found)}))
    else:
        draw(result(found, out, wanted))
    if found.tally.accepted < wanted:
        fall_short(found, out)


def held(out: Path) -> int:
    """How many lines a file has."""
    try:
        with out.open("rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0


def fall_short(found: "Production", out: Path) -> None:
    """Say why there are fewer than wanted, and what helps.

    Raises:
        BudgetSpent: it was spent before the first example. Exit: there are some, or the documents are used up.
    """
    if found.message and not found.tally.accepted:
        raise BudgetSpent(
            f"{found.message}, but not one example was made; the same command with a larger budget goes on"
        )
    remedy = (
        f"{found.message}; {str(out)!r} keeps what it holds, the same command with a larger budget goes on"
        if found.message
        else "the documents are used up; --passes tries each again, --docs names more"
    )
    click.echo(f"stopped: {remedy}", err=True)
    raise click.exceptions.Exit(1)


def result(found: "Production", out: Path, wanted: int) -> Table:
    """What was made, of how many rollouts, and what it cost."""
    tally, source = found.tally, found.provenance
    simulated = ", simulated: no examples of real models" if source.simulated else ""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    grid.add_row("file", str(out))
    grid.add_row("examples", f"{tally.accepted:,}{of(tally.accepted, wanted)}{simulated}")
    mix = Text()
    for outcome, number in sorted(tally.outcomes.items(), key=lambda one: -one[1]):
        mix.append(", " if mix.plain else "").append(f"{number:,} ").append_text(views.outcome(outcome))
    share = f" ({tally.outcomes.get('accepted', 0) / tally.rollouts:.0%} accepted)" if tally.rollouts else ""
    rollouts = Text(f"{tally.rollouts:,} over {found.documents:,} documents{': ' if mix.plain else ''}")
    grid.add_row("rollouts", rollouts.append_text(mix).append(share))
    grid.add_row(
        "scaffold", f"{source.candidate} ({source.commit[:8]}) of {source.run}, sandbox {source.sandbox}"
    )
    grid.add_row("instrument", f"{source.instrument}, domain {source.domain}, preset {source.preset}")
    note = ", notional prices of simulated models" if source.simulated else ""
    grid.add_row("paid now", paid(found.paid))
    each = "" if found.cost_of_one is None else f", {figures.money(found.cost_of_one)} an accepted example"
    grid.add_row("paid in all", f"{paid(found.paid_in_all)}{each}{note}")
    return grid


def of(number: int, wanted: int) -> str:
    """How many were wanted, unless there are more."""
    return f" of {wanted:,} wanted" if number <= wanted else f", {wanted:,} wanted"


def paid(one: Receipt) -> str:
    """Calls, tokens and dollars."""
    return f"{one.calls:,} calls, {figures.amount(one.tokens)} tokens, {figures.money(one.cost)}"
