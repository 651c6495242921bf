"""Classes of answers that agree: witnesses correct single verdicts, and the order of the answers does not matter."""

import asyncio
from itertools import combinations, permutations

from hypothesis import given
from hypothesis import strategies as st

from harness.answers import AnswerKind, Comparison, Equality, classes, largest_class


class Known:
    """Answers are equal if they begin with the same letter; `said` overrules that for a pair, whatever its order."""

    def __init__(self, said: dict[str, Equality] | None = None) -> None:
        self.said = said or {}

    async def compare(self, reference: str, answer: str, kind: AnswerKind) -> Comparison:
        pair = "".join(sorted((reference, answer)))
        usual: Equality = "equal" if reference[0] == answer[0] else "different"
        return Comparison(self.said.get(pair, usual), "said")


def grouped(answers: list[str], said: dict[str, Equality] | None = None) -> list[set[str]]:
    found = asyncio.run(classes(Known(said), answers, "number"))
    return [{answers[place] for place in one} for one in found]


def test_classes_are_sorted_by_size() -> None:
    """The largest comes first, then by the first index; each answer is in one class."""
    answers = ["b1", "a1", "a2", "c1", "a3", "b2"]
    assert asyncio.run(classes(Known(), answers, "number")) == ((1, 2, 4), (0, 5), (3,))
    assert asyncio.run(largest_class(Known(), answers, "number")) == (1, 2, 4)


def test_no_answers_have_no_class() -> None:
    """Nothing in, nothing out."""
    assert asyncio.run(classes(Known(), [], "number")) == ()
    assert asyncio.run(largest_class(Known(), [], "number")) == ()


def test_the_same_text_is_one_class_without_asking() -> None:
    """Identical answers are equal whatever the comparison would say."""
    assert asyncio.run(classes(Known({"a1a1": "different"}), ["a1", "a1"], "number")) == ((0, 1),)


def test_a_tie_is_broken_by_text_and_not_by_order() -> None:
    """Of classes of one size that with the first text wins, wherever it stands."""
    for answers in (["b1", "a1"], ["a1", "b1"]):
        (place,) = asyncio.run(largest_class(Known(), answers, "number"))
        assert answers[place] == "a1"


def test_witnesses_flip_a_wrong_different() -> None:
    """Two answers that both equal all the others are equal."""
    assert grouped(["a1", "a2", "a3", "a4", "b1"], {"a1a2": "different"})[0] == {"a1", "a2", "a3", "a4"}


def test_witnesses_flip_a_wrong_equal() -> None:
    """One equal pair does not join two classes that are otherwise different."""
    answers = ["a1", "a2", "a3", "b1", "b2", "b3"]
    assert grouped(answers, {"a1b1": "equal"}) == [{"a1", "a2", "a3"}, {"b1", "b2", "b3"}]


def test_an_unknown_pair_is_settled_by_witnesses_or_stays_apart() -> None:
    """Unknown is no agreement, unless the others vouch for it."""
    assert grouped(["a1", "a2", "a3", "a4"], {"a1a2": "unknown"}) == [{"a1", "a2", "a3", "a4"}]
    assert grouped(["a1", "a2"], {"a1a2": "unknown"}) == [{"a1"}, {"a2"}]


def test_three_answers_that_contradict_each_other_have_no_majority() -> None:
    """Equal to the one in the middle but not to each other: nobody can tell which verdict is wrong."""
    assert grouped(["a1", "a2", "a3"], {"a1a3": "different"}) == [{"a1"}, {"a2"}, {"a3"}]


verdicts = st.sampled_from(["equal", "different", "unknown"])


@given(st.lists(verdicts, min_size=10, max_size=10), st.permutations(range(5)))
def test_the_order_of_answers_does_not_matter(found: list[Equality], order: list[int]) -> None:
    """Whatever the verdicts, the same answers in another order give the same classes."""
    answers = ["a", "b", "c", "d", "e"]
    said = dict(zip(("".join(pair) for pair in combinations(answers, 2)), found, strict=True))
    shuffled = [answers[place] for place in order]
    assert sorted(map(sorted, grouped(shuffled, said))) == sorted(map(sorted, grouped(answers, said)))


def test_every_order_of_a_mixed_vote_gives_the_same_winner() -> None:
    """All orders of four answers with one wrong verdict agree."""
    winners = set()
    for answers in permutations(["a1", "a2", "a3", "b1"]):
        found = asyncio.run(largest_class(Known({"a1b1": "equal"}), answers, "number"))
        winners.add(frozenset(answers[place] for place in found))
    assert len(winners) == 1
