"""Paired survival: the gain has to be above its own standard error."""

import pytest

from evolve.contest import Contest, Measure, Record, Survival, Terms, Trial
from evolve.selection.paired import record, step

Scores = list[float | None]


def drawn(scores: Scores) -> tuple[Trial, ...]:
    return tuple(Trial(f"v{n}", 0, one, one, one is None) for n, one in enumerate(scores))


def decided(parent: Scores, child: Scores) -> Survival:
    contest = Contest(1, tuple(f"v{n}" for n in range(len(child))), Record())
    assert step(contest) == Measure(contest.documents, contest.documents)
    found = step(contest.drawn(drawn(parent), drawn(child)))
    assert isinstance(found, Survival)
    return found


@pytest.mark.parametrize(
    ("parent", "child", "survived", "reason"),
    [
        ([0.0] * 4, [1.0] * 4, True, "difference +1.000 on 4 documents, standard error 0.000"),
        ([0.0] * 4, [1.0, 1.0, 0.0, 0.0], True, "difference +0.500 on 4 documents, standard error 0.289"),
        (
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 1.0, 0.0],
            False,
            "not above one standard error: difference +0.250",
        ),
        ([0.0, 1.0], [0.0, 1.0], False, "not above one standard error: difference +0.000"),
        ([1.0] * 4, [0.0] * 4, False, "not above one standard error: difference -1.000"),
        ([0.0], [1.0], False, "not above one standard error: difference +1.000 on 1 documents"),
        ([0.0] * 4, [1.0, None, None, None], False, "3 documents missing, the parent has 0"),
        (
            [0.0, 0.0, None, None],
            [1.0, None, 1.0, None],
            False,
            "1 of 4 documents were measured for both, too few",
        ),
    ],
)
def test_the_rule(parent: Scores, child: Scores, survived: bool, reason: str) -> None:
    """Better survives; a gain within its standard error, an equal, a worse, a single and a missing one do not."""
    found = decided(parent, child)
    assert (found.survived, found.reason[: len(reason)]) == (survived, reason)


def test_a_gain_of_exactly_the_standard_error_is_not_enough() -> None:
    """One document of two gained: difference and standard error are both a half."""
    assert not decided([0.0, 0.0], [1.0, 0.0]).survived


def test_a_survivor_keeps_the_draws_it_won_by() -> None:
    """There is no fresh record."""
    assert record(10, Terms()) == 0
