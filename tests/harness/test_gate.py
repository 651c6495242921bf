"""The gate as a pure function: boundaries, symmetry, published traces, and the score formula."""

from fractions import Fraction
from random import Random

import pytest
from fakes import criteria
from hypothesis import given
from hypothesis import strategies as st

from harness.gate import PRESETS, rubric_score, shadows, verdict, weak_verdict

SCORE = st.integers(0, 100).map(lambda n: n / 100)
SCORES = st.lists(SCORE, min_size=1, max_size=5)
PRESET = st.sampled_from(sorted(name for name in PRESETS if PRESETS[name].plain))
WEIGHTS = st.lists(st.integers(-10, 10).filter(bool), min_size=1, max_size=20).filter(
    lambda weights: max(weights) > 0
)
DEPLOYED = PRESETS["deployed"]


@given(PRESET, SCORES, SCORES, st.randoms(use_true_random=False))
def test_order_of_attempts_is_irrelevant(
    name: str, weak: list[float], strong: list[float], rng: Random
) -> None:
    """The verdict on shuffled attempts is the verdict on the attempts."""
    shuffled = rng.sample(weak, len(weak)), rng.sample(strong, len(strong))
    assert verdict(PRESETS[name], *shuffled) == verdict(PRESETS[name], weak, strong)


@given(PRESET, SCORES, SCORES)
def test_accepted_exactly_if_no_reason(name: str, weak: list[float], strong: list[float]) -> None:
    """An example is accepted if and only if no bound is broken, and then the exact means obey every bound."""
    preset, said = PRESETS[name], verdict(PRESETS[name], weak, strong)
    assert said.accepted == (not said.reasons)
    w, s = (Fraction(sum(round(x * 100) for x in side), 100 * len(side)) for side in (weak, strong))
    bounds = [w < Fraction(1, 2) if name == "prose" else w <= Fraction(65, 100), s - w >= Fraction(1, 5)]
    bounds.append(s >= (Fraction(65, 100) if name == "prose" else Fraction(60, 100)))
    if name != "prose":
        bounds.append(max(weak) <= 0.75)
        bounds.append(s < Fraction(95, 100) if name == "deployed" else s <= Fraction(95, 100))
    if preset.zero_forbidden:
        bounds.append(min(weak + strong) > 0)
    assert said.accepted == all(bounds)


@given(PRESET, SCORES, SCORES)
def test_strong_cannot_mend_weak(name: str, weak: list[float], strong: list[float]) -> None:
    """What the weak verdict refuses, the whole verdict refuses for the same reasons."""
    half = weak_verdict(PRESETS[name], weak).reasons
    assert verdict(PRESETS[name], weak, strong).reasons[: len(half)] == half


@pytest.mark.parametrize(
    ("preset", "weak", "strong", "reasons"),
    [
        ("meta", [0.65] * 3, [0.85] * 3, ()),
        ("meta", [0.66] * 3, [0.90] * 3, ("weak_mean_high",)),
        ("meta", [0.75, 0.6, 0.6], [0.9] * 3, ()),
        ("meta", [0.76, 0.2, 0.2], [0.9] * 3, ("weak_best_high",)),
        ("meta", [0.0, 0.1, 0.2], [0.60] * 3, ()),
        ("meta", [0.1] * 3, [0.59] * 3, ("strong_mean_low",)),
        ("meta", [0.1] * 3, [0.95] * 3, ()),
        ("meta", [0.1] * 3, [0.96] * 3, ("strong_mean_high",)),
        ("meta", [0.40] * 3, [0.60] * 3, ()),
        ("meta", [0.41] * 3, [0.60] * 3, ("gap_small",)),
        ("meta", [0.1] * 3, [0.0, 0.9, 0.9], ()),
        ("deployed", [0.1] * 3, [0.95] * 3, ("strong_mean_high",)),
        ("deployed", [0.1] * 3, [0.94] * 3, ()),
        ("deployed", [0.0, 0.1, 0.1], [0.9] * 3, ("weak_zero",)),
        ("deployed", [0.1] * 3, [0.0, 0.9, 0.95], ("strong_zero",)),
        ("prose", [0.50] * 3, [0.80] * 3, ("weak_mean_high",)),
        ("prose", [0.49] * 3, [0.69] * 3, ()),
        ("prose", [0.4] * 3, [0.64] * 3, ("strong_mean_low",)),
        ("prose", [0.9, 0.1, 0.1], [1.0] * 3, ()),
    ],
)
def test_boundaries(preset: str, weak: list[float], strong: list[float], reasons: tuple[str, ...]) -> None:
    """Each bound is inclusive or exclusive as the paper states it for the preset."""
    assert verdict(PRESETS[preset], weak, strong).reasons == reasons


@pytest.mark.parametrize(
    ("weak", "strong", "reasons"),
    [
        ([0.25, 0.20, 0.26], 0.341, ("strong_mean_low", "gap_small")),
        ([0.57, 0.35, 0.62], 0.606, ("gap_small",)),
        ([0.66, 0.65, 0.62], 0.678, ("gap_small",)),
        ([0.24, 0.62, 0.54], 0.722, ()),
        ([0.481] * 3, 0.931, ()),
    ],
)
def test_published_traces(weak: list[float], strong: float, reasons: tuple[str, ...]) -> None:
    """Preset `deployed` decides the published rounds as they were decided."""
    assert verdict(DEPLOYED, weak, [strong] * 3).reasons == reasons


@pytest.mark.parametrize(
    ("weak", "reasons"),
    [([0.79, 0.42, 0.45], ("weak_best_high",)), ([1.0] * 3, ("weak_mean_high", "weak_best_high"))],
)
def test_published_traces_that_ended_at_weak(weak: list[float], reasons: tuple[str, ...]) -> None:
    """In two published rounds the strong solver was never run, because of the weak scores alone."""
    assert weak_verdict(DEPLOYED, weak).reasons == reasons


@pytest.mark.parametrize("scores", [[], [float("nan")], [0.5, 1.01], [-0.01], [float("inf")]])
def test_what_is_no_score_is_no_verdict(scores: list[float]) -> None:
    """Missing scores and numbers that are none raise instead of passing a comparison."""
    with pytest.raises(ValueError, match="scores"):
        weak_verdict(DEPLOYED, scores)
    with pytest.raises(ValueError, match="strong scores"):
        verdict(DEPLOYED, [0.1], scores)


def test_shadows() -> None:
    """Every preset that goes by scores alone has its say: the full verdict where strong ran, the weak half where not."""
    full = shadows(PRESETS, [0.55] * 3, [0.95] * 3)
    assert {name: one.reasons for name, one in full.items()} == {
        "deployed": ("strong_mean_high",),
        "prose": ("weak_mean_high",),
        "meta": (),
    }
    half = shadows(PRESETS, [0.55] * 3, [])
    assert {name: one.accepted for name, one in half.items()} == {
        "deployed": True,
        "prose": False,
        "meta": True,
    }


@given(WEIGHTS, st.data())
def test_score_is_the_formula(weights: list[int], data: st.DataObject) -> None:
    """The score is the clipped ratio of earned to possible weight, computed exactly by hand here."""
    hits = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    earned = sum(w for w, hit in zip(weights, hits, strict=True) if hit)
    exact = Fraction(earned, sum(w for w in weights if w > 0))
    score = rubric_score(criteria(*weights), hits)
    assert 0.0 <= score <= 1.0
    assert score == pytest.approx(float(min(max(exact, Fraction(0)), Fraction(1))))


@given(WEIGHTS, st.data())
def test_score_is_monotone(weights: list[int], data: st.DataObject) -> None:
    """Meeting one criterion more never lowers the score if it is positive, never raises it if it is negative."""
    hits = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    at = data.draw(st.integers(0, len(weights) - 1))
    without, having = [*hits], [*hits]
    without[at], having[at] = False, True
    change = rubric_score(criteria(*weights), having) - rubric_score(criteria(*weights), without)
    assert change * weights[at] >= 0


def test_score_of_a_perfect_and_of_a_bad_answer() -> None:
    """All positives and no negative give 1; negatives alone give 0, not less; a negative takes its weight away."""
    rubric = criteria(6, 4, -5)
    assert rubric_score(rubric, (True, True, False)) == 1.0
    assert rubric_score(rubric, (False, False, True)) == 0.0
    assert rubric_score(rubric, (True, False, True)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("weights", "hits"), [((1, 2), (True,)), ((1,), (True, False)), ((-3, -1), (True, True)), ((), ())]
)
def test_score_refuses(weights: tuple[int, ...], hits: tuple[bool, ...]) -> None:
    """Lists of different length and a rubric without a positive weight raise."""
    with pytest.raises(ValueError, match=r"criteria|positive"):
        rubric_score(criteria(*weights), hits)
