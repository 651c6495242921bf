"""What a run has learnt about ideas, for people: how often diagnoses were right, what held and what was refuted."""

import re
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evolve.from_rows import predictions_of
from evolve.ideas import RATED, HitRates, Idea, Rate, hit_rates, ideas, lessons, refuted
from evolve.intervals import Interval
from evolve.iteration import Iteration
from evolve.report import figures
from evolve.report.store import Store

NEWEST = f"""SELECT number, outcome, reason, coalesce(parent, '') AS parent, sees, summary, arm, operator
    FROM iterations WHERE run = :run ORDER BY number DESC LIMIT {RATED}"""
PREDICTIONS = "SELECT * FROM predictions WHERE run = :run AND iteration >= :since ORDER BY iteration, cause"
MOST = 5
LONGEST = 220
FIGURES = re.compile(r": difference .*(?=\)$)")  # of a survival rule, to its end; `evolve why N` has them


@dataclass(frozen=True)
class Learning:
    """Hit rates of predictions by kind beside the base rate, and ideas by what speaks for them, the newest first."""

    rates: HitRates
    lessons: tuple[Idea, ...]
    refuted: tuple[Idea, ...]

    @property
    def empty(self) -> bool:
        """Nothing was checked and no idea tried."""
        rated = self.rates.all.fixes.trials or self.rates.all.breaks.trials
        return not (rated or self.lessons or self.refuted)


def learning(store: Store) -> Learning:
    """What the newest iterations say, as analyzers and implementers are told it."""
    rows = store.rows(NEWEST)[::-1]
    since = rows[0]["number"] if rows else 0
    predictions = predictions_of(store.rows(PREDICTIONS, since=since))
    found = [Iteration(**row, predictions=predictions.get(row["number"], ())) for row in rows]
    known = ideas(found)
    return Learning(hit_rates(found), lessons(known), refuted(known))


def brief(found: Learning) -> RenderableType:
    """Two lines for `status`."""
    every, base = found.rates.all.fixes, found.rates.unnamed.fixes
    rated = f"{counted(every)} of the failures that diagnoses named got better; {counted(base)} of those not named"
    known = f"{figures.count(len(found.lessons), 'idea')} upheld, {len(found.refuted)} refuted; `evolve why` lists them"
    return Group(*([Text(rated)] if every.trials else []), Text(known))


def rates(found: HitRates) -> RenderableType:
    """A row a kind of claim, then all of them, then the base rate."""
    if not found.all.fixes.trials and not found.all.breaks.trials:
        return Text("No prediction has been checked yet.", "dim")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("kind of claim", no_wrap=True)
    table.add_column("failures named that got better")
    table.add_column("passes named that got worse")
    for kind, one in found.kinds.items():
        table.add_row(kind.replace("_", " "), *_cells(one))
    table.add_row(Text("all kinds", "bold"), *_cells(found.all))
    table.add_row(Text("named by none", "bold"), *_cells(found.unnamed))
    note = (
        "`named by none` is the base rate: what happened to the others in the same runs. Naming is worth the difference. "
        "Intervals (95 %) take documents as independent, so they are too narrow."
    )
    return Group(table, Text(note, "dim"))


def listed(found: tuple[Idea, ...]) -> RenderableType:
    """The first few ideas, each with its tries and its last result."""
    if not found:
        return Text("None so far.", "dim")
    parts: list[RenderableType] = []
    for one in found[:MOST]:
        tries = figures.count(len(one.tries), "try")
        numbers = ", ".join(str(each.iteration) for each in one.tries[:6])
        counts = f" ({one.kind.replace('_', ' ')}; {tries}, upheld {one.upheld}; iteration {numbers})"
        parts.append(Text.assemble(figures.shortened(one.title, LONGEST), (counts, "dim")))
        last = figures.shortened(FIGURES.sub("", one.tries[0].why), LONGEST)
        parts.append(Padding(Text(last, "dim"), (0, 0, 0, 2)))
    if len(found) > MOST:
        parts.append(Text(f"and {len(found) - MOST} more (evolve why --json)", "dim"))
    return Group(*parts)


def counted(rate: Interval) -> str:
    """`14 of 25 (56 %, 37 to 73)`; "none" without trials."""
    if not rate.trials:
        return "none"
    hits = round(rate.value * rate.trials)
    return (
        f"{hits} of {rate.trials} ({rate.value:.0%}, {100 * rate.low:.0f} to {100 * rate.high:.0f})".replace(
            "%", " %"
        )
    )


def _cells(one: Rate) -> tuple[str, str]:
    return counted(one.fixes), counted(one.breaks)
