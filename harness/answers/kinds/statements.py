"""Answers that say where something holds, or are sets: equations, inequalities, intervals, sets."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.answers.kinds.expressions import has_head, has_size
from harness.answers.kinds.meaning import label, truth
from harness.answers.kinds.sets import UNNAMED, Region, points, region
from harness.answers.kinds.values import Value, alike, same, same_collection
from harness.answers.numbers.probing import DOMAIN, UNDECIDED
from harness.answers.numbers.regions import same_region
from harness.answers.tree import Node, Unreadable, either, free, opaque, relation, substitute, symbol
from harness.answers.verdicts import Comparison, merged

EXPLICIT = frozenset(("sym", "opaque"))


@dataclass(frozen=True)
class Statement:
    """Where it holds; and, if it says so outright, what each of its variables is."""

    region: Region
    assigned: tuple[tuple[str, tuple[Node, ...]], ...] = ()


def read_equation(node: Node) -> Statement:
    """An equation, several that hold together, or several solutions of one variable.

    Raises:
        Unreadable: it is none.
    """
    name = label(node if node.head != "list" else node.args[0])
    listed = points(node) if name is not None else None
    if name is not None and listed is not None and len(listed) > 1:
        either_one = truth(either(*(relation("=", symbol(name), one) for one in listed)))
        return Statement(Region(either_one, named=True), ((name, listed),))
    found = region(node, anonymous=False)
    if not found.named:
        raise Unreadable("it is no equation")
    return Statement(found, tuple((name, (value,)) for name, value in _assignments(found.truth)))


def _assignments(node: Node) -> tuple[tuple[str, Node], ...]:
    """The variables that a row of equations gives outright, by name; () if they do not all do that."""
    found: dict[str, Node] = {}
    for one in node.args if node.head == "and" else (node,):
        for side, value in ((0, 1), (1, 0)) if one.head == "rel" and one.name == "=" else ():
            name = one.args[side].name
            if one.args[side].head in EXPLICIT and name not in free(one.args[value]):
                found.setdefault(name, one.args[value])
                break
        else:
            return ()
    known = frozenset(found)
    count = len(node.args) if node.head == "and" else 1
    clear = len(found) == count and not any(known & free(value) for value in found.values())
    return tuple(sorted(found.items())) if clear else ()


def same_equation(one: Statement, other: Statement) -> Comparison:
    """Whether two equations have the same solutions."""
    if one.assigned and other.assigned and len(one.assigned) == len(other.assigned):
        found = _same_assignments(one, other)
        if found is not None:
            return found
    parts = [
        each.region.truth.args if each.region.truth.head == "and" else (each.region.truth,)
        for each in (one, other)
    ]
    if len(parts[0]) == len(parts[1]) == 1:
        return guarded(one.region.truth, other.region.truth, solved=False)
    return _matched(*parts)


def _same_assignments(one: Statement, other: Statement) -> Comparison | None:
    """The comparison of what is assigned; None if other things are."""
    pairs = list(zip(one.assigned, other.assigned, strict=True))
    if not (
        all(a[0] == b[0] for a, b in pairs) or (len(pairs) == 1 and alike(pairs[0][0][0], pairs[0][1][0]))
    ):
        return None
    found = [same(Value(a[1], a[0]), Value(b[1], b[0])) for a, b in pairs]
    different = [each for each in found if each.verdict == "different"]
    return different[0] if different else merged(found, "undecided")


def _matched(one: Sequence[Node], other: Sequence[Node]) -> Comparison:
    """Rows of equations that hold together: equal if each is one of the other row; else nothing can be told."""
    table = [[same_region(a, b, solved=False).verdict == "equal" for b in other] for a in one]
    covered = all(map(any, table)) and all(any(row[k] for row in table) for k in range(len(other)))
    return Comparison("equal", "numeric") if covered else UNDECIDED


def read_inequality(node: Node) -> Region:
    """An inequality, several, or a set of numbers.

    Raises:
        Unreadable: it is neither.
    """
    return region(node, anonymous=False)


def same_inequality(one: Region, other: Region) -> Comparison:
    """Whether two inequalities have the same solutions; one of them may be a set for the variable of the other."""
    if one.named == other.named:
        return guarded(one.truth, other.truth, solved=not one.named)
    named, unnamed = (one, other) if one.named else (other, one)
    candidates = sorted(free(named.truth) - free(unnamed.truth))
    if len(candidates) != 1:
        return UNDECIDED
    return guarded(named.truth, substitute(unnamed.truth, {UNNAMED: symbol(candidates[0])}), solved=True)


def read_interval(node: Node) -> Region:
    """A set of real numbers in any notation.

    Raises:
        Unreadable: it is none.
    """
    return region(node, anonymous=True)


@dataclass(frozen=True)
class Collection:
    """A set: its members if they are few and known, the numbers in it if it can be described so; at least one of them.

    pair: two things in round brackets, an interval or a point.
    """

    members: tuple[Node, ...] | None
    region: Region | None
    pair: Node | None = None


def read_set(node: Node) -> Collection:
    """A set of numbers, points, matrices or sets.

    Raises:
        Unreadable: it is none.
    """
    pair = node if node.head == "bracket" and node.name == "()" else None
    members = points(node)
    try:
        return Collection(members, region(node, anonymous=True), pair)
    except Unreadable:
        if members is None and pair is None:
            raise
        return Collection(members, None, pair)


def same_set(one: Collection, other: Collection) -> Comparison:
    """Whether two sets have the same members."""
    first, second = (each.members if each.members is not None else None for each in (one, other))
    if first is not None and second is not None:
        found = same_collection(first, second)
        if found.verdict != "unknown":
            return found
    for this, that in ((one, other), (other, one)):
        if (
            this.pair is not None
            and that.members is not None
            and any(each.head == "bracket" for each in that.members)
        ):
            return same_collection((this.pair,), that.members)
    if one.region is None or other.region is None:
        return UNDECIDED
    return same_inequality(one.region, other.region)


def guarded(one: Node, other: Node, solved: bool) -> Comparison:
    """As `same_region`, but what differs by usage only is unknown: other unknown functions on each side, or the same
    solutions where all of several variables are positive, as in x < a/b for b x < a."""
    found = same_region(one, other, solved)
    if found.verdict != "different":
        return found
    if opaque(one) != opaque(other):
        return UNDECIDED
    names = free(one) | free(other)
    if len(names) > 1 and not has_size(one) and not has_size(other):
        return DOMAIN if same_region(one, other, solved, positive=True).verdict == "equal" else found
    return found


def has_relation(node: Node, *names: str) -> bool:
    """Whether it holds a relation of one of these names."""
    return has_head(node, "rel") and any(one.name in names for one in _relations(node))


def _relations(node: Node) -> list[Node]:
    below = [found for one in node.args for found in _relations(one)]
    return [node, *below] if node.head == "rel" else below
