"""Strict survival: better survives, equal and worse do not, and missing documents help nobody."""

import pytest
from evolve_fakes import evaluation

from evolve.selection.strict import survives

Scores = list[float | None]


@pytest.mark.parametrize(
    ("parent", "child", "survived", "reason"),
    [
        ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0], True, "difference +0.333 on 3 documents"),
        ([0.0, 1.0, 1.0], [0.0, 0.0, 1.0], False, "not above its parent: difference -0.333 on 3 documents"),
        ([1.0, 0.0], [0.0, 1.0], False, "not above its parent: difference +0.000 on 2 documents"),
        ([0.0, 1.0], [None, 1.0], False, "not above its parent: difference +0.000 on 1 documents"),
        ([None, 0.0], [1.0, 1.0], True, "difference +1.000 on 1 documents"),
        ([None, 0.0], [1.0, None], False, "0 of 2 documents were measured for both, too few"),
        ([0.0, 0.0, 0.0], [1.0, None, None], False, "2 documents missing, the parent has 0"),
        ([None, 0.0, 0.0], [1.0, None, None], False, "0 of 3 documents were measured for both, too few"),
        ([None, None, 0.0], [1.0, None, 1.0], False, "1 of 3 documents were measured for both, too few"),
        ([0.0, None, 0.0, 0.0], [1.0, None, None, 1.0], True, "difference +1.000 on 2 documents"),
        ([], [], False, "0 of 0 documents were measured for both, too few"),
    ],
)
def test_the_rule(parent: Scores, child: Scores, survived: bool, reason: str) -> None:
    """Strictly above on shared documents, with at most one more missing than the parent."""
    found = survives(evaluation("c0", parent), evaluation("c1", child, "child"), 1)
    assert (found.survived, found.reason) == (survived, reason)


@pytest.mark.parametrize("bound", [0, 1, 2])
def test_the_bound_is_exact(bound: int) -> None:
    """A child with `bound` more missing documents than its parent may live, with one more it may not."""
    parent = evaluation("c0", [None, *[0.0] * 6])
    for missing in range(1, 6):
        child = evaluation("c1", [*[None] * missing, *[1.0] * (7 - missing)], "child")
        assert survives(parent, child, bound).survived == (missing <= 1 + bound)


def test_other_instruments_are_refused() -> None:
    """Scores of another instrument raise rather than decide."""
    with pytest.raises(ValueError, match="instruments differ"):
        survives(evaluation("c0", [0.0]), evaluation("c1", [1.0], "child", instrument="j"), 1)
