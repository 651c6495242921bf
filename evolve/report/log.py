"""The log of a run: an iteration in a few lines for people, in one line for a pipe. Values come in, text goes out."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evolve.iteration import KEPT
from evolve.report import figures, records
from evolve.report.overview import Entry
from evolve.report.records import Gap
from evolve.report.store import Score
from evolve.report.views import outcome, sign

LONGEST_REASON = 200
WIDE = 150
ROOMY = 110
LONGEST_OUTCOME = 12
SCORE = 29
CHILD = 41
GAIN = 84


def drawn(entries: Sequence[Entry], width: int) -> RenderableType:
    """A row an iteration where there is room for a table, else a head line and what was tried below it."""
    simulated = any(one.child_score.simulated for one in entries if one.child_score)
    note = "validation, simulated" if simulated else "validation"
    return _table(entries, note) if width >= WIDE else _blocks(entries, note, width)


def lines(entries: Sequence[Entry]) -> Iterator[str]:
    """One line an iteration, however long: for `grep`, and fast for thousands of them."""
    for one in entries:
        measured = one.child_score
        simulated = bool(measured and measured.simulated)
        child = f"child {figures.score(measured.interval, simulated)}" if measured else ""
        gain = f"gain {difference(one, simulated)}{over(one)}" if one.gain else ""
        parent = one.parent or "" if one.number else ""
        head = f"{one.number:>5}  {parent:<6}  {one.outcome.replace('_', ' '):<{LONGEST_OUTCOME}}"
        yield f"{head}  {child:<{CHILD}}  {gain:<{GAIN}}  {_why(one).plain}".rstrip()


def _table(entries: Sequence[Entry], note: str) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=False)
    table.add_column("#", justify="right")
    for name in ("from", "outcome", f"child ({note})", f"child − parent ({note})"):
        table.add_column(name, no_wrap=True)
    table.add_column("what and why", ratio=1)
    for one in entries:
        table.add_row(
            str(one.number),
            one.parent or "" if one.number else "",
            outcome(one.outcome),
            _score(one.child_score),
            Text(_gain(one), sign(one.gain)),
            _why(one),
        )
    return table


def _blocks(entries: Sequence[Entry], note: str, width: int) -> Group:
    number = max((len(str(one.number)) for one in entries), default=1)
    parent = max([4, *(len(one.parent or "") for one in entries)])
    ending = max([7, *(len(one.outcome) for one in entries)])
    roomy = width >= ROOMY
    room = width - (number + parent + ending + 6 + (SCORE + 2 if roomy else 0))  # for the last column
    beside = all(len(_gain(one)) <= room for one in entries)
    child = f"{f'child ({note})':<{SCORE}}  " if roomy else ""
    head = f"{'#':>{number}}  {'from':<{parent}}  {'outcome':<{ending}}  {child}{_heading(note, room)}"
    parts: list[RenderableType] = [Text(head, "dim")]
    for one in entries:
        line = Text(f"{one.number:>{number}}  {one.parent or '' if one.number else '':<{parent}}  ")
        line.append_text(outcome(one.outcome)).append(" " * (ending - len(one.outcome) + 2))
        line.append(f"{_score(one.child_score):<{SCORE}}  " if roomy else "")
        line.append(_gain(one) if beside else _figures(one), sign(one.gain))
        parts.append(line)
        below = _why(one) if beside else _below(one)
        if below.plain:
            parts.append(Padding(below, (0, 0, 0, number + 2)))
    return Group(*parts)


def _heading(note: str, room: int) -> str:
    """Of the last column: whose rollouts are counted is said where there is room."""
    short = f"child − parent ({note})"
    long = f"{short}, rollouts of both"
    return long if len(long) <= room else short


def _below(one: Entry) -> Text:
    """What was tried and why it ended so, whom the gain is over before it."""
    reference = over(one).removeprefix(", ") if one.gain else ""
    why = _why(one)
    return Text.assemble((f"{reference}{'; ' if why.plain else ''}", "dim"), why) if reference else why


def difference(one: Entry, simulated: bool) -> str:
    """A gain as the rule saw it, over documents; with the rollouts of child and parent where those are recorded."""
    if one.gain is None or one.rollouts is None:
        return figures.change(one.gain, simulated)
    return records.text(Gap(one.gain, *one.rollouts), simulated)


def verdict(reason: str) -> str:
    """The reason of a survival rule without its figures, which stand beside it or in `evolve why`."""
    return reason.partition(": difference ")[0]


def _gain(one: Entry) -> str:
    """The figures of the gain and whom it is over."""
    return f"{_figures(one)}{over(one)}" if one.gain else ""


def _figures(one: Entry) -> str:
    if not one.gain:
        return ""
    return difference(one, False).replace(" pairs", "").replace(" pair", "").replace("n=", "")


def over(one: Entry) -> str:
    """Whom a gain is over, where that is not the parent."""
    return f", over {one.against}" if one.against else ""


def _score(one: Score | None) -> str:
    return figures.score(one.interval, False) if one else ""


def _why(one: Entry) -> Text:
    text = Text(figures.visible(" ".join(one.summary.split())))
    reason = "" if one.outcome in KEPT else figures.shortened(verdict(one.reason), LONGEST_REASON)
    if reason:
        text.append(f" ({reason})" if text.plain else reason, "dim")
    return text
