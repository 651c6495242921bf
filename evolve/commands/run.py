"""The command `run`: options -> evolve.session.start, with live progress beside it and the closing table after it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.commands.common import DATABASE, budget, database, draw, examples, limits, run_name
from evolve.commands.common import as_json as json_option
from evolve.commands.live import interruptible, watch
from evolve.commands.model_choice import chosen_models, models_option, usual_domain
from evolve.configuration.presets import PRESETS
from evolve.opening import Options
from evolve.report import overview, views
from evolve.report.overview import Overview
from evolve.report.store import as_json, opened
from harness.errors import BudgetSpent

if TYPE_CHECKING:
    from evolve.session import Summary

EXAMPLES = examples(
    "evolve run  # 50 iterations, simulated models, no set-up",
    "evolve run --docs papers/ --iterations 200 --budget-usd 25",
    "evolve run --iterations 100  # go on with the same run, further",
    "evolve run --new --seed 1  # another run beside it",
    "evolve run --new --preset paper  # as the paper did it",
    "evolve run --new --preset proven  # nobody is a parent on trust",
)


@click.command(epilog=EXAMPLES)
@click.option(
    "--iterations",
    type=click.IntRange(min=1),
    help="How many in all.  [default: 50, or what the run was last started for]",
)
@click.option("--workers", type=click.IntRange(min=1), default=8, show_default=True, help="How many at once.")
@click.option("--seed", type=click.IntRange(min=0), help="Source of every random choice.  [default: 0]")
@click.option(
    "--docs", type=click.Path(path_type=Path, exists=True), help="Folder or file with your documents."
)
@click.option("--domain", metavar="NAME", help="Kind of tasks: cs, legal, math, passage, or a file of yours.")
@models_option
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    help="Settings of the search, over those of evolve.toml. paper: the published ones; proven: only children shown to be "
    "better by a step of ten points become parents, for more rollouts.",
)
@click.option("--new", is_flag=True, help="Start another run instead of going on.")
@click.option(
    "--sandbox", type=click.Choice(["auto", "bubblewrap", "external"]), help="How scaffolds are confined."
)
@budget
@database
@run_name
@json_option
def run(
    iterations: int | None,
    workers: int,
    new: bool,
    db: Path,
    run_name: str | None,
    json_output: bool,
    **flags: Any,
) -> None:
    """Start a run, or go on with the picked or newest one.

    Killed or interrupted, the same command goes on and repeats nothing. --json prints one object a line: progress, then
    the summary.
    """
    folder = db.absolute().parent
    options = Options(folder, db.absolute(), iterations, workers, run_name, new, overrides(folder, flags))
    from evolve.session import start

    named = (f" --run {run_name}" if run_name else "") + (f" --db {db}" if db != DATABASE else "")
    summary = interruptible(
        start(options, lambda one: watch(one, json_output)),
        lambda: f"everything recorded stands, `evolve run{named}` goes on",
    )
    with opened(db, summary.run) as store:
        found = overview.overview(store)
    close(summary, found, json_output)


def overrides(folder: Path, flags: dict[str, Any]) -> dict[str, Any]:
    """Flags that were given, as dotted settings.

    Raises:
        UsageError: `--models config` without models in evolve.toml.
    """
    chosen: dict[str, Any] = dict(PRESETS.get(flags.get("preset") or "", {}))
    chosen |= {f"budget.{key}": value for key, value in limits(flags).items()}
    for flag, setting in (("seed", "search.seed"), ("sandbox", "sandbox"), ("domain", "measure.domain")):
        if flags[flag] is not None:
            chosen[setting] = flags[flag]
    if flags["docs"] is not None:
        chosen["documents.path"] = str(flags["docs"].absolute())
    return chosen | chosen_models(flags["models"], folder) | usual_domain(flags["models"], chosen, folder)


def close(summary: "Summary", found: Overview, json_output: bool) -> None:
    """The closing table, or the last JSON line.

    Raises:
        BudgetSpent: it was spent before the first iteration was done.
    """
    if json_output:
        facts = {"event": "summary", "outcome": summary.outcome, "message": summary.message}
        click.echo(as_json({**facts, **vars(found)}))
    else:
        draw(views.summary(found), views.following(found))
    if summary.outcome == "budget":
        if not found.iterations:
            raise BudgetSpent(
                f"{summary.message}, but not one iteration is done. The same command with a larger budget goes on and "
                "pays for nothing twice; with --workers 1 an iteration is done on less."
            )
        click.echo(f"stopped: {summary.message}; `evolve run` with a larger budget goes on", err=True)
