"""The command `null`: simulated runs whose children equal their parents, before any money is spent."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evolve.commands.common import as_json as json_option
from evolve.commands.common import console, database, draw, examples, run_name, simulation
from evolve.commands.counting import counting
from evolve.report.store import as_json

if TYPE_CHECKING:
    from evolve.null_study import Noise, Study
    from evolve.planning.ground import Ground

OURS = ("strict", "paired", "sequential")
EXAMPLES = examples(
    "evolve null",
    "evolve null --survival all  # the rules side by side",
    "evolve null --pass-rate 0.2 --runs 1000",
    "evolve null --survival mine.rule --json",
)


@click.command(epilog=EXAMPLES)
@click.option(
    "--survival",
    metavar="RULES",
    help="One or several, with commas; all: every one of ours.  [default: as set]",
)
@click.option(
    "--runs", type=click.IntRange(min=2), help="How many to simulate.  [default: 80 of 50 iterations]"
)
@click.option(
    "--pass-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Mean pass rate to assume.  [default: recorded draws, else any is as likely]",
)
@simulation
@database
@run_name
@json_option
def null(
    survival: str | None,
    iterations: int | None,
    runs: int | None,
    pass_rate: float | None,
    seed: int,
    processes: int | None,
    new: bool,
    db: Path,
    run_name: str | None,
    json_output: bool,
) -> None:
    """Simulate runs in which every child equals its parent, and say what the survival rule makes of them.

    It prints how often a run keeps a child by luck, how noisy scores are, the smallest gain that is found, and what a
    decision costs. No model is asked and nothing is written.
    """
    from evolve.null_study import jobs, noise, study, usual_runs
    from evolve.opening import Options
    from evolve.planning.ground import ground
    from evolve.session import DEFAULT_ITERATIONS

    folder = db.absolute().parent
    found = ground(Options(folder, db.absolute(), run=run_name, new=new), pass_rate)
    length = iterations or found.iterations or DEFAULT_ITERATIONS
    number = runs or usual_runs(length)
    scenarios = [found.scenario(one, length) for one in rules(survival or found.settings.search.survival)]
    cores = processes or os.cpu_count() or 1
    total = sum(jobs(one, number) for one in scenarios)
    with counting("simulating", total) as told:
        studies, before = [], 0
        for one in scenarios:
            studies.append(study(one, number, seed, cores, lambda done, before=before: told(before + done)))  # type: ignore[misc]  # a default of a lambda
            before += jobs(one, number)
    noisy = noise(found.rates, found.settings.documents.validation, length, seed)
    show(found, studies, noisy, (length, number, seed), json_output)


def rules(text: str) -> tuple[str, ...]:
    """The rules that are named, each once."""
    named = [one.strip() for one in text.split(",") if one.strip()]
    if not named:
        raise click.BadParameter("it names no rule; give one as sequential, several with commas, or all.")
    each = (OURS if one == "all" else (one,) for one in named)
    return tuple(dict.fromkeys(one for some in each for one in some))


def show(
    found: "Ground", studies: "list[Study]", noisy: "Noise", how: tuple[int, int, int], json_output: bool
) -> None:
    """The picture, or an object. how: iterations, simulated runs, seed."""
    from evolve.report import null_view

    length, number, seed = how
    one = null_view.Null(
        iterations=length,
        documents=found.settings.documents.validation,
        runs=number,
        seed=seed,
        error=found.settings.search.error,
        instrument=found.instrument,
        rates=found.rates,
        noise=noisy,
        rules=tuple(studies),
        rollout=null_view.mean_rollout(found.pilot, found.settings.models),
    )
    if json_output:
        click.echo(as_json(one))
    else:
        draw(null_view.drawn(one, console().width))
