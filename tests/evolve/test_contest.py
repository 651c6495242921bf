"""Sums and records: what is kept of scores, whatever their number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.contest import NOTHING, Contest, Record, Sums, Trial, merged, valid

SCORES = st.lists(st.floats(0, 1), max_size=12)


def sums(scores: list[float]) -> Sums:
    found = NOTHING
    for one in scores:
        found = found.plus(one)
    return found


@given(SCORES, SCORES)
def test_sums_of_two_halves_are_those_of_the_whole(first: list[float], second: list[float]) -> None:
    """Count, sum and sum of squares; the mean is theirs."""
    both, whole = sums(first).joined(sums(second)), sums(first + second)
    assert both == pytest.approx(whole)
    assert whole == pytest.approx((len(first + second), *(sum(y**k for y in first + second) for k in (1, 2))))
    if whole.number:
        assert whole.mean == pytest.approx(sum(first + second) / len(first + second))


def test_draws_without_a_score_are_left_out() -> None:
    """A missing draw is no zero, and a document that has nothing else is not there."""
    trials = (Trial("a", 0, 1.0), Trial("a", 1, None, missing=True), Trial("b", 0, None), Trial("a", 2, 0.0))
    assert valid(trials) == {"a": Sums(2, 1.0, 1.0)}
    assert valid(()) == {}


def test_scores_are_merged_by_document() -> None:
    """Neither of the two is changed."""
    first, second = {"a": sums([1.0])}, {"a": sums([0.0]), "b": sums([0.5])}
    assert merged(first, second) == {"a": sums([1.0, 0.0]), "b": sums([0.5])}
    assert first == {"a": sums([1.0])}


def test_a_record_is_the_mean_over_documents() -> None:
    """A document drawn nine times counts as much as one drawn once; every draw is counted."""
    one = Record({"a": sums([0.0] * 9), "b": sums([1.0])}, 2)
    assert (one.mean, one.trials, one.missing) == (0.5, 10, 2)
    assert Record().mean is None


def test_a_record_grows() -> None:
    """With more scores of the same candidate, and with what is missing of them."""
    grown = Record({"a": sums([1.0])}, 1).plus({"a": sums([0.0]), "b": sums([1.0])}, 2)
    assert grown == Record({"a": sums([1.0, 0.0]), "b": sums([1.0])}, 3)


def test_the_error_of_a_record() -> None:
    """Half passed of n draws of one document: as n grows it is the textbook's; of nothing it is the largest there is."""
    many = Record({"a": sums([0.0, 1.0] * 5000)})
    assert many.variance == pytest.approx(0.25 / 10_000, rel=0.001)
    assert Record().variance == 0.25
    assert Record({"a": sums([1.0] * 3)}).variance == pytest.approx(5 / 7 * 2 / 7 / 3)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=9))
)
def test_nothing_is_certain(scores: dict[str, list[float]]) -> None:
    """However alike the draws are, a record's error is positive, and more draws of the same make it smaller."""
    once = Record({key: sums(one) for key, one in scores.items()})
    again = Record({key: sums(one * 4) for key, one in scores.items()})
    assert once.variance > 0
    assert not scores or again.variance < once.variance


def test_a_contest_goes_on() -> None:
    """New draws follow the old ones of their side; what it was before stays as it was."""
    start = Contest(3, ("a", "b"), Record({"a": sums([1.0])}))
    later = start.drawn([Trial("a", 0, 1.0)], []).drawn([Trial("b", 0, 0.0)], [Trial("a", 0, 0.0)])
    assert [one.document for one in later.parent] == ["a", "b"]
    assert later.child == (Trial("a", 0, 0.0),)
    assert (later.number, later.documents, later.record, later.terms) == (
        3,
        ("a", "b"),
        start.record,
        start.terms,
    )
    assert (start.parent, start.child) == ((), ())
