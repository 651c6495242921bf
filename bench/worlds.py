"""Simulated worlds of scores, and what becomes of items in them before a gate. The gates are the real ones.

An item has a true weak mean and a true gap. It is tried in up to 8 rounds, each a new question with the same true means,
until one passes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from harness import gate, sequential
from harness.gate import Preset
from harness.sequential import Move, Sequential

ROUNDS, CALLS, LONGEST = 8, 2, 12
Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Scores = Sequence[Sequence[float]]
"""Of one round: weak and strong for selecting, weak and strong for confirming; as many of each as may be asked for."""


@dataclass(frozen=True)
class World:
    """How attempts scatter. sds: of weak and of strong; weak: the range of true weak means.

    shape: `normal`, clipped to [0, 1]; `steps`, the same in twentieths; `beta`; `binary`, right or wrong.
    """

    shape: str = "normal"
    sds: tuple[float, float] = (0.18, 0.18)
    weak: tuple[float, float] = (0.45, 0.60)

    def scores(self, gap: float, items: int, seed: int) -> Array:
        """Shape (items, rounds, 4, LONGEST): see `Scores`."""
        rng = np.random.default_rng([seed, round(1000 * gap)])
        weak = rng.uniform(*self.weak, size=(items, 1, 1, 1))
        drawn = np.empty((items, ROUNDS, 4, LONGEST))
        drawn[:, :, 0::2] = self.attempts(
            rng, np.broadcast_to(weak, (items, ROUNDS, 2, LONGEST)), self.sds[0]
        )
        drawn[:, :, 1::2] = self.attempts(
            rng, np.broadcast_to(weak + gap, (items, ROUNDS, 2, LONGEST)), self.sds[1]
        )
        return drawn

    def attempts(self, rng: np.random.Generator, mean: Array, sd: float) -> Array:
        """Scores of attempts around these means."""
        if self.shape == "binary":
            return (rng.random(mean.shape) < mean).astype(float)
        if self.shape == "beta":
            inner = np.minimum(mean, 0.95)
            size = np.maximum(inner * (1 - inner) / sd**2 - 1, 0.5)
            return np.asarray(rng.beta(inner * size, (1 - inner) * size))
        clipped: Array = np.clip(rng.normal(mean, sd), 0, 1)
        return np.round(clipped * 20) / 20 if self.shape == "steps" else clipped


@dataclass(frozen=True)
class Round:
    """What became of one question. gap: as reported, if it passed; middle: the posterior's mean."""

    passed: bool
    attempts: int
    gap: float = 0.0
    middle: float = 0.0


Judge = Callable[[Scores], Round]


def plain(preset: Preset, weak: int = 3, strong: int = 3) -> Judge:
    """The gate without confirmation: so many weak attempts, then so many strong ones if weak has failed."""

    def judge(scores: Scores) -> Round:
        some, others = scores[0][:weak], scores[1][:strong]
        if not gate.weak_verdict(preset, some).accepted:
            return Round(False, weak)
        if not gate.verdict(preset, some, others).accepted:
            return Round(False, weak + strong)
        gap = fmean(others) - fmean(some)
        return Round(True, weak + strong, gap, gap)

    return judge


def selected(preset: Preset, rule: Sequential = sequential.GRADED) -> Judge:
    """The selecting half of the honest gate, one by one; what it measures is not reported."""

    def judge(scores: Scores) -> Round:
        move, weak, strong = played(sequential.select, rule, preset, scores[:2])
        return Round(move.verdict is not None and move.verdict.accepted, len(weak) + len(strong))

    return judge


def confirmed(preset: Preset, rule: Sequential = sequential.GRADED, first: Judge | None = None) -> Judge:
    """The honest gate: selecting, or another gate first, then fresh attempts one by one."""
    select = first or selected(preset, rule)

    def judge(scores: Scores) -> Round:
        before = select(scores)
        if not before.passed:
            return before
        move, weak, strong = played(sequential.confirm, rule, preset, scores[2:])
        spent = before.attempts + len(weak) + len(strong)
        if move.verdict is None or move.posterior is None or not move.verdict.accepted:
            return Round(False, spent)
        return Round(True, spent, fmean(strong) - fmean(weak), move.posterior.gap)

    return judge


Stage = Callable[[Sequential, Preset, Sequence[float], Sequence[float]], Move]


def played(
    stage: Stage, rule: Sequential, preset: Preset, scores: Scores
) -> tuple[Move, Sequence[float], Sequence[float]]:
    """One stage to its end: its last move, and the scores that it drew."""
    weak = strong = 0
    while (move := stage(rule, preset, scores[0][:weak], scores[1][:strong])).verdict is None:
        weak, strong = weak + move.weak, strong + move.strong
    return move, scores[0][:weak], scores[1][:strong]


@dataclass(frozen=True)
class Cell:
    """Many items of one true gap before one gate. true: the gap of what was drawn, clipping and all.

    passed: share of items; calls, rounds: per item, whether it passed or not; gap, middle: see `Round`, of those that
    passed.
    """

    passed: float
    calls: float
    rounds: float
    gap: float
    middle: float
    true: float


def cell(judge: Judge, world: World, gap: float, items: int, seed: int = 1) -> Cell:
    """Play so many items."""
    drawn = world.scores(gap, items, seed)
    ends = [item(judge, drawn[one].tolist()) for one in range(items)]
    found = [rounds[-1] for rounds in ends if rounds[-1].passed]
    return Cell(
        passed=len(found) / items,
        calls=CALLS * fmean(sum(one.attempts for one in rounds) for rounds in ends),
        rounds=fmean(len(rounds) for rounds in ends),
        gap=fmean(end.gap for end in found) if found else float("nan"),
        middle=fmean(end.middle for end in found) if found else float("nan"),
        true=float(drawn[:, :, 1::2].mean() - drawn[:, :, 0::2].mean()),
    )


def item(judge: Judge, questions: Sequence[Scores]) -> list[Round]:
    """The rounds of an item, to the first that passes."""
    rounds: list[Round] = []
    for scores in questions:
        rounds.append(judge(scores))
        if rounds[-1].passed:
            break
    return rounds
