"""Pictures of a comparison: the table on a terminal of any width, the same in Markdown, and as plain values. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from evolve.comparing.stored import Compared
from evolve.comparing.table import LINES, Column, Difference, Form, Line, Table
from evolve.intervals import Interval
from evolve.report import figures
from evolve.report.views import sign

GAP = 2
BRACKETS = r"\[[^\]]*\]"
SIMULATED = "Simulated models: these figures show the machinery, not the quality of any model or method."


def drawn(one: Compared, found: Table, width: int) -> RenderableType:
    """The whole comparison in so many columns."""
    simulated = one.facts.measured_by_simulation
    head = Text.assemble(
        (f"Comparison {one.name}", "bold"),
        (f"  {one.facts.domain}, preset {one.facts.preset}, instrument {one.facts.instrument}", "dim"),
        ("  simulated" if simulated else "", "magenta"),
    )
    parts: list[RenderableType] = [head, *blocks(found, width)]
    if found.differences:
        parts += [
            Text("Differences on the same documents", "bold"),
            Padding(differences(found, simulated), (0, 0, 1, 1)),
        ]
    return Group(*parts, *(Text(note, "dim") for note in notes(one, found)))


def blocks(found: Table, width: int) -> list[Text]:
    """The lines of the table: with each interval beside its figure if all arms then fit, else below it, in several blocks
    if need be."""
    lines, columns = shown(found), found.columns
    label = max(len(line.label) for line in lines) + 1
    cells = {c.arm.name: [cell(figure, line.form) for line, figure in given(c, lines)] for c in columns}
    beside = {c.arm.name: max(len(f"{a} {b}") for a, b in cells[c.arm.name]) for c in columns}
    below = {name: max(max(map(len, pair)) for pair in own) for name, own in cells.items()}
    flat = label + sum(max(size, len(name)) + GAP for name, size in beside.items()) <= width
    sizes = {name: max(size, len(name)) + GAP for name, size in (beside if flat else below).items()}
    frame = Frame(label, sizes, flat)
    return [line for some in fitting(columns, sizes, width - label) for line in block(some, lines, frame)]


def fitting(columns: Sequence[Column], sizes: Mapping[str, int], room: int) -> list[list[Column]]:
    """The arms in groups that fit into so many characters, at least one in each."""
    groups: list[list[Column]] = []
    left = 0
    for column in columns:
        size = sizes[column.arm.name]
        if not groups or size > left:
            groups.append([])
            left = room
        groups[-1].append(column)
        left -= size
    return groups


@dataclass(frozen=True)
class Frame:
    """Widths in characters: of the labels, and of each arm's column; flat: an interval stands beside its figure."""

    label: int
    sizes: Mapping[str, int]
    flat: bool

    def line(self, label: str, columns: Sequence[Column], cells: Sequence[str], style: str = "") -> Text:
        """One line of the screen; what is in brackets is dim."""
        sizes = [self.sizes[column.arm.name] for column in columns]
        text = Text(
            label.ljust(self.label)
            + "".join(each.rjust(size) for each, size in zip(cells, sizes, strict=True)),
            style,
        )
        text.highlight_regex(BRACKETS, "dim")
        return text


def block(columns: Sequence[Column], lines: Sequence[Line], frame: Frame) -> list[Text]:
    """Some arms side by side."""
    made = [Text(), frame.line("", columns, [column.arm.name for column in columns], "bold")]
    section = ""
    for row in zip(*(given(column, lines) for column in columns), strict=True):
        line = row[0][0]
        made += [Text(line.section, "bold")] if line.section != section else []
        section = line.section
        cells = [cell(figure, line.form) for _, figure in row]
        if frame.flat:
            made.append(frame.line(f" {line.label}", columns, [f"{a} {b}".strip() for a, b in cells]))
        else:
            made.append(frame.line(f" {line.label}", columns, [a for a, _ in cells]))
            made.append(frame.line("", columns, [b for _, b in cells]))
    made.append(Text("Numbers", "bold"))
    made += [frame.line(f" {name}", columns, [f"{one:,}" for one in own]) for name, own in numbers(columns)]
    return [*made, Text()]


def shown(found: Table) -> list[Line]:
    """The lines with something to say: not those where every arm that has a figure has nought, upper end included."""
    every = zip(*(column.figures for column in found.columns), strict=True)
    return [
        line for line, row in zip(LINES, every, strict=True) if any(one and says(one, line) for one in row)
    ]


def says(figure: Interval, line: Line) -> bool:
    """Whether a figure is worth a line; a failure that never came, or the rubric of tasks that have none, is not."""
    optional = line.key.startswith("failed_") or line.key == "rubric_items"
    return not optional or bool(figure.value or figure.high)


def given(column: Column, lines: Sequence[Line]) -> Iterator[tuple[Line, Interval | None]]:
    """Those lines with the figures of one arm."""
    known = {line.key: figure for line, figure in zip(LINES, column.figures, strict=True)}
    return ((line, known[line.key]) for line in lines)


def numbers(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """What the figures rest on; a line that would be all noughts is left out."""
    every = [
        ("documents", [one.counts.documents for one in columns]),
        ("not measured", [one.counts.missing for one in columns]),
        ("kept", [one.counts.kept for one in columns]),
        ("kept, both tried", [one.counts.measured for one in columns]),
        ("accepted by the gate", [one.counts.passed for one in columns]),
        ("all, both tried", [one.counts.items for one in columns]),
        ("tasks a document", [one.arm.generations for one in columns]),
    ]
    best = any(one.arm.kind == "best_of" for one in columns)
    return [pair for pair in every if any(pair[1]) and (best or pair[0] != "tasks a document")]


def cell(figure: Interval | None, form: Form) -> tuple[str, str]:
    """A figure, and the ends of its interval in brackets."""
    if figure is None:
        return "-", ""
    ends = (written(one, form).lstrip("$") for one in (figure.low, figure.high))
    return written(figure.value, form), f"[{', '.join(ends)}]"


def written(value: float, form: Form) -> str:
    """A number as its kind of figure is written; an end that the data do not bound is an infinity."""
    if not isfinite(value):
        return "∞" if value > 0 else "-∞"
    match form:
        case "score":
            return f"{value:.2f}"
        case "share":
            return f"{value:.0%}"
        case "number":
            return f"{value:.1f}"
        case "count":
            return f"{value:,.0f}"
        case "money":
            return money(value)


def money(dollars: float) -> str:
    """Dollars with the digits that tell two arms apart: `$0.0121`, `$0.412`, `$3.10`."""
    if dollars == 0 or dollars < 0.001:
        return figures.money(dollars)
    return f"${dollars:,.{4 if dollars < 0.1 else 3 if dollars < 1 else 2}f}"


def differences(found: Table, simulated: bool) -> Grid:
    """Each arm minus the reference."""
    made = Grid.grid(padding=(0, GAP, 0, 0))
    for one in found.differences:
        for name, gain in named(one):
            text = Text(figures.change(gain, simulated), sign(gain))
            made.add_row(
                Text(f"{one.arm} - {one.reference}" if name == "gap" else "", "bold"), Text(name, "dim"), text
            )
    return made


def named(one: Difference) -> list[tuple[str, Interval | None]]:
    """The differences of an arm by name."""
    return [("gap", one.gap), ("accepted", one.accepted), ("kept", one.kept)]


def notes(one: Compared, found: Table) -> list[str]:
    """What one has to know to read the table."""
    counts = found.columns[0].counts
    apart = f", {counts.not_suitable} more are not suitable and in no figure" if counts.not_suitable else ""
    said = [
        f"{figures.count(counts.documents, 'document')} of {one.facts.source}{apart}. In brackets: 95 % intervals."
    ]
    one_shot = [c.arm.name for c in found.columns if c.arm.one_shot]
    hearing = [c for c in found.columns if not c.arm.one_shot]
    if one_shot:
        said.append(
            f"Kept: of {' and '.join(one_shot)} what the verifier passes (both solvers try all of it), of the others "
            "what the gate accepts."
        )
    fresh = sum(c.counts.fresh for c in hearing)
    if hearing and fresh:
        said.append(
            f"Scores of {', '.join(c.arm.name for c in hearing)} are those of fresh attempts, which did not select the task "
            "but did confirm it."
        )
    elif hearing:
        said.append(
            f"Scores of {', '.join(c.arm.name for c in hearing)} are those that selected the task, so they flatter it; "
            "--preset confirmed reports fresh ones."
        )
    said += [
        f"{c.counts.untried:,} more tasks of {c.arm.name} ended before the strong solver tried them, as a rule because the "
        "weak one did well on them; they are in no score."
        for c in hearing
        if c.counts.untried
    ]
    if "cot" in one_shot:
        said.append(
            "A kept task of cot costs what making it takes (challenger, verifier); an accepted one all, measuring included."
        )
    said += [bought(c, found) for c in found.columns if c.arm.kind == "best_of"]
    if one.facts.simulated:
        every = "all roles" if len(one.facts.simulated) == 7 else ", ".join(one.facts.simulated)
        said.append(f"{SIMULATED} Simulated: {every}; their prices are notional.")
    return said


def bought(column: Column, found: Table) -> str:
    """What a best-of-k arm was given, and what it came to."""
    unit = "cost_per_document"
    spent, given_ = (figure_of(one, unit) for one in (column, by_name(found, column.arm.spend_of)))
    k = column.arm.generations
    paid = (
        f"{money(spent.value)} a document, {column.arm.spend_of} {money(given_.value)}"
        if spent and given_
        else ""
    )
    return (
        f"{column.arm.name}: of {figures.count(k, 'one-shot task')} a document the one with the largest gap, measured "
        f"again on fresh attempts. That comes nearest to the spend of {column.arm.spend_of} ({paid})."
    )


def figure_of(column: Column, key: str) -> Interval | None:
    """One figure of an arm, by its key."""
    return next(figure for line, figure in zip(LINES, column.figures, strict=True) if line.key == key)


def by_name(found: Table, name: str) -> Column:
    """The column of an arm."""
    return next(one for one in found.columns if one.arm.name == name)


def markdown(one: Compared, found: Table) -> str:
    """The same as a Markdown table."""
    lines = shown(found)
    label = " (simulated)" if one.facts.measured_by_simulation else ""
    head = [
        f"| {one.facts.domain}, preset {one.facts.preset}{label} | "
        + " | ".join(c.arm.name for c in found.columns)
        + " |"
    ]
    head.append("|---" * (len(found.columns) + 1) + "|")
    for row in zip(*(given(column, lines) for column in found.columns), strict=True):
        parts = (" ".join(filter(None, cell(figure, row[0][0].form))) for _, figure in row)
        title = (
            f"failed rounds: {row[0][0].label}" if row[0][0].key.startswith("failed_") else row[0][0].label
        )
        head.append(f"| {title} | " + " | ".join(parts) + " |")
    for name, values in numbers(found.columns):
        head.append(f"| number: {name} | " + " | ".join(f"{value:,}" for value in values) + " |")
    tail = [
        f"- {one_.arm} minus {one_.reference}, {name}: {figures.change(gain, bool(label))}"
        for one_ in found.differences
        for name, gain in named(one_)
    ]
    return "\n".join([*head, "", *tail, "", *(f"{note}" for note in notes(one, found))]) + "\n"


def values(one: Compared, found: Table) -> dict[str, Any]:
    """The same for a program. An end of an interval that the data do not bound is null."""
    facts = one.facts
    return {
        "comparison": one.name,
        "created_at": one.created_at,
        "domain": facts.domain,
        "preset": facts.preset,
        "instrument": facts.instrument,
        "sandbox": one.sandbox,
        "source": facts.source,
        "documents": len(facts.documents),
        "documents_hash": facts.documents_hash,
        "simulated": facts.measured_by_simulation,
        "simulated_roles": facts.simulated,
        "arms": [
            {
                **vars(column.arm),
                "counts": vars(column.counts),
                "figures": {line.key: plain(figure) for line, figure in given(column, LINES)},
            }
            for column in found.columns
        ],
        "differences": [
            {
                "arm": each.arm,
                "reference": each.reference,
                **{key: plain(getattr(each, key)) for key in ("gap", "accepted", "kept")},
            }
            for each in found.differences
        ],
        "notes": notes(one, found),
    }


def plain(figure: Interval | None) -> dict[str, float | None] | None:
    """A figure as a JSON object."""
    if figure is None:
        return None
    ends = {
        name: end if isfinite(end) else None for name, end in (("low", figure.low), ("high", figure.high))
    }
    return {"value": figure.value, **ends, "trials": figure.trials}
