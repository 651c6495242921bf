"""The honest gate: order, ends, bounds and direction of both stages, and its rates in a small simulation."""

from collections.abc import Callable, Sequence
from random import Random
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gate import PRESETS, Preset, verdict, weak_verdict
from harness.sequential import BINARY, GRADED, ORDER, Move, Sequential, confirm, required, select

DEPLOYED = PRESETS["deployed"]
FEW = Preset(0.25, 0.75, None, gap=0.0, binary=True)
PRESET = st.sampled_from(list(PRESETS.values()))
Stage = Callable[[Sequential, Preset, Sequence[float], Sequence[float]], Move]
STAGE = st.sampled_from([select, confirm])
SCORE = st.integers(0, 100).map(lambda n: n / 100)
HIT = st.sampled_from([0.0, 1.0])
ROUNDS = 8


def sides(score: st.SearchStrategy[float] = SCORE, most: int = 12) -> st.SearchStrategy[list[float]]:
    """Scores of one solver."""
    return st.lists(score, min_size=most, max_size=most)


def played(
    stage: Stage, rule: Sequential, preset: Preset, weak: Sequence[float], strong: Sequence[float]
) -> tuple[list[Move], int, int]:
    """All moves of a stage, and how many weak and strong attempts it drew."""
    moves, w, s = [stage(rule, preset, [], [])], 0, 0
    while moves[-1].verdict is None:
        w, s = w + moves[-1].weak, s + moves[-1].strong
        moves.append(stage(rule, preset, weak[:w], strong[:s]))
    return moves, w, s


@given(
    STAGE,
    PRESET,
    st.lists(SCORE, max_size=10),
    st.lists(SCORE, max_size=10),
    st.randoms(use_true_random=False),
)
def test_order_of_attempts_is_irrelevant(
    stage: Stage, preset: Preset, weak: list[float], strong: list[float], rng: Random
) -> None:
    """The move on shuffled attempts is the move on the attempts, to the last bit of the posterior."""
    shuffled = rng.sample(weak, len(weak)), rng.sample(strong, len(strong))
    assert stage(GRADED, preset, *shuffled) == stage(GRADED, preset, weak, strong)


@given(STAGE, PRESET, sides(), sides())
def test_every_stage_ends(stage: Stage, preset: Preset, weak: list[float], strong: list[float]) -> None:
    """Every open move draws something, the last one nothing, and no side exceeds the stated number of attempts."""
    moves, w, s = played(stage, GRADED, preset, weak, strong)
    assert all(min(one.weak, one.strong) >= 0 < one.weak + one.strong for one in moves[:-1])
    assert (moves[-1].weak, moves[-1].strong) == (0, 0)
    assert max(w, s) <= (GRADED.most if stage is select else GRADED.fresh_most)


@given(STAGE, sides(HIT), sides(HIT))
def test_every_binary_stage_ends(stage: Stage, weak: list[float], strong: list[float]) -> None:
    """The same for answers that are right or wrong."""
    moves, w, s = played(stage, BINARY, FEW, weak, strong)
    assert all(one.weak + one.strong > 0 for one in moves[:-1])
    assert max(w, s) <= (BINARY.most if stage is select else BINARY.fresh_most)


@given(STAGE, PRESET, sides(), sides())
def test_a_verdict_has_reasons_exactly_if_it_refuses(
    stage: Stage, preset: Preset, weak: list[float], strong: list[float]
) -> None:
    """Reasons are known names, in the gate's order, and there are some if and only if the item is refused."""
    said = played(stage, GRADED, preset, weak, strong)[0][-1].verdict
    assert said is not None
    assert said.accepted == (not said.reasons)
    assert list(said.reasons) == sorted(said.reasons, key=ORDER.index)
    assert not any(reason.startswith("gap_un") for reason in said.reasons) or stage is confirm


@given(STAGE, PRESET, sides(), sides())
def test_posterior_is_stated_with_both_solvers(
    stage: Stage, preset: Preset, weak: list[float], strong: list[float]
) -> None:
    """From the first look at both solvers on every move states the posterior, of the gap that the preset requires."""
    moves, w, s = played(stage, GRADED, preset, weak, strong)
    for move in moves:
        assert move.posterior is None or move.posterior.required == required(preset)
    assert (moves[-1].posterior is None) == (s == 0)
    if moves[-1].posterior is not None:
        assert (moves[-1].posterior.weak, moves[-1].posterior.strong) == (w, s)


@given(PRESET, sides(), sides())
def test_selected_is_what_the_plain_gate_accepts(
    preset: Preset, weak: list[float], strong: list[float]
) -> None:
    """What selecting passes, the preset's gate accepts on the same attempts; what never saw strong, it refuses."""
    moves, w, s = played(select, GRADED, preset, weak, strong)
    said = moves[-1].verdict
    assert said is not None
    assert not said.accepted or verdict(preset, weak[:w], strong[:s]).accepted
    assert s > 0 or said == weak_verdict(preset, weak[:w])


@given(PRESET, st.lists(SCORE, min_size=1, max_size=3))
def test_strong_waits_for_weak(preset: Preset, weak: list[float]) -> None:
    """Strong is drawn exactly when the weak attempts so far obey the preset."""
    move = select(GRADED, preset, weak, [])
    assert (move.strong > 0) == weak_verdict(preset, weak).accepted


@given(STAGE, st.lists(SCORE, min_size=3, max_size=10), st.data())
def test_higher_strong_scores_never_break_the_gap(
    stage: Stage, weak: list[float], data: st.DataObject
) -> None:
    """Raising strong scores of what passes never ends in a gap that is too small."""
    preset = PRESETS["prose"]
    strong = data.draw(st.lists(SCORE, min_size=len(weak), max_size=len(weak)))
    before = stage(GRADED, preset, weak, strong).verdict
    raised = [data.draw(st.floats(one, 1)) for one in strong]
    after = stage(GRADED, preset, weak, raised).verdict
    if before is not None and before.accepted and after is not None:
        assert not {"gap_small", "gap_unconfirmed", "strong_mean_low"}.intersection(after.reasons)


@given(st.lists(SCORE, min_size=3, max_size=10), st.data())
def test_a_wider_gap_is_still_confirmed(weak: list[float], data: st.DataObject) -> None:
    """Raising all strong scores of a confirmed item by the same amount leaves it confirmed, if nothing caps strong."""
    preset = PRESETS["prose"]
    strong = data.draw(st.lists(st.floats(0, 0.8), min_size=len(weak), max_size=len(weak)))
    before = confirm(GRADED, preset, weak, strong).verdict
    after = confirm(GRADED, preset, weak, [one + 0.2 for one in strong]).verdict
    assert before is None or not before.accepted or (after is not None and after.accepted)


@pytest.mark.parametrize(
    ("weak", "strong", "accepted", "reasons"),
    [
        ([0.4, 0.5, 0.45], [0.8, 0.85, 0.75], True, ()),
        ([0.5, 0.5, 0.5], [0.55, 0.5, 0.6], False, ("gap_unconfirmed",)),
        ([0.9, 0.95, 0.9], [0.9, 0.95, 0.9], False, ("weak_mean_high", "gap_unconfirmed")),
        ([0.1, 0.1, 0.1], [0.4, 0.4, 0.35], False, ("strong_mean_low",)),
        ([0.5] * 10, [0.69, 0.71] * 5, False, ("gap_unclear",)),
    ],
)
def test_confirmed_or_not(
    weak: list[float], strong: list[float], accepted: bool, reasons: tuple[str, ...]
) -> None:
    """Clear cases end at the first look; what is still open at the last one is refused as unclear."""
    said = confirm(GRADED, DEPLOYED, weak, strong).verdict
    assert said is not None
    assert (said.accepted, said.reasons) == (accepted, reasons)


def test_unclear_cases_go_on() -> None:
    """A gap that may be there or not is neither confirmed nor refused at the first look."""
    assert confirm(GRADED, DEPLOYED, [0.3, 0.5, 0.6], [0.6, 0.7, 0.65]).verdict is None
    assert select(GRADED, DEPLOYED, [0.5], [0.65, 0.72]).verdict is None


def test_one_outlier_in_three_is_forgiven_when_confirming() -> None:
    """A bound on the best of three attempts allows a third of the fresh ones to lie above it, and not more."""
    strong = [0.90, 0.92, 0.91]
    once, twice = ([0.1, 0.2, 0.76], [0.1, 0.76, 0.76])
    first, second = (confirm(GRADED, DEPLOYED, weak, strong).verdict for weak in (once, twice))
    assert first is not None
    assert first.accepted
    assert second is None or second.reasons


def test_one_outlier_ends_selecting() -> None:
    """The same bound is strict while selecting, and its first break ends it, as in the plain gate."""
    said = select(GRADED, DEPLOYED, [0.76], []).verdict
    assert said is not None
    assert "weak_best_high" in said.reasons


@pytest.mark.parametrize(("preset", "gap"), [(DEPLOYED, 0.2), (PRESETS["prose"], 0.2), (FEW, 0.5)])
def test_required_gap_follows_the_bounds(preset: Preset, gap: float) -> None:
    """Where the bounds on the means lie further apart than the preset's gap, their distance is required."""
    assert required(preset) == pytest.approx(gap)


@pytest.mark.parametrize("bad", [float("nan"), 1.01, -0.01, float("inf")])
@pytest.mark.parametrize("stage", [select, confirm])
def test_what_is_no_score_is_no_move(stage: Stage, bad: float) -> None:
    """Numbers that are no scores raise on either side, and so do halves where answers are right or wrong."""
    for weak, strong in (([bad], []), ([0.5] * 3, [0.9, bad, 0.9])):
        with pytest.raises(ValueError, match="scores"):
            stage(GRADED, DEPLOYED, weak, strong)
    with pytest.raises(ValueError, match="0 or 1"):
        stage(BINARY, FEW, [0.5], [])


def plain(preset: Preset, scores: Sequence[Sequence[float]]) -> tuple[bool, int]:
    """Whether the gate on three and three attempts passes a question, and the attempts it took."""
    weak, strong = scores[0][:3], scores[1][:3]
    if not weak_verdict(preset, weak).accepted:
        return False, 3
    return verdict(preset, weak, strong).accepted, 6


def honest(preset: Preset, scores: Sequence[Sequence[float]]) -> tuple[bool, int]:
    """The same for selecting and confirming."""
    rule = BINARY if preset.binary else GRADED
    moves, w, s = played(select, rule, preset, scores[0], scores[1])
    said, spent = moves[-1].verdict, w + s
    if said is None or not said.accepted:
        return False, spent
    moves, w, s = played(confirm, rule, preset, scores[2], scores[3])
    return moves[-1].verdict is not None and moves[-1].verdict.accepted, spent + w + s


Gate = Callable[[Preset, Sequence[Sequence[float]]], tuple[bool, int]]


def rates(
    gate: Gate, preset: Preset, items: Sequence[Sequence[Sequence[Sequence[float]]]]
) -> tuple[float, float]:
    """The share of items of which one of eight questions passes, and the attempts an item."""
    ends = []
    for questions in items:
        spent = 0
        for scores in questions:
            passed, attempts = gate(preset, scores)
            spent += attempts
            if passed:
                break
        ends.append((passed, spent))
    return fmean(passed for passed, _ in ends), fmean(spent for _, spent in ends)


def drawn(gap: float, items: int) -> list[list[list[list[float]]]]:
    """Scores with an s.d. of 0.18 and weak means from 0.45 to 0.60: weak and strong to select, and to confirm."""
    rng = np.random.default_rng(7)
    weak = rng.uniform(0.45, 0.60, size=(items, 1, 1, 1))
    means = weak + np.array([0, gap, 0, gap])[None, None, :, None]
    return np.clip(rng.normal(means, 0.18, size=(items, ROUNDS, 4, 12)), 0, 1).tolist()  # type: ignore[no-any-return]


def test_rates_of_the_honest_gate() -> None:
    """It passes at most 15 % of gaps of 0.05 and at least 95 % of 0.30, at most 1.9 and 1.6 times as dear."""
    bad, good = drawn(0.05, 1500), drawn(0.30, 1500)
    plain_bad, plain_good = rates(plain, DEPLOYED, bad), rates(plain, DEPLOYED, good)
    mine_bad, mine_good = rates(honest, DEPLOYED, bad), rates(honest, DEPLOYED, good)
    assert plain_bad[0] > 0.5
    assert mine_bad[0] <= 0.15
    assert mine_good[0] >= 0.95
    theirs = plain_good[1] / plain_good[0]
    assert mine_good[1] / mine_good[0] <= 1.9 * theirs
    assert (mine_good[1] + mine_bad[1]) / mine_good[0] <= 1.6 * (theirs + plain_bad[1] / plain_good[0])


@pytest.mark.parametrize(("weak", "strong", "least", "most"), [(0.2, 0.3, 0, 0.15), (0.1, 0.9, 0.95, 1)])
def test_rates_where_answers_are_right_or_wrong(
    weak: float, strong: float, least: float, most: float
) -> None:
    """It passes hardly any item whose rates lie together, and nearly all whose rates obey the bounds by far."""
    means = np.array([weak, strong, weak, strong])[None, None, :, None]
    scores = (np.random.default_rng(7).random((400, ROUNDS, 4, 12)) < means).astype(float).tolist()
    assert least <= rates(honest, FEW, scores)[0] <= most
