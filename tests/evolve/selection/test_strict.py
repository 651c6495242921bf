"""Strict survival: better survives, equal and worse do not, and missing documents help nobody."""

import pytest

from evolve.contest import Contest, Measure, Record, Survival, Terms, Trial
from evolve.selection.strict import step

Scores = list[float | None]


def drawn(scores: Scores) -> tuple[Trial, ...]:
    return tuple(Trial(f"v{n}", 0, one, one, one is None) for n, one in enumerate(scores))


def decided(parent: Scores, child: Scores, bound: int) -> Survival:
    """What the rule says once both were drawn on all documents."""
    contest = Contest(1, tuple(f"v{n}" for n in range(len(child))), Record(), Terms(missing_bound=bound))
    if child:
        assert step(contest) == Measure(contest.documents, contest.documents)
    found = step(contest.drawn(drawn(parent), drawn(child)))
    assert isinstance(found, Survival)
    return found


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
    ],
)
def test_the_rule(parent: Scores, child: Scores, survived: bool, reason: str) -> None:
    """Strictly above on shared documents, with at most one more missing than the parent."""
    found = decided(parent, child, 1)
    assert (found.survived, found.reason) == (survived, reason)


@pytest.mark.parametrize("bound", [0, 1, 2])
def test_the_bound_is_exact(bound: int) -> None:
    """A child with `bound` more missing documents than its parent may live, with one more it may not."""
    parent: Scores = [None, *[0.0] * 6]
    for missing in range(1, 6):
        child: Scores = [*[None] * missing, *[1.0] * (7 - missing)]
        assert decided(parent, child, bound).survived == (missing <= 1 + bound)
