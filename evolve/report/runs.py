"""The runs of a database, a line each: values, and how they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from evolve.intervals import Interval
from evolve.report import figures, overview
from evolve.report.store import Score, Store
from evolve.report.views import score, sign

COLOURS = {"running": "green", "killed": "yellow", "stopped": "yellow", "budget": "yellow", "failed": "red"}


@dataclass(frozen=True)
class Row:
    """One run. planned: iterations the last start was to reach; gain: of best over baseline on validation documents.

    default: commands that name no run mean it. octets: on the disk, 0 if its folder is missing. calls, cost: of what is
    recorded, in US dollars, notional if all was simulated.
    """

    run: str
    state: str
    done: int
    planned: int
    best: str | None
    score: Score | None
    gain: Interval | None
    calls: int
    cost: float
    notional: bool
    octets: int
    started_at: str
    picked: bool
    default: bool


def row(store: Store, octets: int, default: str | None) -> Row:
    """The line of a run. default: the name of the run that is meant where none is named."""
    found = overview.overview(store)
    return Row(
        run=found.run,
        state=found.condition,
        done=found.iterations,
        planned=found.search.iterations if found.search else 0,
        best=found.best.candidate if found.best else None,
        score=found.best.validation if found.best else None,
        gain=found.validation_difference,
        calls=sum(one.calls for one in found.spend),
        cost=sum(one.cost for one in found.spend),
        notional=bool(found.spend) and all(one.role in found.simulated_roles for one in found.spend),
        octets=octets,
        started_at=found.created_at,
        picked=found.picked,
        default=found.run == default,
    )


HEAD = ("", "run", "state", "iterations", "cost", "size", "started")
RIGHT = ("iterations", "cost", "size")
NARROW = 110


def drawn(rows: Sequence[Row], left: Sequence[tuple[str, int]], width: int) -> RenderableType:
    """A line a run with its best candidate below; then the folders without rows, each with its size."""
    table = [HEAD, *map(cells, rows)]
    sizes = [max(len(line[place]) for line in table) for place in range(len(HEAD))]
    parts = [Text(aligned(HEAD, sizes), "dim")] if rows else []
    for one, line in zip(rows, table[1:], strict=True):
        parts.append(Text(aligned(line, sizes)))
        parts[-1].stylize("bold", sizes[0] + 1, sizes[0] + 1 + len(one.run))
        start = sizes[0] + sizes[1] + 3
        parts[-1].stylize(COLOURS.get(one.state, ""), start, start + len(one.state))
        parts += [Text(" " * start).append_text(text) for text in scores(one, width)]
    parts += [left_line(name, octets) for name, octets in left]
    return Group(*parts, *legend(rows))


def aligned(line: Sequence[str], sizes: Sequence[int]) -> str:
    """The columns of a line, two blanks apart, figures to the right."""
    columns = (
        text.rjust(size) if name in RIGHT else text.ljust(size)
        for text, size, name in zip(line, sizes, HEAD, strict=True)
    )
    return (line[0].ljust(sizes[0]) + " " + "  ".join(list(columns)[1:])).rstrip()


def cells(one: Row) -> tuple[str, ...]:
    """The columns of a run."""
    done = f"{one.done:,}/{one.planned:,}" if one.done <= one.planned else f"{one.done:,}"
    started = f"{one.started_at[:16].replace('T', ' ')} UTC"
    money = figures.money(one.cost)
    size = figures.size(one.octets) if one.octets else "missing"
    return ("*" if one.default else "", one.run, one.state, done, money, size, started)


def scores(one: Row, width: int) -> list[Text]:
    """Best and its gain, on a line if it is wide enough."""
    if one.score is None:
        return [Text("nothing is measured yet", "dim")]
    best = Text(f"best {one.best} {score(one.score)}")
    if one.gain is None:
        return [best]
    gain = Text(f"gain {figures.change(one.gain, one.score.simulated)}", sign(one.gain))
    return [best, gain] if width < NARROW else [best.append("   ").append_text(gain)]


def legend(rows: Sequence[Row]) -> list[Text]:
    """What the star and the figures mean."""
    if not rows:
        return []
    picked = next((one.run for one in rows if one.picked and one.default), None)
    why = "picked; `evolve runs pick --newest` undoes it" if picked else "the newest"
    notional = "; costs of simulated models are notional" if any(one.notional for one in rows) else ""
    return [Text(f"* what commands mean that name no run ({why}){notional}", "dim")]


def left_line(name: str, octets: int) -> Text:
    """A folder of a run that has no rows."""
    text = f"{figures.visible(name)}: no rows, {figures.size(octets)}; `evolve runs delete {name}` removes it"
    return Text(text, "yellow")
