"""Which of several answers agree: pairwise verdicts, corrected by the other answers as witnesses. No model is asked."""

from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

from harness.answers.verdicts import Comparison, Equality
from harness.together import together
from harness.types import AnswerKind

Pairs = dict[tuple[int, int], Equality]


class Comparer(Protocol):
    """What can compare two answers of one kind; see `Checker.compare`."""

    async def compare(self, reference: str, answer: str, kind: AnswerKind) -> Comparison: ...


async def largest_class(checker: Comparer, answers: Sequence[str], kind: AnswerKind) -> tuple[int, ...]:
    """Indices, in order, of the largest class of answers that agree; of equally large ones that with the first text.

    () only if there are no answers. See `classes`.
    """
    found = await classes(checker, answers, kind)
    return min(found, key=lambda one: (-len(one), min(answers[i] for i in one)), default=())


async def classes(checker: Comparer, answers: Sequence[str], kind: AnswerKind) -> tuple[tuple[int, ...], ...]:
    """The answers' indices in classes of mutual agreement; the largest class first, then by the first index.

    The vote of Principia (arXiv 2603.18886): every pair is compared, a pair's verdict is flipped if at least half of
    the other answers contradict it. Two changes: one contradiction alone flips nothing, as among three answers it would
    flip every pair at once; and an unknown pair can be turned to equal by the same rule but is otherwise no agreement.
    The same answers in another order give the same classes.
    """
    texts = sorted(set(answers))
    pairs = list(combinations(texts, 2))
    found = await together(checker.compare(one, other, kind) for one, other in pairs)
    known = {frozenset(pair): one.verdict for pair, one in zip(pairs, found, strict=True)}
    verdicts: Pairs = {
        (i, j): known.get(frozenset((answers[i], answers[j])), "equal")
        for i, j in combinations(range(len(answers)), 2)
    }
    return grouped(len(answers), flipped(len(answers), verdicts))


def flipped(count: int, verdicts: Pairs) -> Pairs:
    """The verdicts on all pairs i < j of `count` answers, each flipped if its witnesses contradict it; see `classes`."""

    def between(i: int, j: int) -> Equality:
        return verdicts[min(i, j), max(i, j)]

    def judged(i: int, j: int) -> Equality:
        testimonies = [{between(i, k), between(j, k)} for k in range(count) if k not in (i, j)]
        if verdicts[i, j] == "equal":
            against = sum(one == {"equal", "different"} for one in testimonies)
        else:
            against = sum(one == {"equal"} for one in testimonies)
        if against < 2 or 2 * against < len(testimonies):
            return verdicts[i, j]
        return "different" if verdicts[i, j] == "equal" else "equal"

    return {(i, j): judged(i, j) for i, j in verdicts}


def grouped(count: int, verdicts: Pairs) -> tuple[tuple[int, ...], ...]:
    """Classes of answers that are linked by equal pairs; where a class holds a different pair, both leave it alone."""
    classes = _linked(range(count), verdicts)
    apart = {
        i for one in classes for pair in combinations(one, 2) if verdicts[pair] == "different" for i in pair
    }
    if apart:
        classes = _linked([i for i in range(count) if i not in apart], verdicts) + [
            (i,) for i in sorted(apart)
        ]
    return tuple(sorted(classes, key=lambda one: (-len(one), one)))


def _linked(members: Sequence[int], verdicts: Pairs) -> list[tuple[int, ...]]:
    """Connected components of the equal pairs among `members`."""
    root = {i: i for i in members}
    for i, j in combinations(members, 2):
        if verdicts[i, j] == "equal" and root[i] != root[j]:
            old, new = root[j], root[i]
            root = {k: new if r == old else r for k, r in root.items()}
    return [tuple(i for i in members if root[i] == r) for r in sorted(set(root.values()))]
