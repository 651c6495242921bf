"""Commands that show a run as a whole: status, log, lineage, best."""

from pathlib import Path

import click
from rich.text import Text

from evolve.commands.common import console, draw, reading
from evolve.report import overview, views
from evolve.report.store import as_json, opened
from evolve.report.store import best as best_of


@click.command()
@reading
def status(db: Path, run_name: str | None, json_output: bool) -> None:
    """How a run stands: state, scores, failures, cost."""
    with opened(db, run_name) as store:
        found = overview.overview(store)
    if json_output:
        click.echo(as_json(found))
    else:
        draw(views.status(found))


@click.command()
@reading
def log(db: Path, run_name: str | None, json_output: bool) -> None:
    """Every iteration and why it ended as it did."""
    with opened(db, run_name) as store:
        found = overview.log(store)
    if json_output:
        click.echo(as_json({"run": store.run.run, "iterations": found}))
    else:
        draw(views.log(found, console().width))


@click.command()
@click.option("--all", "everything", is_flag=True, help="Dropped candidates too.")
@reading
def lineage(everything: bool, db: Path, run_name: str | None, json_output: bool) -> None:
    """The tree of candidates: the baseline and what survived of its descendants."""
    with opened(db, run_name) as store:
        found = overview.lineage(store)
    if json_output:
        click.echo(as_json({"run": store.run.run, "candidates": found}))
    else:
        draw(views.tree(found, everything))


@click.command()
@reading
def best(db: Path, run_name: str | None, json_output: bool) -> None:
    """The best candidate: the one with the highest lower end of its validation interval."""
    with opened(db, run_name) as store:
        winner = best_of(store)
        found = overview.overview(store)
        node = next(one for one in overview.lineage(store) if one.candidate == winner)
    if json_output:
        facts = {
            "candidate": node,
            "scores": found.best,
            "validation_difference": found.validation_difference,
        }
        click.echo(as_json({"run": found.run, **facts, "test_difference": found.test_difference}))
        return
    draw(Text.assemble((node.candidate, "bold"), f" {node.commit}"), views.results(found))
