"""Commands that show a run as a whole: status, log, lineage, best."""

from pathlib import Path

import click
from rich.text import Text

from evolve.commands.common import console, draw, examples, page, reading
from evolve.picking import told
from evolve.report import journal, overview, views
from evolve.report import log as logs
from evolve.report.learning import learning
from evolve.report.operators import operators
from evolve.report.store import Store, as_json, opened
from evolve.report.store import best as best_of

USUAL = 30


@click.command(
    epilog=examples("evolve status", "evolve status --run run-001", "evolve status --json | jq .best")
)
@reading
def status(db: Path, run_name: str | None, json_output: bool) -> None:
    """How a run stands: state, scores, evolution against the control arms, failures, cost. Also while it is going on."""
    with opened(db, run_name) as store:
        found = overview.overview(store)
        learnt = operators(store), learning(store)
        names = journal.several_names(store.folder / "calls.db")
        names_of_runs = store.rows("SELECT run FROM runs ORDER BY created_at, run")
        notice = "" if run_name else told(db, [row["run"] for row in names_of_runs])
    if notice:
        click.echo(notice, err=True)
    if json_output:
        facts = {"search": found.search, "condition": found.condition, "several_model_names": names}
        known = {"operators": learnt[0], "learning": learnt[1]}
        click.echo(as_json({**vars(found), **facts, **known}))
    else:
        draw(views.status(found, names, learnt))


@click.command(
    epilog=examples(
        "evolve log  # the last 30 iterations",
        "evolve log -n 5",
        "evolve log --all | grep survived  # one line an iteration in a pipe",
    )
)
@click.option("-n", "number", type=click.IntRange(min=1), help=f"How many of the last.  [default: {USUAL}]")
@click.option("--all", "everything", is_flag=True, help="Every iteration; so does --json without -n.")
@reading
def log(number: int | None, everything: bool, db: Path, run_name: str | None, json_output: bool) -> None:
    """Iterations and why each ended as it did, the last ones by default."""
    last = number or (None if everything or json_output else USUAL)
    with opened(db, run_name) as store:
        found = overview.log(store, last=last)
        hidden = recorded(store) - len(found)
    if json_output:
        click.echo(as_json({"run": store.run.run, "iterations": found}))
        return
    if not found:
        click.echo(f"run {store.run.run} has no iteration yet", err=True)
        return
    if hidden:
        note = f"{hidden:,} earlier ones are not shown; -n NUMBER or --all shows more"
        click.echo(click.style(note, dim=True), err=True)
    if console().is_terminal:
        page(logs.drawn(found, console().width))
    else:
        click.echo("\n".join(logs.lines(found)))


@click.command(
    epilog=examples(
        "evolve lineage", "evolve lineage --all  # also what was dropped", "evolve lineage --json"
    )
)
@click.option("--all", "everything", is_flag=True, help="Dropped candidates too.")
@reading
def lineage(everything: bool, db: Path, run_name: str | None, json_output: bool) -> None:
    """The tree of candidates: the baseline and what was kept of its descendants."""
    with opened(db, run_name) as store:
        found = overview.lineage(store)
    if json_output:
        click.echo(as_json({"run": store.run.run, "candidates": found}))
    elif found:
        page(views.tree(found, everything, console().width))
    else:
        click.echo(f"run {store.run.run} has no candidate yet", err=True)


@click.command(epilog=examples("evolve best", "evolve best --json | jq -r .candidate.commit  # for a script"))
@reading
def best(db: Path, run_name: str | None, json_output: bool) -> None:
    """The best candidate: the one with the highest lower end of its validation interval.

    It may be a contender, which is ahead and not shown to be better; never one that a survivor was shown to beat.
    """
    with opened(db, run_name) as store:
        winner = best_of(store)
        found = overview.overview(store)
        (node,) = overview.lineage(store, winner)
    if json_output:
        facts = {
            "candidate": node,
            "scores": found.best,
            "not_shown_better_than": found.better_than,
            "validation_difference": found.validation_difference,
        }
        click.echo(as_json({"run": found.run, **facts, "test_difference": found.test_difference}))
        return
    summary = Text(f"{node.summary}\n" if node.summary else "", "dim")
    head = Text.assemble((node.candidate, "bold"), f" {node.commit}", (views.unshown(found), "yellow"))
    draw(head, summary, views.results(found))


def recorded(store: Store) -> int:
    """How many iterations a run has, the baseline included."""
    return int(store.rows("SELECT count(*) AS n FROM iterations WHERE run = :run")[0]["n"])
