"""The test split of a run: who was measured on it, how much better than the baseline, and how it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evolve.intervals import Interval, bonferroni, paired_difference
from evolve.report import figures
from evolve.report.store import Score, Store, candidates, scores
from evolve.report.views import sign

PAIRS = """SELECT r.score AS mine, b.score AS baseline FROM rollouts AS r
    JOIN rollouts AS b ON (b.run, b.side, b.candidate, b.document) = (r.run, 'final', 'c0', r.document)
    WHERE r.run = :run AND r.side = 'final' AND r.candidate = :candidate
    AND r.score IS NOT NULL AND b.score IS NOT NULL"""


@dataclass(frozen=True)
class Entrant:
    """A candidate on the test split. gain: minus the baseline, on the documents both have a score for.

    adjusted: the same with Bonferroni's interval for all comparisons, if there are several.
    """

    candidate: str
    status: str
    score: Score
    gain: Interval | None
    adjusted: Interval | None


@dataclass(frozen=True)
class HeldOut:
    """The test split of a run. opened: every candidate measured on it; comparisons: those of them against c0."""

    run: str
    documents: int
    instrument: str
    opened: tuple[str, ...]
    comparisons: int
    entrants: tuple[Entrant, ...]


def opened(store: Store) -> tuple[str, ...]:
    """The candidates that the test split was opened for, in order of birth."""
    query = "SELECT candidate FROM evaluations WHERE run = :run AND side = 'final' ORDER BY iteration"
    return tuple(row["candidate"] for row in store.rows(query))


def held_out(store: Store, wanted: Sequence[str]) -> HeldOut:
    """What the test split says of those candidates; of those among them that were measured on it."""
    there, known, status = opened(store), scores(store), candidates(store)
    comparisons = sum(one != "c0" for one in there)
    query = "SELECT total(used) AS n FROM documents WHERE run = :run AND split = 'test'"
    entrants = []
    for one in wanted:
        if one not in there or "test" not in known.get(one, {}):
            continue
        pairs = [(row["mine"], row["baseline"]) for row in store.rows(PAIRS, candidate=one)]
        gain = paired_difference(pairs) if pairs and one != "c0" else None
        wider = paired_difference(pairs, bonferroni(comparisons)) if gain and comparisons > 1 else None
        entrants.append(Entrant(one, status[one][1], known[one]["test"], gain, wider))
    documents = int(store.rows(query)[0]["n"])
    return HeldOut(store.run.run, documents, store.run.instrument, there, comparisons, tuple(entrants))


def drawn(found: HeldOut) -> RenderableType:
    """Scores and gains, and what picking among several of them would do."""
    head = Text.assemble(
        (f"Test split of {found.run}", "bold"),
        (f"  {figures.count(found.documents, 'document')}, instrument {found.instrument}", "dim"),
    )
    grid = Table.grid(padding=(0, 2))
    for one in found.entrants:
        grid.add_row(Text(one.candidate, "bold"), Text(_score(one.score)), Text(one.status, "dim"))
        for name, gain in (("gain", one.gain), ("adjusted", one.adjusted)):
            if gain is not None:
                grid.add_row(Text(name, "dim"), Text(figures.change(gain, one.score.simulated), sign(gain)))
    return Group(head, Padding(grid, (0, 0, 1, 2)), Text(warning(found)))


def _score(one: Score) -> str:
    return f"{figures.score(one.interval, one.simulated)}, {one.missing} missing"


def warning(found: HeldOut) -> str:
    """How many were opened, and why the best of several is not as good as it looks."""
    names = ", ".join(found.opened)
    number = figures.count(found.comparisons, "candidate")
    begin = f"Opened so far in this run: {names} ({number} besides the baseline)."
    if found.comparisons < 2:
        return f"{begin} Gains are against the baseline, paired by document."
    return (
        f"{begin} The best of these {found.comparisons}, picked by these scores, looks better than it is: part of its "
        f"lead is luck. `adjusted` is the gain with Bonferroni's interval, which holds for all {found.comparisons} "
        "together; believe a pick only if that interval excludes zero."
    )
