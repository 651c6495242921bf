"""The command `test`: the test split for chosen candidates."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.commands.common import as_json as json_option
from evolve.commands.common import budget, database, draw, examples, limits, run_name
from evolve.commands.completing import complete_candidate
from evolve.commands.live import interruptible, watch
from evolve.iteration import Candidate
from evolve.layout import Layout
from evolve.report import held_out
from evolve.report.store import Store, as_json, opened, resolve
from harness.errors import BudgetSpent

if TYPE_CHECKING:
    from evolve.testing import Done

EXAMPLES = examples(
    "evolve test  # the final report: baseline and best",
    "evolve test c12 c17  # to choose among others: one such set a run",
    "evolve test c12 --budget-usd 2  # two dollars at most for this",
)


@click.command(epilog=EXAMPLES)
@click.argument("names", metavar="[ID]...", nargs=-1, shell_complete=complete_candidate)
@budget
@database
@run_name
@json_option
def test(names: tuple[str, ...], db: Path, run_name: str | None, json_output: bool, **flags: Any) -> None:
    """Open the test split for candidates (c12, best, the start of a commit) and for the baseline; show what it says.

    Without names it is the final report: baseline, best, and the best of each arm. Any others are a selection by
    test scores. Name all of them at once: a run has one such opening, a second one with others is refused (exit code 2).
    The output says who was opened so far, how much picking among them flatters, and intervals corrected for it.

    That it is opened is recorded before anything is measured. A candidate is measured once; one that was is shown, as
    often as you like.

    A --budget option limits what this command spends; without one the run's own budget holds. Killed or interrupted,
    the same command goes on and pays for nothing twice. With --json the last line is the result, those before it tell
    the progress. Exit code 1 if not all could be measured.
    """
    with opened(db, run_name) as store:
        log, run = held_out.openings(store), store.run.run
        chosen = entrants(store, names or (*held_out.reported(store), *log.unfinished))
    from evolve.testing import Done, Job, start

    done = Done(())
    if wanted := tuple(one for one in chosen if one.id not in log.measured):
        job = Job(Layout(db.absolute().parent, db.absolute(), run), wanted, limits(flags))
        done = interruptible(
            start(job, lambda one: watch(one, json_output)),
            lambda: "everything paid for stands, the same command goes on",
        )
    with opened(db, run) as store:
        found = held_out.held_out(store, [one.id for one in chosen])
    if json_output:
        click.echo(
            as_json({"event": "summary", "measured": done.candidates, "message": done.message, **vars(found)})
        )
    else:
        draw(held_out.drawn(found))
    lacking = [one.id for one in wanted if one.id not in done.candidates]
    if done.message and lacking:
        refuse(done, lacking)


def entrants(store: Store, names: Sequence[str]) -> tuple[Candidate, ...]:
    """The baseline and those that are named, each once."""
    found = [resolve(store, name) for name in ("baseline", *names)]
    return tuple({one.id: one for one in found}.values())


def refuse(done: "Done", lacking: Sequence[str]) -> None:
    """Say who was not measured, and how to go on.

    Raises:
        BudgetSpent: not one was. Exit: some were.
    """
    problem = f"{done.message}; not measured: {', '.join(lacking)}. The same command with a larger --budget option goes on"
    if not done.candidates:
        raise BudgetSpent(problem)
    click.echo(f"stopped: {problem}", err=True)
    raise click.exceptions.Exit(1)
