"""The command `plan`: what a run would use, from a few measured rollouts and simulated contests."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evolve.commands.common import as_json as json_option
from evolve.commands.common import database, draw, examples, run_name, simulation
from evolve.commands.counting import counting
from evolve.commands.live import interruptible, watch
from evolve.layout import Layout
from evolve.report.store import as_json

if TYPE_CHECKING:
    from evolve.null import Scenario, Simulated
    from evolve.opening import Options
    from evolve.planning.ground import Ground
    from evolve.planning.measuring import Piloting

PILOT = 3
RUNS = 40
BETTER = 2
EXAMPLES = examples(
    "evolve plan  # from a recorded run, or from simulated models",
    "evolve plan --pilot 3  # asks your models: 3 rollouts, kept",
    "evolve plan --iterations 200 --better 5",
    "evolve plan --json | jq .forecast.lines",
)


@click.command(epilog=EXAMPLES)
@click.option(
    "--pilot",
    type=click.IntRange(min=1),
    help=f"Measure so many rollouts of the baseline.  [default: none that costs money; {PILOT} if simulated]",
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=8, show_default=True, help="As for `evolve run`."
)
@click.option(
    "--better",
    type=click.IntRange(min=0),
    default=BETTER,
    show_default=True,
    help="How many children are better by search.effect; the others equal their parent.",
)
@click.option(
    "--pass-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Mean pass rate to assume.  [default: recorded draws, else the pilot's]",
)
@simulation
@database
@run_name
@json_option
def plan(
    pilot: int | None,
    iterations: int | None,
    workers: int,
    better: int,
    pass_rate: float | None,
    seed: int,
    processes: int | None,
    new: bool,
    db: Path,
    run_name: str | None,
    json_output: bool,
) -> None:
    """Estimate calls, tokens, money and time of a run with the settings that hold, each with a range.

    What a rollout costs is taken from a recorded run with the same instrument, or from a pilot: the baseline scaffold on
    a few training documents, kept in plans/. A pilot that asks real models runs only with --pilot, and the same command
    pays for nothing twice. How many rollouts it takes comes from runs simulated through the survival rule.
    """
    from evolve.opening import Options
    from evolve.planning.ground import ground
    from evolve.session import DEFAULT_ITERATIONS

    options = Options(db.absolute().parent, db.absolute(), workers=workers, run=run_name, new=new)
    found = ground(options, pass_rate)
    free = found.pilot is None and found.measured_by_simulation
    if wanted := pilot or (PILOT if free else 0):
        measured(found, options, wanted, json_output)
        found = ground(options, pass_rate, own=True)
    length = iterations or found.iterations or DEFAULT_ITERATIONS
    scenario = found.expected(length, better)
    runs = simulated(scenario, seed, processes or os.cpu_count() or 1)
    show(found, scenario, runs, (workers, seed), json_output)


def measured(found: "Ground", options: "Options", wanted: int, json_output: bool) -> None:
    """Run the pilot, with its progress beside it where people look on."""
    from evolve.planning.measuring import Job, measure

    async def looking(one: "Piloting") -> None:
        if not json_output:
            await watch(one, json_output)

    layout = Layout(options.folder, options.database, found.run or "")
    interruptible(
        measure(Job(layout, found.settings, found.home, wanted), looking),
        lambda: "everything paid for stands, the same command goes on",
    )


def simulated(scenario: "Scenario", seed: int, processes: int) -> "list[Simulated]":
    """Whole runs through the survival rule."""
    from functools import partial

    from evolve.null import simulate
    from evolve.null_study import spread

    with counting("simulating", RUNS) as told:
        return list(spread(partial(simulate, scenario), [(seed, at) for at in range(RUNS)], processes, told))


def show(
    found: "Ground",
    scenario: "Scenario",
    runs: "list[Simulated]",
    how: tuple[int, int],
    json_output: bool,
) -> None:
    """The picture, or an object. how: workers and seed."""
    import numpy as np

    from evolve.null import rule_of
    from evolve.planning.forecast import Plan, forecast, shape_of
    from evolve.planning.ground import guesses_of
    from evolve.report import plan_view

    (workers, seed), settings = how, found.settings
    documents = settings.documents
    survivor = documents.validation * rule_of(scenario.survival).record(documents.validation, scenario.terms)
    foretold = None
    if found.pilot is not None:
        guesses = guesses_of(found, scenario.iterations)
        wanted = Plan(
            runs=runs,
            test=documents.test,
            control=settings.search.control,
            workers=workers,
            models=settings.models,
            budget=settings.budget,
            pilot=found.pilot,
            guesses=guesses,
        )
        foretold = forecast(wanted, np.random.default_rng(seed))
    one = plan_view.Planned(
        settings=found.source,
        run=found.run,
        instrument=found.instrument,
        survival=scenario.survival,
        rates=found.rates,
        better=len(scenario.better),
        effect=settings.search.effect,
        control=settings.search.control,
        workers=workers,
        shape=shape_of(runs, documents.test, settings.search.control, survivor),
        pilot=plan_view.seen(found.pilot),
        forecast=foretold,
    )
    click.echo(as_json(one)) if json_output else draw(plan_view.drawn(one))
