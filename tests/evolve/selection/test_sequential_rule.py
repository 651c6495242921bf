"""The default rule: direction, its error budget, what it draws next, and that missing draws are never zeros."""

from collections import Counter
from dataclasses import replace
from math import log

import numpy as np
import pytest
from contests import DOCUMENTS, TERMS, Score, Scoring, always, half, held, luck
from hypothesis import given
from hypothesis import strategies as st

from evolve.contest import Contest, Measure, Record, Sums, Survival, Terms, Trial
from evolve.selection.sequential import error_share, most, narrowest, record, step


@pytest.mark.parametrize(
    ("scoring", "survived"),
    [
        (always(0.0, 1.0), True),
        (always(1.0, 0.0), False),
        (always(0.0, 0.0), False),
        (always(1.0, 1.0), False),
        (half, False),
        (luck({"parent": 0.2, "child": 0.8}), True),
        (luck({"parent": 0.8, "child": 0.2}), False),
        (luck({"parent": 0.5, "child": 0.5}), False),
    ],
)
def test_better_survives_equal_and_worse_do_not(scoring: Scoring, survived: bool) -> None:
    """Whether by far or by luck, and the reason says how it stood."""
    found, _, _ = held(scoring)
    assert found.survived == survived
    dropped = ("not better by 0.3: ", "undecided after ", "not ahead after ")
    assert found.reason.startswith("better: " if survived else dropped)
    assert found.look is not None
    assert found.look.documents == len(DOCUMENTS) or not survived


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.6), (0.1, 0.9)])
def test_graded_scores_decide_as_well(low: float, high: float) -> None:
    """Scores between 0 and 1, with some spread: a child that is higher survives, a lower one does not."""

    def graded(better: str) -> Scoring:
        return lambda side, document, trial: (high if side == better else low) + 0.1 * (trial % 2)

    assert held(graded("child"))[0].survived
    assert not held(graded("parent"))[0].survived


def test_a_worse_child_costs_less_than_a_close_one() -> None:
    """It is dropped as soon as it is clear."""
    terms = Terms(effect=0.1)
    worse, close = held(always(1.0, 0.0), terms)[1], held(half, terms)[1]
    assert len(worse.child) < len(close.child)


@given(st.integers(1, 5000), st.integers(1, 500), st.floats(0.001, 0.5))
def test_the_shares_of_the_error_budget_stay_below_it(count: int, horizon: int, error: float) -> None:
    """Over the first K iterations they come to error K / (K + h), half of it at the horizon."""
    terms = Terms(error=error, horizon=horizon)
    total = sum(error_share(number, terms) for number in range(1, count + 1))
    assert total == pytest.approx(error * count / (count + horizon))
    assert total < error


def test_the_bar_is_that_of_the_iterations_number() -> None:
    """Whatever the draws: the evidence is held against the share of that number, and a later one has a higher bar."""
    bars = []
    for number in (1, 30, 300):
        for scoring in (always(0.0, 1.0), half):
            found, _, asked = held(scoring, number=number)
            share = error_share(number, TERMS)
            assert found.error == share
            looks = [one.look for one in asked[1:]] + [found.look]
            assert {look.keep_at for look in looks if look} == {-log(share)}
            assert {look.drop_at for look in looks if look} == {log(TERMS.overlook / 2)}
        bars.append(-log(share))
    assert bars == sorted(bars)


def test_it_survives_only_at_the_bar_and_falls_only_at_the_other() -> None:
    """The last look is beyond a bound, or the child is at its end; no look before is."""
    for seed in range(12):
        found, contest, asked = held(luck({"parent": 0.4, "child": 0.55}, seed))
        assert found.look is not None
        evidence = found.look.evidence or 0.0
        assert found.survived == (evidence >= (found.look.keep_at or 0))
        if not found.survived and evidence > (found.look.drop_at or 0):
            assert len(contest.child) >= most(TERMS)
        for one in asked[1:]:
            assert one.look is not None
            assert (one.look.drop_at or 0) < (one.look.evidence or 0.0) < (one.look.keep_at or 0)


def test_first_every_document_once() -> None:
    """In the contest's order, a block at a time; the parent only where nothing is known of it."""
    known = {key: Sums(2, 1.0, 1.0) for key in DOCUMENTS[:3]}
    terms = Terms(effect=0.3, block=4, overlook=0.01)
    _, _, asked = held(half, terms, known)
    assert [one.child for one in asked[:3]] == [DOCUMENTS[:4], DOCUMENTS[4:8], DOCUMENTS[8:]]
    assert [one.parent for one in asked[:3]] == [DOCUMENTS[3:4], DOCUMENTS[4:8], DOCUMENTS[8:]]
    assert asked[0].look is None
    assert asked[1].look is not None


def test_a_document_that_gave_nothing_is_not_asked_for_again_at_once() -> None:
    """Every other document has its turn first, though the first one has no score yet."""

    def lost(side: str, document: str, trial: int) -> Score:
        return None if document == DOCUMENTS[0] else half(side, document, trial)

    _, contest, _ = held(lost, Terms(effect=0.3, block=4, overlook=0.001))
    assert tuple(one.document for one in contest.child[: len(DOCUMENTS)]) == DOCUMENTS


def test_the_parents_draws_are_an_investment() -> None:
    """Later children are compared with them too: of a parent without a record more is drawn than of the child."""
    _, contest, _ = held(half, Terms(effect=0.3, block=4, overlook=0.001))
    assert 1.2 * len(contest.child) < len(contest.parent) < 2 * len(contest.child)


def test_draws_go_by_the_root_of_the_spread() -> None:
    """Neyman's allocation: nine times the spread, three times the draws."""
    places = narrowest(np.array([9.0, 1.0]), np.array([1.0, 1.0]), 398)
    assert 1 + np.bincount(places) == pytest.approx([300, 100], abs=3)


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.25, 1.0]), st.integers(1, 5)), min_size=1), st.integers(1, 20)
)
def test_draws_go_where_one_more_narrows_most(places: list[tuple[float, int]], size: int) -> None:
    """One at a time, each in view of those before it; of equals the first."""
    narrowing, counts = (np.array(column, dtype=float) for column in zip(*places, strict=True))
    found, expected = narrowest(narrowing, counts, size), []
    for _ in range(size):
        expected.append(int((narrowing / (counts * (counts + 1))).argmax()))
        counts[expected[-1]] += 1
    assert found.tolist() == expected


def test_later_blocks_grow_with_the_child() -> None:
    """At least a block, at most a quarter of what was drawn of the child, of both sides together."""
    terms = Terms(effect=0.3, block=4, overlook=0.001)
    _, contest, asked = held(half, terms)
    drawn = 0
    for one in asked:
        if drawn >= len(DOCUMENTS):
            assert len(one.parent) + len(one.child) == max(4, drawn // 4)
        drawn += len(one.child)
    assert drawn == len(contest.child) > 30


def test_draws_go_where_the_spread_is() -> None:
    """Documents that end now so, now so are drawn again more often than those that always end alike."""

    def mixed(side: str, document: str, trial: int) -> Score:
        return half(side, document, trial) if int(document[1:]) < 5 else 1.0

    _, contest, _ = held(mixed, Terms(effect=0.3, block=4, overlook=0.001))
    counts = Counter(one.document for one in contest.child)
    assert sum(counts[key] for key in DOCUMENTS[:5]) > 1.5 * sum(counts[key] for key in DOCUMENTS[5:])
    assert min(counts.values()) >= 1


def test_a_large_record_leaves_the_draws_to_the_child() -> None:
    """What is known of the parent need not be drawn again: with many draws on record all go to the child."""
    known = {key: Sums(400, 200.0, 200.0) for key in DOCUMENTS}
    _, contest, _ = held(half, Terms(effect=0.3, block=4, overlook=0.001), known)
    assert contest.parent == ()


def test_missing_draws_are_dropped_and_no_zeros() -> None:
    """The look is that of the contest without them; but they are draws, and count towards the most."""
    draws = tuple(Trial(key, 0, 1.0) for key in DOCUMENTS)
    lost = tuple(Trial(key, 1, None, missing=True) for key in DOCUMENTS)
    parent = tuple(Trial(key, 0, float(n % 2), missing=False) for n, key in enumerate(DOCUMENTS))
    terms = Terms(effect=0.1, overlook=0.001, error=0.001)
    whole = Contest(1, DOCUMENTS, Record(), terms, parent, draws)
    with_lost = replace(whole, child=draws + lost)
    first, again = step(whole), step(with_lost)
    assert isinstance(first, Measure)
    assert isinstance(again, Measure)
    assert first.look == again.look
    at_most = replace(with_lost, terms=replace(terms, most=20))
    alike = replace(at_most, parent=parent + lost)
    ended = step(alike)
    assert isinstance(ended, Survival)
    assert (ended.survived, ended.look) == (False, first.look)
    assert ended.reason.startswith("undecided after 20 rollouts: ")
    leaning = step(at_most)
    assert isinstance(leaning, Survival)
    assert (leaning.outcome, leaning.look) == ("dropped", first.look)
    assert leaning.reason.startswith("10 of 20 draws are missing, 0 of 10 on the other side: ")


def test_undecided_is_dropped_at_the_most() -> None:
    """Never before, and at the first look from there on."""
    found, contest, _ = held(half, Terms(effect=0.1, most=40, block=10))
    assert not found.survived
    assert found.reason.startswith(f"not ahead after {len(contest.child)} rollouts: ")
    assert 40 <= len(contest.child) < 50
    close, contest, _ = held(luck({"parent": 0.4, "child": 0.5}, 1), Terms(effect=0.1, most=40, block=10))
    assert close.reason.startswith(f"undecided after {len(contest.child)} rollouts: difference +")
    assert most(Terms(effect=0.1)) == 1000
    assert most(Terms(effect=0.1, most=40)) == 40


@pytest.mark.parametrize(
    ("scoring", "reason"),
    [
        (always(1.0, None), "draws are missing, too many"),
        (always(None, 1.0), "no document was measured for both"),
        (always(None, None), "draws are missing, too many"),
    ],
)
def test_without_a_score_of_one_side_it_ends(scoring: Scoring, reason: str) -> None:
    """A child, or a parent, that can never be measured ends undecided, and the child is not kept."""
    found, contest, _ = held(scoring, Terms(effect=0.3))
    assert found.outcome == "dropped"
    assert found.reason.endswith(reason)
    assert len(contest.child) < 2 * most(Terms(effect=0.3))
    assert found.look is not None
    assert (found.look.evidence, found.look.low, found.look.high) == (None, -1.0, 1.0)


def test_the_fresh_record_is_as_long_as_the_effect_is_small() -> None:
    """So many rollouts, in inverse proportion to the effect squared, over all documents, at least one each."""
    assert record(10, Terms(effect=0.1)) == 4
    assert record(30, Terms(effect=0.1)) == 2
    assert record(10, Terms(effect=0.05)) == 16
    assert record(500, Terms(effect=0.1)) == 1


def test_equal_children_rarely_survive_and_better_ones_mostly_do() -> None:
    """Over a hundred contests each: far fewer than a tenth of the equal ones, most of those that are better by 0.4."""
    terms = Terms(effect=0.3, error=0.4, horizon=7)
    same = sum(held(luck({"parent": 0.5, "child": 0.5}, seed), terms)[0].survived for seed in range(100))
    better = sum(held(luck({"parent": 0.3, "child": 0.7}, seed), terms)[0].survived for seed in range(100))
    assert error_share(1, terms) == pytest.approx(0.05)
    assert same <= 10
    assert better >= 70
