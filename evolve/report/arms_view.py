"""Pictures of the arms of a run and of its ways of making a child: what each cost, what it found, what follows."""

from collections.abc import Collection, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evolve.iteration import Arm
from evolve.report import figures
from evolve.report.arms import BASELINE, Arms, Comparison, Line, Versus
from evolve.report.operators import Operators
from evolve.report.records import text
from evolve.report.store import Score

NAMES: dict[Arm, str] = {
    "evolution": "evolution",
    "random": "random edits",
    "best_of": "best of n from the baseline",
}
COLOURS = {"beats": "green", "loses": "red", "open": "yellow", "same": "yellow"}
OUTCOMES = {
    "beats": "evolution's best is better",
    "loses": "the control arm's best is better",
    "open": "the two cannot be told apart",
    "same": "the best of both is the baseline",
}
ALONE = "No iteration of evolution is finished: there is nothing to compare."
NONE = "No iteration of a control arm (search.control) is finished: luck and plain retries are not ruled out."
CAUTION = (
    "Differences are of records on validation documents, on which the best were chosen. Their intervals are for these very "
    "documents, hence narrower than that of a gain, which is for documents like these. The test split decides."
)


def drawn(found: Arms | None, shown: Collection[str] = ()) -> RenderableType:
    """What each arm spent and found, and in words whether evolution's best is better. shown: whose scores stand above."""
    if found is None:
        return Text(NONE, "dim")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    for one in found.lines:
        for place, line in enumerate(lines(one, found.opened, one.best in shown)):
            grid.add_row("" if place else NAMES[one.arm].partition(" from")[0], line)
    simulated = any(one.validation.simulated for one in found.lines if one.validation)
    said = [part for one in found.comparisons for part in sentences(one, simulated)] or [Text(ALONE, "dim")]
    return Group(Padding(grid, (0, 0, 1, 0)), *said, Text(CAUTION, "dim"))


def lines(one: Line, opened: int, short: bool) -> list[str]:
    """An arm: its cost, its best, and unless that is to be short its scores. opened: candidates that saw the test split."""
    best = "the baseline" if one.best == BASELINE else one.best
    counts = f"{figures.count(one.iterations, 'iteration')}, {one.raced} raced, {one.survivors} survived"
    counts += f", {figures.count(one.contenders, 'contender')}" if one.contenders else ""
    found = [f"{counts}; {figures.count(one.rollouts, 'rollout')}; best: {best}"]
    if short:
        return found
    found.append(f"{one.best} on validation {_score(one.validation)}")
    if one.test is not None:
        found.append(f"{one.best} on test {_score(one.test)}")
    if one.gain is not None:
        corrected = f", corrected for {figures.count(opened, 'candidate')}" if opened > 1 else ""
        simulated = bool(one.test and one.test.simulated)
        found.append(f"{one.best} − c0 on test {figures.change(one.gain, simulated)}{corrected}")
    return found


def sentences(one: Comparison, simulated: bool) -> list[RenderableType]:
    """Whether evolution's best is better than that of a control arm, as it is now and at equal spend."""
    now = Text(f"{claim(one)}{figure(one.now, simulated)}", COLOURS[one.now.verdict])
    if one.equal is None:
        equal = Text(
            f"At equal spend ({one.spent:,} rollouts) not one iteration of evolution was done.", "yellow"
        )
    else:
        many = f"{one.iterations:,} iterations" if one.iterations > 1 else "iteration"
        reached = f"evolution's first {many}"
        share = f"At equal spend ({one.spent:,} rollouts, {reached}) {OUTCOMES[one.equal.verdict]}"
        equal = Text(f"{share}{figure(one.equal, simulated)}", COLOURS[one.equal.verdict])
    return [now, Padding(equal, (0, 0, 0, 2))]


def claim(one: Comparison) -> str:
    """The words on how it stands now."""
    name = f"{NAMES[one.control]} ({one.spent:,})"
    who = f"Evolution ({figures.count(one.total, 'rollout')})"
    if one.now.verdict == "beats":
        return f"{who} beats {name}"
    return f"{who} did not beat {name}; {OUTCOMES[one.now.verdict]}"


def figure(one: Versus, simulated: bool) -> str:
    """The difference on a line of its own, so that it is not torn apart."""
    if one.verdict == "same":
        return "."
    found = text(one.gap, simulated) if one.gap else "no document was measured for both"
    return f":\n  {one.evolution} − {one.control} {found}"


def operators(found: Operators) -> RenderableType:
    """What each way of making a child brought and cost, and how often it is tried now."""
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=False)
    table.add_column("made by", no_wrap=True)
    for name in ("tries", "kept", "rollouts"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("kept per 1,000 rollouts", no_wrap=True)
    table.add_column("" if found.fixed else "tried next with", justify="right", no_wrap=True)
    for one in found.lines:
        rate = f"{one.rate.value:.1f} (95 %: {one.rate.low:.1f} to {one.rate.high:.1f})"
        share = "" if one.share is None else f"{one.share:.0%}"
        cells = (str(one.tries), str(one.kept), f"{one.rollouts:,}", rate)
        table.add_row(one.operator, *cells, share)
    note = [Text(f"fixed by search.operator = {found.fixed!r}", "dim")] if found.fixed else []
    return Group(table, *note)


def of_arm(found: Arms | None, candidate: str) -> str:
    """In words that a candidate belongs to a control arm; "" if it does not."""
    lines_: Sequence[Line] = found.lines if found else ()
    names = [NAMES[one.arm] for one in lines_ if one.best == candidate and one.arm != "evolution"]
    return f", of a control arm ({names[0]})" if names and candidate != BASELINE else ""


def _score(one: Score | None) -> str:
    return "not measured" if one is None else str(one)
