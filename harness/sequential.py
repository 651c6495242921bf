"""The honest gate: attempts one after the other until the answer is clear, and fresh ones to confirm what was selected.

Pure decisions. `select` looks for candidates, with the preset's own bounds and as few attempts as it can; `confirm`
sees fresh attempts alone, and only their numbers are to be reported: the selecting ones were picked for being high.

The rule is a truncated sequential test (Wald 1945, Ann. Math. Stat. 16:117-186) that stops on posterior probabilities
under a sceptical prior (Spiegelhalter, Freedman and Parmar 1994, J. R. Stat. Soc. A 157:357-416). Such thresholds
promise no error rate by themselves; these were chosen by simulation: bench/gate.py, docs/gate.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.gate import SLACK, Preset, verdict, weak_verdict
from harness.posterior import at_most, checked, noise, posterior
from harness.trajectory import Posterior, Verdict

VERSION = 1
LIKELY = 0.5
"""What passes has the required gap rather than not."""
SINGLE = frozenset({"weak_best_high", "weak_zero", "strong_zero"})
"""Bounds on single attempts, which no further attempt can mend."""
ORDER = (
    "weak_mean_high",
    "weak_best_high",
    "weak_zero",
    "strong_mean_low",
    "strong_mean_high",
    "strong_zero",
    "gap_small",
    "gap_unclear",
    "gap_unconfirmed",
)
Sides = tuple[Sequence[float], Sequence[float]]
"""Scores of weak and of strong."""


@dataclass(frozen=True)
class Sequential:
    """The numbers of the rule: attempts, and probabilities of what they say about the true means.

    weak_first, strong_first, most: the selecting attempts of a side before the first look, and at the last one.
    fresh_first, fresh_step, fresh_most: the confirming ones of each side, before, between and at the last look.
    hopeless: selecting ends if a bound on a mean, or the gap, holds with less.
    refused: confirming ends if the gap holds with less; plausible: if a bound on a mean does.
    """

    binary: bool
    weak_first: int
    strong_first: int
    most: int
    fresh_first: int
    fresh_step: int
    fresh_most: int
    hopeless: float
    refused: float
    plausible: float


GRADED = Sequential(
    binary=False,
    weak_first=1,
    strong_first=2,
    most=3,
    fresh_first=3,
    fresh_step=1,
    fresh_most=10,
    hopeless=0.35,
    refused=0.20,
    plausible=0.10,
)
BINARY = Sequential(
    binary=True,
    weak_first=2,
    strong_first=2,
    most=4,
    fresh_first=4,
    fresh_step=1,
    fresh_most=12,
    hopeless=0.10,
    refused=0.20,
    plausible=0.10,
)


def rule_of(preset: Preset) -> Sequential:
    """The rule for scores of the preset's kind."""
    return BINARY if preset.binary else GRADED


@dataclass(frozen=True)
class Move:
    """What to do next: so many more attempts, drawn at the same time, or the verdict if nothing more is to be drawn.

    posterior: of the gap, as soon as both solvers have attempts.
    """

    weak: int = 0
    strong: int = 0
    verdict: Verdict | None = None
    posterior: Posterior | None = None


def select(rule: Sequential, preset: Preset, weak: Sequence[float], strong: Sequence[float]) -> Move:
    """The selecting stage. Strong is not drawn before the weak attempts obey the preset.

    It passes only what the preset's plain gate passes on the same attempts and what is likely to hold beyond them. It
    never has more attempts than that gate was made for (3 a side, binary: 4), so bounds on the best attempt and on
    zeros mean here what they mean there.

    Raises:
        ValueError: a score that is none, see `checked`.
    """
    sides = checked(weak, rule.binary), checked(strong, rule.binary)
    if len(weak) < rule.weak_first:
        return Move(weak=rule.weak_first - len(weak))
    return separate(rule, preset, *sides) if strong else weaken(rule, preset, weak)


def weaken(rule: Sequential, preset: Preset, weak: Sequence[float]) -> Move:
    """The weak half of selecting: on to strong, one more, or out."""
    said = weak_verdict(preset, weak)
    if said.accepted:
        return Move(strong=rule.strong_first)
    hopeless = SINGLE.intersection(said.reasons) or doubts(rule, preset, (weak, ()), rule.hopeless)
    return Move(verdict=said) if hopeless or len(weak) >= rule.most else Move(weak=1)


def separate(rule: Sequential, preset: Preset, weak: Sequence[float], strong: Sequence[float]) -> Move:
    """The other half of selecting, when both solvers have attempts."""
    found = posterior(weak, strong, required(preset), binary=rule.binary)
    said, last = verdict(preset, weak, strong), min(len(weak), len(strong)) >= rule.most
    if said.accepted and reaches(found, LIKELY):
        return Move(verdict=said, posterior=found)
    lost = {reason for reason in said.reasons if last or reason in SINGLE}
    lost.update(() if last else doubts(rule, preset, (weak, strong), rule.hopeless))
    if not reaches(found, LIKELY if last else rule.hopeless):
        lost.add("gap_small")
    if lost:
        return refusal(lost, found)
    return Move(int(len(weak) < rule.most), int(len(strong) < rule.most), posterior=found)


def confirm(rule: Sequential, preset: Preset, weak: Sequence[float], strong: Sequence[float]) -> Move:
    """The confirming stage, on fresh attempts alone.

    It passes as soon as the required gap is likely and the 95 % interval of the gap lies above 0. Besides, each bound on
    a mean has to be plausible, and each bound on a single attempt is kept by about two attempts in three: what the best
    of three attempts obeys, the best of ten need not.

    Raises:
        ValueError: a score that is none, see `checked`.
    """
    sides = checked(weak, rule.binary), checked(strong, rule.binary)
    if min(len(weak), len(strong)) < rule.fresh_first:
        return Move(max(0, rule.fresh_first - len(weak)), max(0, rule.fresh_first - len(strong)))
    found = posterior(weak, strong, required(preset), binary=rule.binary)
    shown = reaches(found, LIKELY) and found.low > 0
    lost = set(doubts(rule, preset, sides, rule.plausible))
    if shown and not lost and not often(preset, sides, 0):
        return Move(verdict=Verdict(accepted=True, reasons=()), posterior=found)
    last = min(len(weak), len(strong)) >= rule.fresh_most
    lost.update(often(preset, sides, 0 if last else rule.fresh_most))
    if not reaches(found, rule.refused):
        lost.add("gap_unconfirmed")
    elif last and not shown:
        lost.add("gap_unclear")
    return refusal(lost, found) if lost else further(rule, sides, found)


def further(rule: Sequential, sides: Sides, found: Posterior) -> Move:
    """Some more fresh attempts of each solver."""
    weak, strong = (max(0, min(rule.fresh_step, rule.fresh_most - len(side))) for side in sides)
    return Move(weak, strong, posterior=found)


def required(preset: Preset) -> float:
    """The least gap: the preset's own, or the distance of its bounds on the means if that is wider."""
    return max(preset.gap, preset.strong_low - preset.weak_mean)


def reaches(found: Posterior, probability: float) -> bool:
    """Whether the required gap is there with at least this probability."""
    return found.above >= probability - SLACK


def doubts(rule: Sequential, preset: Preset, sides: Sides, least: float) -> tuple[str, ...]:
    """Names of the bounds on means that hold with less than `least`; of weak alone while strong has no attempt."""
    weak, strong = sides
    found = None if rule.binary else noise(*(side for side in sides if side))
    held = [("weak_mean_high", at_most(weak, preset.weak_mean, found))]
    if strong:
        held.append(("strong_mean_low", 1 - at_most(strong, preset.strong_low, found)))
    if strong and preset.strong_high is not None:
        held.append(("strong_mean_high", at_most(strong, preset.strong_high, found)))
    return tuple(name for name, chance in held if chance < least - SLACK)


def often(preset: Preset, sides: Sides, attempts: int) -> tuple[str, ...]:
    """Names of the bounds on single attempts that are broken by more than a third, rounded, of the attempts.

    attempts: how many there will be, if that is more.
    """
    weak, strong = sides
    best = preset.weak_best if preset.weak_best is not None else 1.0
    broken = [("weak_best_high", weak, sum(one > best + SLACK for one in weak))]
    if preset.zero_forbidden:
        broken += [("weak_zero", weak, weak.count(0)), ("strong_zero", strong, strong.count(0))]
    return tuple(name for name, side, times in broken if times > (max(len(side), attempts) + 1) // 3)


def refusal(reasons: set[str], found: Posterior) -> Move:
    """The end, with its reasons in the order in which the gate names them."""
    return Move(
        verdict=Verdict(accepted=False, reasons=tuple(sorted(reasons, key=ORDER.index))), posterior=found
    )
