"""Null runs for a terminal: how often luck wins, how noisy scores are, what can be found, what a decision costs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evolve.intervals import Interval
from evolve.null_study import GAINS, Noise, Power, Study
from evolve.pass_rates import Rates
from evolve.planning.values import COMPLETION, PROMPT, Pilot
from evolve.report import figures
from evolve.report.views import titled
from harness.types import ROLES, Model, Role

BESIDE = 3  # rules in one table of 80 columns


@dataclass(frozen=True)
class Rollout:
    """What a rollout costs on average. cost: US dollars; None where a price is not known. source: whose rollouts."""

    calls: float
    tokens: float
    cost: float | None
    rollouts: int
    simulated: bool
    source: str


@dataclass(frozen=True)
class Null:
    """Everything that is shown. runs: simulated for each rule. error: the error budget of a run."""

    iterations: int
    documents: int
    runs: int
    seed: int
    error: float
    instrument: str
    rates: Rates
    noise: Noise
    rules: tuple[Study, ...]
    rollout: Rollout | None


def mean_rollout(pilot: Pilot | None, models: Mapping[Role, Model]) -> Rollout | None:
    """The mean of measured rollouts, at the prices of the settings."""
    if pilot is None:
        return None
    use = pilot.use.mean(axis=0)
    cost: float | None = 0.0
    for at, role in enumerate(ROLES):
        asked, said, model = float(use[at, PROMPT]), float(use[at, COMPLETION]), models[role]
        if not use[at].any():
            continue
        if model.input_price is None or model.output_price is None or cost is None:
            cost = None
        else:
            cost += (asked * model.input_price + said * model.output_price) / 1e6
    tokens = float(use[:, PROMPT].sum() + use[:, COMPLETION].sum())
    return Rollout(float(use[:, 0].sum()), tokens, cost, pilot.rollouts, bool(pilot.simulated), pilot.source)


def drawn(one: Null, width: int) -> RenderableType:
    """All of it, in at most 80 columns if there are that few."""
    parts = [titled(f"Null runs: {one.iterations} iterations, every child equal to its parent", head(one))]
    parts.append(titled("Noise of single scores", noise(one)))
    each = max(1, BESIDE * width // 80)
    for first in range(0, len(one.rules), each):
        beside = one.rules[first : first + each]
        parts.append(titled("What the rule makes of equal children", rules(beside)))
        middle = beside[0].number
        title = f"Chance that a child survives that is better by so much (iteration {middle})"
        parts.append(titled(title, power(beside)))
    parts.append(titled("Cost of one decision", cost(one)))
    parts.append(Text(verdict(one)))
    return Group(*parts)


def head(one: Null) -> Table:
    grid = facts()
    grid.add_row("pass rates", one.rates.source)
    grid.add_row("documents", f"{one.documents} for validation")
    simulated = (
        f"{one.runs} runs a rule, seed {one.seed}; the rule is real, the scores are drawn, no model is asked"
    )
    grid.add_row("simulated", simulated)
    return grid


def noise(one: Null) -> Table:
    grid = facts()
    grid.add_row(
        "same twice", f"two scores of one candidate differ by {one.noise.difference:.2f} (standard deviation)"
    )
    lead = f"the best of {one.noise.of} equal candidates seems {one.noise.best:.2f} better than the baseline, by luck alone"
    grid.add_row("best by luck", lead)
    return grid


def facts() -> Table:
    """A grid of names and sentences."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    return grid


def columns(beside: Sequence[Study], name: str) -> Table:
    """A table with a column a rule."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    for _ in beside:
        grid.add_column(justify="right", overflow="fold")
    grid.add_row(name, *(Text(figures.visible(one.survival), "bold") for one in beside))
    return grid


def rules(beside: Sequence[Study]) -> Table:
    grid = columns(beside, "")
    grid.add_row("false-win rate", *(share(one.false_wins) for one in beside))
    grid.add_row("survivors a run", *(f"{one.kept:.2f}" for one in beside))
    if any(one.contenders for one in beside):
        grid.add_row("contenders a run", *(f"{one.contenders:.1f}" for one in beside))
    grid.add_row("rollouts a decision", *(f"{one.decision:,.0f}" for one in beside))
    grid.add_row("  90th percentile", *(f"{one.most:,.0f}" for one in beside))
    grid.add_row("rollouts of the run", *(f"{one.run:,.0f}" for one in beside))
    grid.add_row("detectable gain", *(detectable(one) for one in beside))
    return grid


def share(one: Interval) -> str:
    """`1.2 % [0.1, 6.7]`, `58 % [47, 68]`: a tenth of a per cent only below ten."""
    value, low, high = (percent(end) for end in (one.value, one.low, one.high))
    return f"{value} % [{low}, {high}]"


def percent(part: float) -> str:
    """The number of per cent, without the sign."""
    return f"{100 * part:.0f}" if part >= 0.0995 or part < 5e-4 else f"{100 * part:.1f}"


def detectable(one: Study) -> str:
    """The smallest gain that survives in 80 % of the cases."""
    if one.detectable is None:
        return f"above {max(each.gain for each in one.power):g}"
    return f"{one.detectable:.2f}"


def power(beside: Sequence[Study]) -> Table:
    grid = columns(beside, "gain")
    chances = [{each.gain: each for each in one.power} for one in beside]
    for gain in GAINS:
        if all(gain in one for one in chances):
            grid.add_row(f"+{gain:g}", *(share(one[gain].chance) for one in chances))
            if any(one.contenders for one in beside):
                grid.add_row("  or contends", *(on(one[gain]) for one in chances))
    return grid


def on(one: Power) -> str:
    """How often a child may be a parent at least."""
    return "" if one.parent is None or one.parent == one.chance else share(one.parent)


def cost(one: Null) -> RenderableType:
    if one.rollout is None:
        return Text("What a rollout costs is not measured yet: `evolve plan --pilot 3` measures it.", "dim")
    each = one.rollout
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    for _ in range(4):
        grid.add_column(justify="right")
    for rule in one.rules:
        for name, rollouts in (
            (figures.visible(rule.survival), rule.decision),
            ("  90th percentile", rule.most),
        ):
            money = "price not known" if each.cost is None else figures.money(each.cost * rollouts)
            cells = (
                f"{figures.amount(each.calls * rollouts)} calls",
                f"{figures.amount(each.tokens * rollouts)} tokens",
            )
            grid.add_row(name, f"{rollouts:,.0f} rollouts", *cells, money)
    note = ", simulated, notional price" if each.simulated else ""
    from_whom = f"by {figures.count(each.rollouts, 'rollout')} of {each.source}{note}"
    return Group(grid, Text(from_whom, "dim"))


def verdict(one: Null) -> str:
    """The false-win rates beside the error budget, in words, and what the figures mean."""
    budget = f"{100 * one.error:g} %"
    said = " ".join(judged(one, budget))
    contends = (
        " Contenders are parents of whom nothing is claimed: a small gain goes on as one and is claimed later, together "
        "with what its descendants add."
        if any(each.contenders for each in one.rules)
        else ""
    )
    return (
        f"{said} The false-win rate is the share of runs in which at least one child survives that is no better; the "
        f"detectable gain is the smallest that survives with a chance of 80 %, by itself.{contends}"
    )


def judged(one: Null, budget: str) -> Iterator[str]:
    """A sentence for each group of rules."""
    groups: dict[str, list[str]] = {}
    for each in one.rules:
        low, high = each.false_wins.low, each.false_wins.high
        word = "above" if low > one.error else "within" if high <= one.error else "open"
        groups.setdefault(word, []).append(figures.visible(each.survival))
    for word, names in groups.items():
        listed = ", ".join(names)
        if word == "above":
            yield f"Above the error budget of {budget} (search.error): {listed}."
        elif word == "within":
            yield f"Within the error budget of {budget}: {listed}."
        else:
            yield f"Not told apart from the error budget of {budget} by {one.runs} runs: {listed}; --runs takes more."
