"""The estimate of a run for a terminal: rollouts, calls, tokens, money and time with ranges, and what it rests on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evolve.pass_rates import Rates
from evolve.planning.values import Forecast, Limit, Line, Pilot, Range, Shape
from evolve.report import figures
from evolve.report.null_view import facts
from evolve.report.views import titled
from harness.types import ROLES, Role

FEW = 10  # documents


@dataclass(frozen=True)
class Seen:
    """The pilot in a few figures."""

    source: str
    rollouts: int
    documents: int
    outcomes: dict[str, int]
    simulated: tuple[Role, ...]
    fruitless: float


@dataclass(frozen=True)
class Planned:
    """Everything that is shown. settings: where they are from. forecast: None where no rollout was measured."""

    settings: str
    run: str | None
    instrument: str
    survival: str
    rates: Rates
    better: int
    effect: float
    control: float
    workers: int
    shape: Shape
    pilot: Seen | None
    forecast: Forecast | None


def seen(pilot: Pilot | None) -> Seen | None:
    """What is told of a pilot."""
    if pilot is None:
        return None
    outcomes = dict(pilot.outcomes)
    return Seen(pilot.source, pilot.rollouts, pilot.documents, outcomes, pilot.simulated, pilot.fruitless)


def drawn(one: Planned) -> RenderableType:
    """All of it."""
    title = f"Plan of a run: {one.shape.iterations} iterations, rule {figures.visible(one.survival)}"
    parts = [titled(title, head(one)), titled("Rollouts", rollouts(one.shape))]
    if one.forecast is None:
        parts.append(Text(unmeasured(one.shape)))
        return Group(*parts)
    parts.append(titled("Median, and range of 90 % of the simulated runs", costs(one.forecast)))
    if one.forecast.limits:
        parts.append(titled("Budget", budget(one.forecast.limits, one.shape.iterations)))
    parts.append(titled("Assumed", Text("\n".join(assumptions(one)))))
    return Group(*parts)


def unmeasured(one: Shape) -> str:
    """What to do for an estimate in calls and money."""
    return (
        "What a rollout costs is not measured, and measuring it asks real models. `evolve plan --pilot 3` runs the "
        f"baseline scaffold on 3 training documents (3 rollouts; the run has about {one.all.middle:,.0f}) and estimates "
        "calls, tokens, money and time from them."
    )


def head(one: Planned) -> Table:
    grid = facts()
    grid.add_row("settings", figures.visible(one.settings.removeprefix("settings: ")))
    grid.add_row("instrument", one.instrument)
    grid.add_row("pass rates", one.rates.source)
    if one.pilot is not None:
        grid.add_row("pilot", figures.visible(pilot(one.pilot)))
    return grid


def pilot(one: Seen) -> str:
    """Whose rollouts, how many, and how they ended."""
    ended = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in one.outcomes.items())
    documents = f"{figures.count(one.rollouts, 'rollout')} of {figures.count(one.documents, 'document')}"
    everything = len(one.simulated) == len(ROLES)
    marked = (
        ""
        if not one.simulated
        else "; simulated"
        if everything
        else f"; simulated: {', '.join(one.simulated)}"
    )
    return f"{one.source}: {documents}{f' ({ended})' if ended else ''}{marked}"


def rollouts(one: Shape) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(justify="right")
    grid.add_column()
    for name, each in (
        ("baseline", one.baseline),
        ("an iteration", one.iteration),
        ("final test", one.test),
        ("all", one.all),
    ):
        grid.add_row(name, f"{each.middle:,.0f}", Text(ends(each, lambda value: f"{value:,.0f}"), "dim"))
    return grid


def ends(one: Range, form: Callable[[float], str]) -> str:
    """`812 to 1,240`, or nothing where both are alike."""
    low, high = form(one.low), form(one.high)
    return "" if low == high else f"{low} to {high}"


def costs(one: Forecast) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim")
    for _ in range(3):
        grid.add_column(justify="right")
        grid.add_column(style="dim")
    heads = ("", "calls", "", "tokens", "", "money", "")
    grid.add_row(*(Text(one, "dim") for one in heads))
    for each in one.lines:
        style = "bold" if each.role == "all" else ""
        cells = list(line(each))
        grid.add_row(
            each.role, *(Text(cell, style if at % 2 == 0 else "dim") for at, cell in enumerate(cells))
        )
    if one.wall is not None:
        grid.add_row("time", Text(figures.clock(one.wall.middle), "bold"), ends(one.wall, figures.clock))
    return grid


def line(one: Line) -> Iterator[str]:
    """Median and ends of calls, tokens and money."""
    for each in (one.calls, one.tokens):
        yield figures.amount(each.middle)
        yield span(each)
    if one.cost is None:
        yield "not known"
        yield ""
    else:
        yield figures.money(one.cost.middle)
        yield f"${span(one.cost)}"


def span(one: Range) -> str:
    """`6.8-23 k`: both ends in the unit of the higher, to two figures."""
    size, unit = next(((size, f" {unit}") for size, unit in figures.UNITS if one.high >= size), (1.0, ""))
    return f"{brief(one.low / size)}-{brief(one.high / size)}{unit}"


def brief(number: float) -> str:
    """Two figures, all of those before the point."""
    return f"{number:.0f}" if number >= 9.95 or number == 0 else f"{number:.2g}"


def budget(limits: tuple[Limit, ...], iterations: int) -> Table:
    """A line for each limit that is set."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for one in limits:
        reached = one.iterations
        share = f"{reached.middle / iterations:.0%} of the iterations"
        span = f"{reached.low:.0f} to {reached.high:.0f} of {iterations}"
        whole = f"whole run with its test within it: {one.whole:.0%} of the simulated runs"
        grid.add_row(limit(one), f"reaches {share} ({span}); {whole}")
    return grid


def limit(one: Limit) -> str:
    """`$60`, `9,000 calls of strong`."""
    value = figures.money(one.value) if one.name == "cost" else f"{one.value:,.12g} {one.name}"
    return f"{value} of {one.role}" if one.role else value


def assumptions(one: Planned) -> Iterator[str]:
    """What the estimate rests on."""
    assert one.pilot is not None
    assert one.forecast is not None
    equal = (
        "every child equal to its parent"
        if not one.better
        else (f"{one.better} of the children better by {one.effect:g}, the others equal to their parent")
    )
    extra = (
        f"; each child kept adds {one.shape.survivor:,} rollouts of its fresh record"
        if one.shape.survivor
        else ""
    )
    yield f"{equal[0].upper()}{equal[1:]} (worse ones are dropped sooner){extra}."
    if not one.forecast.edits_measured:
        yield (
            "Analyzer and implementer are not measured but estimated from the size of their prompts, with 1 to 2 and 1 to 3 "
            "calls an iteration and answers of 300 to 4,000 tokens."
        )
    else:
        yield f"{one.pilot.fruitless:.0%} of the iterations make no child, and edits cost what they cost, as recorded."
    if one.control:
        yield f"The control arms get {one.control:.0%} of the rollouts."
    yield "Time is that of the calls alone, from perfect to poor use of the call slots."
    if one.pilot.documents < FEW:
        yield f"A pilot of {figures.count(one.pilot.documents, 'document')} is small: take the ranges as rough."
    if one.pilot.simulated:
        yield "Simulated models: tokens, time and notional prices say nothing of real ones."
