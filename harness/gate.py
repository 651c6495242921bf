"""The gate: pure decisions on scores. An example is accepted only if it separates the weak from the strong solver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from types import MappingProxyType

from harness.trajectory import CHECKS, Check, Criterion, Verdict

VERSION = 2


@dataclass(frozen=True)
class Preset:
    """Bounds on attempt scores in [0, 1]; None means unbounded, `*_open` makes that bound exclusive.

    zero_forbidden: no attempt of either solver may score exactly 0. binary: an attempt scores 0 or 1 and nothing else.
    judged: the loop judge decides, on top of the bounds, and both solvers always run. confirmed: attempts are drawn one
    after the other, and fresh ones decide; see sequential.py. checks: what a task has to pass besides, see proofs.py.
    """

    weak_mean: float
    strong_low: float
    strong_high: float | None
    weak_best: float | None = None
    weak_open: bool = False
    strong_open: bool = False
    strong_low_open: bool = False
    gap: float = 0.20
    zero_forbidden: bool = False
    binary: bool = False
    judged: bool = False
    confirmed: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def plain(self) -> bool:
        """True if the scores of the selecting attempts alone decide."""
        return not (self.judged or self.confirmed)


DEPLOYED = Preset(
    0.65,
    0.60,
    0.95,
    weak_best=0.75,
    strong_open=True,
    zero_forbidden=True,
    checks=("final_verification",),
)
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "deployed": DEPLOYED,
        "prose": Preset(0.50, 0.65, None, weak_open=True),
        "meta": Preset(0.65, 0.60, 0.95, weak_best=0.75),
        "confirmed": replace(DEPLOYED, confirmed=True, checks=CHECKS),
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
    if mean < preset.strong_low - SLACK or (preset.strong_low_open and mean <= preset.strong_low + SLACK):
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


def shadows(
    presets: Mapping[str, Preset], weak: Sequence[float], strong: Sequence[float]
) -> dict[str, Verdict]:
    """What every preset that goes by scores alone would have said: in full where strong ran, else the weak half."""
    return {
        name: verdict(preset, weak, strong) if strong else weak_verdict(preset, weak)
        for name, preset in presets.items()
        if preset.plain
    }


def in_words(preset: Preset) -> str:
    """The bounds of a preset as sentences, for those who have to understand why an example was refused."""
    bounds = in_words_of_answers(preset) if preset.binary else in_words_of_scores(preset)
    judge = ["A judge who sees all attempts has to accept the task."] if preset.judged else []
    fresh = ["Fresh attempts then have to show the gap again."] if preset.confirmed else []
    return " ".join([*bounds, *judge, *fresh])


def in_words_of_scores(preset: Preset) -> list[str]:
    """A sentence for every bound that can fail."""
    said = []
    if preset.weak_mean < 1:
        bound = "below" if preset.weak_open else "at most"
        best = (
            "" if preset.weak_best is None else f", and none of them may score above {preset.weak_best:.2f}"
        )
        said.append(f"The weak solver's attempts must average {bound} {preset.weak_mean:.2f}{best}.")
    if preset.strong_low > 0:
        high = ""
        if preset.strong_high is not None:
            high = f" and {'less than' if preset.strong_open else 'at most'} {preset.strong_high:.2f}"
        said.append(f"The strong solver's must average at least {preset.strong_low:.2f}{high}.")
    if preset.gap > 0:
        said.append(f"The two averages must lie at least {preset.gap:.2f} apart.")
    if preset.zero_forbidden:
        said.append("No attempt may score exactly 0.")
    return said


def in_words_of_answers(preset: Preset) -> list[str]:
    """The same where an answer is right or wrong."""
    weak = f"{'fewer' if preset.weak_open else 'no more'} than {preset.weak_mean:.0%}"
    strong = f"{'more than' if preset.strong_low_open else 'at least'} {preset.strong_low:.0%}"
    return [f"Of the weak solver's answers {weak} may be right, of the strong solver's {strong} must be."]
