"""Missing draws: how many are more than chance allows, and that nothing is won by them."""

from itertools import combinations

import pytest
from contests import DOCUMENTS
from hypothesis import given
from hypothesis import strategies as st

from evolve.contest import Contest, Record, Sums, Terms, Trial
from evolve.selection.missing import CHANCE, chance, leaning


def counted(mine: int, asked: int, theirs: int, their_asked: int) -> float:
    """The share of all ways to lay the missing ones on the draws that give the child at least so many."""
    ways = list(combinations(range(asked + their_asked), mine + theirs))
    return sum(sum(place < asked for place in one) >= mine for one in ways) / len(ways)


def draws(missing: int, asked: int, first: int = 0) -> tuple[Trial, ...]:
    """So many draws, one a document in turn, of which the first ones are missing."""
    return tuple(
        Trial(DOCUMENTS[at % len(DOCUMENTS)], first + at // len(DOCUMENTS), None, None, True)
        if at < missing
        else Trial(DOCUMENTS[at % len(DOCUMENTS)], first + at // len(DOCUMENTS), 1.0)
        for at in range(asked)
    )


def contest(
    mine: tuple[int, int], theirs: tuple[int, int] = (0, 0), record: tuple[int, int] = (0, 0), bound: int = 1
) -> Contest:
    """Each pair: missing draws, and all of them. record: what is known of the parent from before."""
    missing, asked = record
    known = {"v0": Sums(asked - missing, 0.0, 0.0)} if asked > missing else {}
    return Contest(
        1, DOCUMENTS, Record(known, missing), Terms(missing_bound=bound), draws(*theirs), draws(*mine)
    )


@given(st.integers(1, 6), st.integers(0, 6), st.data())
def test_the_chance_is_that_of_counting_all_ways(asked: int, their_asked: int, data: st.DataObject) -> None:
    """Fisher's test is nothing but that."""
    mine, theirs = data.draw(st.integers(0, asked)), data.draw(st.integers(0, their_asked))
    found = chance(mine, asked, theirs, their_asked)
    assert found == pytest.approx(counted(mine, asked, theirs, their_asked))


def test_a_chance_of_large_counts_is_a_number() -> None:
    """Thousands of draws are no burden; the more of the child's are missing the smaller it is."""
    found = [chance(mine, 4000, 20, 4000) for mine in (0, 20, 40, 2000)]
    assert found[0] == 1.0
    assert sorted(found, reverse=True) == found
    assert found[2] < CHANCE and found[3] < 1e-300


@pytest.mark.parametrize("bound", [0, 1, 4])
def test_up_to_the_bound_all_are_let_pass(bound: int) -> None:
    """However few of the parent's are missing; one more decides nothing any more."""
    assert leaning(contest((bound, 20), record=(0, 1000), bound=bound)) == ""
    found = leaning(contest((bound + 1, 20), record=(0, 1000), bound=bound))
    assert found.startswith(f"{bound + 1} of 20 draws are missing, 0 of 1000 on the other side: ")


@pytest.mark.parametrize(
    ("theirs", "record"), [((8, 20), (0, 0)), ((0, 0), (8, 20)), ((3, 10), (5, 10)), ((0, 1), (8, 19))]
)
def test_the_parents_count_wherever_they_were_drawn(theirs: tuple[int, int], record: tuple[int, int]) -> None:
    """In this contest, before it, or both: as many as the child's are no sign of anything."""
    assert leaning(contest((8, 20), theirs, record)) == ""
    assert leaning(contest((8, 20), (0, theirs[1]), (0, record[1]))) != ""


def test_fewer_than_the_parents_are_never_too_many() -> None:
    """The test is one-sided: a child that breaks less than its parent is let pass."""
    assert leaning(contest((2, 40), (30, 40))) == ""


def test_a_parent_that_was_never_drawn_says_nothing() -> None:
    """Up to half of the draws may be missing then."""
    assert leaning(contest((10, 20))) == ""


@pytest.mark.parametrize(("missing", "asked", "passed"), [(10, 20, True), (11, 20, False), (10, 19, False)])
def test_half_of_the_draws_have_to_be_there(missing: int, asked: int, passed: bool) -> None:
    """Even if the parent's are all missing, and even within the bound."""
    for bound in (1, 100):
        found = leaning(contest((missing, asked), (20, 20), bound=bound))
        assert found == ("" if passed else f"{missing} of {asked} draws are missing, too many")


@pytest.mark.parametrize("asked", [30, 60, 200])
def test_it_begins_where_chance_ends(asked: int) -> None:
    """The first number that is refused is the first one whose chance is below the bound."""
    refused = [leaning(contest((missing, asked), (2, asked))) != "" for missing in range(asked // 2)]
    first = refused.index(True)
    assert refused == [at >= first for at in range(asked // 2)]
    assert chance(first, asked, 2, asked) < CHANCE <= chance(first - 1, asked, 2, asked)


def test_nothing_drawn_leans_on_nothing() -> None:
    """Without a draw there is none missing."""
    assert leaning(contest((0, 0))) == ""
