"""Runs that cannot improve, simulated: what a survival rule makes of children that equal their parents. Asks no model.

The rule is the very one that a run uses: its `step` and `record` are called, only the scores are drawn from pass rates.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from evolve.contest import Contest, Measure, Record, Survival, Terms, Trial, valid
from evolve.iteration import Candidate
from evolve.pass_rates import LEAST_RATE, Rates
from evolve.population import Standing
from evolve.rules import function_of
from evolve.selection import Pressure, Select, Survives, refuse_idle
from harness.errors import UsageError

ENDLESS = 1_000_000
STEPS = 40


@dataclass(frozen=True)
class Scenario:
    """Runs to simulate. better: iteration -> gain of its child, in points of the score; all others equal their parent.

    minibatch: training documents of an iteration. rerun: whether the child is run on them too. screen: whether that is a
    check before its contest, see `screened`. fruitless: share of the iterations that make no child. selection, pressure:
    the rule that draws parents, and how hard it presses.
    """

    survival: str
    terms: Terms
    documents: int
    iterations: int
    rates: Rates
    better: Mapping[int, float] = field(default_factory=dict)
    minibatch: int = 0
    rerun: bool = False
    screen: bool = False
    fruitless: float = 0.0
    selection: str = "boltzmann"
    pressure: Pressure = field(default_factory=Pressure)

    @property
    def training(self) -> int:
        """Rollouts on training documents of an iteration that makes a child."""
        return 2 * self.minibatch if self.rerun else self.minibatch


@dataclass(frozen=True)
class Match:
    """A contest to be held. parent, child: pass rates by document, shape (documents,). record, rival: see `Contest`."""

    number: int
    parent: np.ndarray
    child: np.ndarray
    record: Record
    rival: Record | None = None


@dataclass(frozen=True)
class Held:
    """A contest that was held: what became of the child, and all of the draws."""

    survival: Survival
    contest: Contest
    looks: int

    @property
    def survived(self) -> bool:
        return self.survival.survived

    @property
    def rollouts(self) -> int:
        return len(self.contest.parent) + len(self.contest.child)


@dataclass(frozen=True)
class Step:
    """One simulated iteration in rollouts: on training documents, in its contest, for a survivor's fresh record.

    looks: how often the rule was asked and wanted more; 0: no contest was held. kept: whether the child survived.
    """

    training: int
    contest: int = 0
    record: int = 0
    looks: int = 0
    kept: bool = False
    contender: bool = False

    @property
    def rollouts(self) -> int:
        return self.training + self.contest + self.record


@dataclass(frozen=True)
class Simulated:
    """One simulated run. baseline: rollouts of the baseline's record."""

    baseline: int
    steps: tuple[Step, ...]

    @property
    def rollouts(self) -> int:
        """All but the final test."""
        return self.baseline + sum(one.rollouts for one in self.steps)

    @property
    def kept(self) -> int:
        """How many children survived."""
        return sum(one.kept for one in self.steps)

    @property
    def contenders(self) -> int:
        """How many became parents without a claim."""
        return sum(one.contender for one in self.steps)


@dataclass(frozen=True)
class Functions:
    """The two functions of a survival rule, see `evolve.selection.Survives`."""

    step: Survives
    record: Callable[[int, Terms], int]


def rule_of(name: str) -> Functions:
    """The survival rule of that name.

    Raises:
        UsageError: there is no such module, or it lacks one of the two functions of a survival rule.
    """
    return Functions(function_of(name, "step"), function_of(name, "record"))


def simulate(scenario: Scenario, seed: tuple[int, ...]) -> Simulated:
    """A run from its baseline to its last iteration.

    Raises:
        UsageError: the rule cannot be used.
    """
    survival, rng = rule_of(scenario.survival), np.random.default_rng(seed)
    rates = scenario.rates.draw(scenario.documents, rng)
    record, baseline = recorded(survival, rates, scenario.terms, rng)
    record, baseline = (record, baseline) if baseline else once(rates, rng)
    family, steps = Family(rates, record, scenario), list[Step]()
    for number in range(1, scenario.iterations + 1):
        parent = family.draw(rng)
        gain = scenario.better.get(number, 0.0)
        child = shifted(parent.rates, gain) if gain else parent.rates
        if (before := cheap(scenario, parent.rates, child, rng)) is not None:
            steps.append(before)
            continue
        one = parent.reference
        rival = None if one is parent else parent.record
        held, spent = contest(scenario, Match(number, one.rates, child, one.record, rival), rng), 0
        one.record = one.record.plus(valid(held.contest.parent), 0)
        if held.survival.outcome != "dropped":
            record = Record(valid(held.contest.child))
            if held.survived:
                fresh, spent = recorded(survival, child, scenario.terms, rng)
                record = fresh if spent else record
            family.add(Member(number, child, record, parent, held.survival.contender))
        ended = held.survived, held.survival.contender
        steps.append(Step(scenario.training, held.rollouts, spent, held.looks, *ended))
    return Simulated(baseline, tuple(steps))


@dataclass(eq=False)
class Member:
    """A simulated candidate with its pass rates and what counts of its draws. parent: None of the baseline."""

    number: int
    rates: np.ndarray
    record: Record
    parent: "Member | None" = None
    contender: bool = False

    @property
    def reference(self) -> "Member":
        """Whom its children are compared with: itself, or the nearest ancestor of a contender that is none."""
        return self.parent.reference if self.contender and self.parent is not None else self


class Family:
    """The baseline and all children that may be parents."""

    def __init__(self, rates: np.ndarray, record: Record, scenario: Scenario) -> None:
        self.members = {"c0": Member(0, rates, record)}
        self.children = Counter[str]()
        self.select: Select = function_of(scenario.selection, "select")
        self.pressure = scenario.pressure

    def add(self, one: Member) -> None:
        """One that may be a parent from now on."""
        self.members[f"c{one.number}"] = one

    def draw(self, rng: np.random.Generator) -> Member:
        """A parent, as a run selects it; the baseline as long as it is alone."""
        chosen = "c0"
        if len(self.members) > 1:
            standings = [
                Standing(Candidate(key, one.number, None, "", ""), one.record)
                for key, one in self.members.items()
            ]
            chosen = self.select(standings, self.children, self.pressure, rng).parent.id
        self.children[chosen] += 1
        return self.members[chosen]


def cheap(scenario: Scenario, parent: np.ndarray, child: np.ndarray, rng: np.random.Generator) -> Step | None:
    """An iteration that ends before its contest: no child was made, or the minibatch speaks against it; else None."""
    if scenario.fruitless and rng.random() < scenario.fruitless:
        return Step(scenario.minibatch)
    if scenario.rerun and scenario.screen and screened(parent, child, scenario.minibatch, rng):
        return Step(scenario.training)
    return None


def contest(scenario: Scenario, match: Match, rng: np.random.Generator) -> Held:
    """One contest to its end, by the rule's own steps.

    Raises:
        UsageError: the rule neither decides nor asks for a draw, asks for more than a million, or is the user's and fails.
    """
    survival = rule_of(scenario.survival)
    order = tuple(map(str, rng.permutation(len(match.parent))))
    now, looks = Contest(match.number, order, match.record, scenario.terms, rival=match.rival), 0
    while isinstance(wanted := survival.step(now), Measure):
        refuse_idle(scenario.survival, wanted)
        now, looks = (
            now.drawn(draws(wanted.parent, match.parent, rng), draws(wanted.child, match.child, rng)),
            looks + 1,
        )
        if len(now.parent) + len(now.child) > ENDLESS:
            raise UsageError(
                f"the rule {scenario.survival!r} has not decided after {ENDLESS:,} rollouts; mend its `step`, or set "
                "search.most"
            )
    return Held(wanted, now, looks)


def draws(documents: tuple[str, ...], rates: np.ndarray, rng: np.random.Generator) -> list[Trial]:
    """Each of these documents once: 1 with its pass rate, else 0."""
    passed = rng.random(len(documents)) < rates[[int(one) for one in documents]]
    return [Trial(one, 0, float(hit)) for one, hit in zip(documents, passed, strict=True)]


def recorded(
    survival: Functions, rates: np.ndarray, terms: Terms, rng: np.random.Generator
) -> tuple[Record, int]:
    """A fresh record as the rule wants it, and its rollouts: none if it wants none."""
    trials = survival.record(len(rates), terms)
    return Record(valid(draws(tuple(map(str, range(len(rates)))) * trials, rates, rng))), trials * len(rates)


def once(rates: np.ndarray, rng: np.random.Generator) -> tuple[Record, int]:
    """Every document once: the baseline's record where the rule wants none."""
    return Record(valid(draws(tuple(map(str, range(len(rates)))), rates, rng))), len(rates)


def screened(parent: np.ndarray, child: np.ndarray, size: int, rng: np.random.Generator) -> bool:
    """Whether a child is dropped before its contest: not one of its parent's failures on a minibatch gets better.

    Training documents are taken to be passed as often as validation documents.
    """
    chosen = rng.integers(len(parent), size=size)
    failed = rng.random(size) >= parent[chosen]
    passed = rng.random(size) < child[chosen]
    return bool(failed.any() and not (failed & passed).any())


def shifted(rates: np.ndarray, gain: float) -> np.ndarray:
    """The pass rates with the same amount added to all their logits, so that their mean rises by `gain`.

    It rises by less where that would lead to a mean above 1.
    """
    logits = np.log(rates / (1 - rates))
    low, high = 0.0, 40.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        raised = 1 / (1 + np.exp(-logits - middle))
        low, high = (middle, high) if raised.mean() - rates.mean() < gain else (low, middle)
    return np.asarray(np.clip(1 / (1 + np.exp(-logits - low)), LEAST_RATE, 1 - LEAST_RATE))
