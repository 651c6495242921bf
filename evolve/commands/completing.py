"""What a shell is offered for a candidate or a run. Only reads population.db; where that fails nothing is offered."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from harness.errors import EvolveError

DATABASE = "population.db"


def complete_candidate(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Candidates of the run that the line names, newest first, after `best` and `baseline`."""
    from evolve.report.store import opened

    query = """SELECT c.candidate, c.status, i.summary FROM candidates AS c
        LEFT JOIN iterations AS i ON (i.run, i.number) = (c.run, c.iteration)
        WHERE c.run = :run AND substr(c.candidate, 1, length(:start)) = :start ORDER BY c.iteration DESC"""
    words = (("best", "highest lower end of its interval"), ("baseline", "the same as c0"))
    named = [CompletionItem(word, help=text) for word, text in words if word.startswith(incomplete)]
    try:
        with opened(_database(ctx), ctx.params.get("run_name")) as store:
            rows = store.rows(query, start=incomplete)
    except EvolveError:
        return []
    return named + [
        CompletionItem(row["candidate"], help=_about(row["status"], row["summary"])) for row in rows
    ]


def complete_run(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the recorded runs, newest first."""
    from evolve.opening import run_names

    try:
        names = run_names(_database(ctx))
    except EvolveError:
        return []
    return [CompletionItem(name) for name in reversed(names) if name.startswith(incomplete)]


def _database(ctx: click.Context) -> Path:
    """The database of the line so far; its default is not filled in while completing."""
    return Path(ctx.params.get("db") or DATABASE)


def _about(status: str, summary: str | None) -> str:
    """One line: fish and zsh show it beside the name."""
    from evolve.report.figures import shortened

    return shortened(f"{status}: {summary}" if summary else status, 70)
