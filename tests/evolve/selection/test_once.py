"""What rules share that measure once: pairs by document, the look, and whom they refuse."""

from evolve.contest import Contest, Look, Measure, Record, Terms, Trial
from evolve.intervals import paired_difference
from evolve.selection.once import both_once, look_at, pairs, refusal

DOCUMENTS = ("a", "b", "c", "d")
UNFIT = Trial("d", 0, None)


def contest(parent: tuple[Trial, ...], child: tuple[Trial, ...], bound: int = 1) -> Contest:
    return Contest(1, DOCUMENTS, Record(), Terms(missing_bound=bound), parent, child)


def side(*scores: float | None) -> tuple[Trial, ...]:
    return tuple(Trial(key, 0, one, missing=one is None) for key, one in zip(DOCUMENTS, scores, strict=False))


def test_every_document_once_for_both() -> None:
    """In the order of the contest."""
    assert both_once(contest((), ())) == Measure(DOCUMENTS, DOCUMENTS)


def test_pairs_are_by_document() -> None:
    """Whatever the order of the draws; what one side lacks is left out."""
    parent = tuple(reversed(side(0.0, 1.0, None, 0.0)))
    assert pairs(contest(parent, side(1.0, 0.0, 1.0))) == [(1.0, 0.0), (0.0, 1.0)]


def test_the_look_is_the_paired_difference() -> None:
    """With its interval and the number of pairs; without pairs it says nothing."""
    gain = paired_difference([(1.0, 0.0), (1.0, 1.0)])
    expected = Look(2, 2, 2, 0.5, gain.low, gain.high)
    assert look_at(contest(side(0.0, 1.0), side(1.0, 1.0))) == expected
    assert look_at(contest(side(None), side(1.0))) == Look(0, 0, 0, 0.0, -1.0, 1.0)


def test_half_of_the_documents_have_to_be_left() -> None:
    """Two of four suffice, one of three does not; a document that no task can be made of is not counted."""
    for parent, child, problem in [
        (side(0.0, 0.0, None, None), side(1.0, 1.0, 1.0, 1.0), ""),
        (side(0.0, None, None), side(1.0, 1.0, 1.0), "1 of 3 documents were measured for both, too few"),
        ((*side(0.0, 0.0), UNFIT), (*side(1.0, 1.0), UNFIT), ""),
        ((UNFIT,), (UNFIT,), "0 of 0 documents were measured for both, too few"),
    ]:
        held = contest(parent, child)
        assert refusal(held, look_at(held)) == problem


def test_a_child_may_miss_as_many_more_as_the_bound_says() -> None:
    """And no more; what its parent misses is allowed as well."""
    for bound, parent, child, problem in [
        (0, side(0.0, 0.0, 0.0), side(1.0, 1.0, None), "1 documents missing, the parent has 0"),
        (1, side(0.0, 0.0, 0.0), side(1.0, 1.0, None), ""),
        (0, side(0.0, 0.0, None), side(1.0, 1.0, None), ""),
    ]:
        held = contest(parent, child, bound)
        shown = refusal(held, look_at(held))
        assert shown.startswith(problem) if problem else "missing" not in shown
