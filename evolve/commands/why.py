"""The command `why`: the evidence for one decision, or what the run has learnt."""

from pathlib import Path

import click

from evolve.commands.common import examples, page, reading
from evolve.commands.completing import complete_candidate
from evolve.commands.show import change_of, meant
from evolve.report import why_view
from evolve.report.learning import learning, listed, rates
from evolve.report.store import Store, as_json, opened
from evolve.report.views import titled
from evolve.report.why import why as evidence

EXAMPLES = examples(
    "evolve why 12  # what iteration 12 decided, and on what evidence",
    "evolve why best  # why the best candidate was kept",
    "evolve why  # what diagnoses were worth, lessons, refuted ideas",
    "evolve why best --json | jq .decision.looks",
)


@click.command(epilog=EXAMPLES)
@click.argument("name", metavar="[ID]", required=False, shell_complete=complete_candidate)
@reading
def why(name: str | None, db: Path, run_name: str | None, json_output: bool) -> None:
    """The evidence for one decision: looks, documents, error budget, cost, diagnosis with what came of it, diff.

    ID is an iteration (12) or a candidate (c12, best, the start of a commit). Without one: how often diagnoses were
    right, which ideas held and which were refuted.
    """
    with opened(db, run_name) as store:
        if name is None:
            learnt(store, json_output)
        else:
            decided(store, name, json_output)


def decided(store: Store, name: str, json_output: bool) -> None:
    """One decision."""
    subject = meant(store, name)
    found, diff = evidence(store, subject.number), change_of(store, subject)
    if json_output:
        click.echo(as_json({**vars(found), "diff": diff}))
    else:
        page(*why_view.drawn(found, diff))


def learnt(store: Store, json_output: bool) -> None:
    """What all of them taught."""
    found = learning(store)
    if json_output:
        click.echo(as_json({"run": store.run.run, **vars(found)}))
        return
    page(
        titled("What diagnoses were worth", rates(found.rates)),
        titled("Lessons: ideas that were upheld", listed(found.lessons)),
        titled("Refuted ideas", listed(found.refuted)),
    )
