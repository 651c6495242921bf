"""The gate: pure decisions on scores. An example is accepted only if it separates the weak from the strong solver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import Literal

from harness.types import Criterion, Verdict

VERSION = 1
PresetName = Literal["deployed", "prose", "meta"]


@dataclass(frozen=True)
class Preset:
    """Bounds on attempt scores in [0, 1]; None means unbounded, `*_open` makes that bound exclusive.

    zero_forbidden: no attempt of either solver may score exactly 0.
    """

    weak_mean: float
    strong_low: float
    strong_high: float | None
    weak_best: float | None = None
    weak_open: bool = False
    strong_open: bool = False
    gap: float = 0.20
    zero_forbidden: bool = False


PRESETS: Mapping[PresetName, Preset] = MappingProxyType(
    {
        "deployed": Preset(0.65, 0.60, 0.95, weak_best=0.75, strong_open=True, zero_forbidden=True),
        "prose": Preset(0.50, 0.65, None, weak_open=True),
        "meta": Preset(0.65, 0.60, 0.95, weak_best=0.75),
    }
)
SLACK = 1e-9


def checked(scores: Sequence[float], solver: str) -> Sequence[float]:
    """The scores, if there are any and each is a number in [0, 1].

    Raises:
        ValueError: no scores, or one that is none. A missing measurement is never a verdict.
    """
    if not scores:
        raise ValueError(f"no {solver} scores: a missing measurement is not a verdict")
    if not all(0.0 <= one <= 1.0 for one in scores):
        raise ValueError(f"{solver} scores lie in [0, 1], not {list(scores)!r}")
    return scores


def rubric_score(rubric: Sequence[Criterion], hits: Sequence[bool]) -> float:
    """clip(sum of w_i over the met criteria / sum of the positive w_i, 0, 1), with signed weights.

    Raises:
        ValueError: lengths differ, or the rubric has no positive weight.
    """
    if len(rubric) != len(hits):
        raise ValueError(f"{len(rubric)} criteria but {len(hits)} judgements")
    possible = sum(one.weight for one in rubric if one.weight > 0)
    if possible <= 0:
        raise ValueError("a rubric needs at least one positive weight")
    earned = sum(one.weight for one, hit in zip(rubric, hits, strict=True) if hit)
    return min(1.0, max(0.0, earned / possible))


def weak_verdict(preset: Preset, weak: Sequence[float]) -> Verdict:
    """Is the example hard enough for the weak solver? Scores in any order; at least one.

    Raises:
        ValueError: see `checked`.
    """
    mean = fmean(checked(weak, "weak"))
    reasons = []
    if mean > preset.weak_mean + SLACK or (preset.weak_open and mean >= preset.weak_mean - SLACK):
        reasons.append("weak_mean_high")
    if preset.weak_best is not None and max(weak) > preset.weak_best + SLACK:
        reasons.append("weak_best_high")
    if preset.zero_forbidden and min(weak) == 0:
        reasons.append("weak_zero")
    return Verdict(accepted=not reasons, reasons=tuple(reasons))


def verdict(preset: Preset, weak: Sequence[float], strong: Sequence[float]) -> Verdict:
    """The whole decision from both solvers' scores.

    Raises:
        ValueError: see `checked`, for either side.
    """
    reasons = list(weak_verdict(preset, weak).reasons)
    mean = fmean(checked(strong, "strong"))
    if mean < preset.strong_low - SLACK:
        reasons.append("strong_mean_low")
    if preset.strong_high is not None:
        too_high = (
            mean >= preset.strong_high - SLACK if preset.strong_open else mean > preset.strong_high + SLACK
        )
        if too_high:
            reasons.append("strong_mean_high")
    if preset.zero_forbidden and min(strong) == 0:
        reasons.append("strong_zero")
    if mean - fmean(weak) < preset.gap - SLACK:
        reasons.append("gap_small")
    return Verdict(accepted=not reasons, reasons=tuple(reasons))


def shadows(weak: Sequence[float], strong: Sequence[float]) -> dict[str, Verdict]:
    """What every preset would have said: the full verdict where strong ran, else the weak half of it."""
    return {
        name: verdict(preset, weak, strong) if strong else weak_verdict(preset, weak)
        for name, preset in PRESETS.items()
    }


def in_words(preset: Preset) -> str:
    """The bounds of a preset as sentences, for those who have to understand why an example was refused."""
    bound = "below" if preset.weak_open else "at most"
    weak = f"The weak solver's attempts must average {bound} {preset.weak_mean:.2f}"
    if preset.weak_best is not None:
        weak += f", and none of them may score above {preset.weak_best:.2f}"
    strong = f"The strong solver's must average at least {preset.strong_low:.2f}"
    if preset.strong_high is not None:
        strong += f" and {'less than' if preset.strong_open else 'at most'} {preset.strong_high:.2f}"
    zero = " No attempt may score exactly 0." if preset.zero_forbidden else ""
    return f"{weak}. {strong}. The two averages must lie at least {preset.gap:.2f} apart.{zero}"
