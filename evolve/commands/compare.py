"""The command `compare`: arms on the same documents, and the table of what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.commands.common import as_json as json_option
from evolve.commands.common import budget, console, database, draw, examples, limits, page, run_name
from evolve.commands.live import interruptible, watch
from evolve.commands.model_choice import chosen_models, models_option
from evolve.layout import Layout
from evolve.report.store import as_json, opened, resolve
from harness.errors import BudgetSpent, StorageError, UsageError

if TYPE_CHECKING:
    from evolve.compare import Comparison
    from evolve.comparing.table import Table
    from evolve.iteration import Candidate

FORMATS = (".md", ".json")
EXAMPLES = examples(
    "evolve compare  # one-shot against the baseline scaffold",
    "evolve compare --arms cot,agentic,candidate:best",
    "evolve compare --docs papers/ --n 200 --budget-usd 20",
    "evolve compare --out table.md  # as Markdown too",
)


@click.command(epilog=EXAMPLES)
@click.option(
    "--arms",
    default="cot,agentic",
    show_default=True,
    metavar="LIST",
    help="Some of cot, agentic and candidate:ID (candidate:c12, candidate:best).",
)
@click.option(
    "--docs", type=click.Path(path_type=Path, exists=True), help="Folder or file; else as evolve.toml says."
)
@click.option(
    "--n",
    "-n",
    "wanted",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="How many documents.",
)
@click.option("--domain", metavar="NAME", help="Kind of tasks: cs, legal, math, passage, or a file of yours.")
@models_option
@click.option(
    "--preset", metavar="NAME", help="Gate that decides.  [default: as for generate, mostly confirmed]"
)
@click.option(
    "--spend",
    "unit",
    type=click.Choice(["calls", "money", "none"]),
    help="In what best-of-k is given the spend of the others; none: without it.  [default: money if priced, else calls]",
)
@click.option("--new", is_flag=True, help="Compare afresh, also if this was compared before.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table to a .md or .json file too.",
)
@budget
@database
@run_name
@json_option
def compare(
    arms: str,
    docs: Path | None,
    wanted: int,
    unit: str | None,
    new: bool,
    out: Path | None,
    db: Path,
    run_name: str | None,
    json_output: bool,
    **flags: Any,
) -> None:
    """Run arms on the same documents with the same instrument, and print what they come to.

    cot asks once for a task of a document, with its reasoning, and hears nothing back; agentic is the baseline scaffold;
    candidate:ID is one of a run. Best-of-k columns give cot the spend of the other arms. Every figure has a 95 % interval.

    The same command shows the stored result and asks nothing; after an interruption it goes on and pays for nothing
    twice. A --budget option limits what the whole comparison may cost. With --json the last line is the result, those
    before it tell the progress.

    Exit code 0 when all arms are done; 1 when the budget is spent before that; 4 when it is spent before any document is
    done.
    """
    from evolve.compare import Job
    from evolve.compare import compare as start
    from evolve.comparing.arms import named
    from evolve.comparing.table import table
    from harness.budget import BudgetLimits

    if out is not None and out.suffix not in FORMATS:
        raise UsageError(f"--out takes a file that ends in {' or '.join(FORMATS)}, not {out.name!r}")
    folder, asked = db.absolute().parent, named(arms)
    run, candidates = candidates_of(db, run_name, asked.candidates)
    job = Job(
        Layout(folder, db.absolute(), run),
        asked.plain,
        candidates,
        docs.absolute() if docs is not None else None,
        wanted,
        unit,  # type: ignore[arg-type]  # click lets only the three through
        overrides(folder, flags),
        BudgetLimits(**limits(flags)),
        new,
    )
    found = interruptible(
        start(job, lambda one: watch(one, json_output)),
        lambda: "everything paid for stands, the same command goes on",
    )
    told = table(found.compared.arms, found.compared.rows)
    if found.compared.rows:
        show(found, told, out, json_output)
    finish(found)


def candidates_of(db: Path, run: str | None, names: tuple[str, ...]) -> tuple[str, tuple["Candidate", ...]]:
    """The run that is meant, and its candidates of those names, each once; none where none is named.

    Raises:
        UsageError, StorageError: there is no such candidate, run or database.
    """
    if not names:
        return "", ()
    with opened(db, run) as store:
        found = {one.id: one for one in (resolve(store, name) for name in names)}
        return store.run.run, tuple(found.values())


def overrides(folder: Path, flags: dict[str, Any]) -> dict[str, Any]:
    """Flags that were given, as dotted settings."""
    chosen = chosen_models(flags["models"], folder)
    for flag, setting in (("domain", "measure.domain"), ("preset", "production.preset")):
        if flags[flag] is not None:
            chosen[setting] = flags[flag]
    return chosen


def show(found: "Comparison", told: "Table", out: Path | None, json_output: bool) -> None:
    """The table on the terminal or as an object, and in a file if one was named."""
    from evolve.report import comparison

    facts = {
        "event": "summary",
        **comparison.values(found.compared, told),
        "paid": found.paid,
        "again": found.again,
    }
    facts |= {"message": found.message, "advice": found.advice}
    if out is not None:
        whole = comparison.markdown(found.compared, told) if out.suffix == ".md" else as_json(facts) + "\n"
        out.write_text(whole, "utf-8")
    if json_output:
        click.echo(as_json(facts))
        return
    picture = comparison.drawn(found.compared, told, console().width)
    (page if found.again else draw)(picture)
    if found.again:
        click.echo("stored result; --new compares afresh", err=True)


def finish(found: "Comparison") -> None:
    """Say what is lacking.

    Raises:
        BudgetSpent: it was spent before any document was done. StorageError: it could not be stored. Exit: it is unfinished.
    """
    if found.unstored:
        raise StorageError(
            f"{found.unstored}\nThe comparison is not stored; the same command stores it, and asks nothing"
        )
    if not found.message:
        return
    problem = f"{found.message}; the same command with a larger budget goes on and pays for nothing twice"
    if not found.compared.rows:
        raise BudgetSpent(f"{problem}. Not one document is done by all arms")
    click.echo(f"stopped: {problem}. The table holds the documents that all arms are done with", err=True)
    raise click.exceptions.Exit(1)
