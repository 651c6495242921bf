"""A contest as arrays: valid scores by document, and how often each was asked for."""

import numpy as np

from evolve.contest import Contest, Record, Sums, Trial
from evolve.selection.tables import tables

DOCUMENTS = ("a", "b", "c")


def contest(**more: object) -> Contest:
    return Contest(1, DOCUMENTS, Record(), **more)


def test_scores_are_summed_by_document() -> None:
    """In the order of the contest's documents, with squares."""
    child = (Trial("c", 0, 1.0), Trial("a", 0, 0.5), Trial("c", 1, 0.0))
    found = tables(contest(child=child))
    assert found.child.tolist() == [[1, 0.5, 0.25], [0, 0, 0], [2, 1, 1]]
    assert found.child_asked.tolist() == [1, 0, 2]
    assert not found.parent.any()


def test_a_missing_draw_is_asked_and_no_zero() -> None:
    """It raises what was asked for and changes no sum; so does a document that no task can be made of."""
    child = (Trial("a", 0, 1.0), Trial("a", 1, None, missing=True), Trial("b", 0, None))
    found = tables(contest(child=child))
    assert found.child.tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert found.child_asked.tolist() == [2, 1, 0]


def test_the_record_counts_for_the_parent() -> None:
    """Together with its draws of this iteration, of the contest's documents alone; for the child it does not."""
    record = {"b": Sums(3, 2.0, 2.0), "z": Sums(9, 9.0, 9.0)}
    found = tables(Contest(1, DOCUMENTS, Record(record), parent=(Trial("b", 0, 1.0), Trial("a", 0, None))))
    assert found.parent.tolist() == [[0, 0, 0], [4, 3, 3], [0, 0, 0]]
    assert found.parent_asked.tolist() == [1, 4, 0]
    assert not found.child.any()


def test_nothing_drawn_is_all_zero() -> None:
    """Arrays of the right shape, also where all draws are missing."""
    for found in (tables(contest()), tables(contest(child=(Trial("a", 0, None),)))):
        assert found.child.shape == found.parent.shape == (3, 3)
        assert not np.concatenate([found.child, found.parent]).any()
