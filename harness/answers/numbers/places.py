"""Where to look: points with a fixed seed, and the values of a variable at which something in a tree can change."""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random

from harness.answers.numbers.arithmetic import NoValue, Number
from harness.answers.numbers.numeric import Evaluation, Point
from harness.answers.numbers.zeros import different, zeros
from harness.answers.tree import Node, add, free, minus, number, walk

SEED = 20
LARGEST_SIMPLE = 10**9
MOST_CHANGES = 40
COUNTING = re.compile(r"[nmkjlNMK](?:_.*)?")
"""Names that may stand for integers only."""
STEPS = range(-12, 13)
KINKED = frozenset(("abs", "sign", "ln", "re", "im", "conj", "arg"))
STEPPED = frozenset(("floor", "ceil"))


def bases(names: Sequence[str], whole: frozenset[str]) -> list[dict[str, Number]]:
    """Points for variables of these names, the same for the same names. whole: those that are positive integers.

    The first ones are the most useful: few digits, all signs, positive, between 0 and 1, large, all equal.
    """
    random = Random(SEED)
    ranges = (
        (-5, 5),
        (0, 5),
        (0, 1),
        (-5, 5),
        (0, 5),
        (-1, 1),
        (0, 5),
        (0, 1),
        (-60, 60),
        (-900, 900),
        (0, 900),
    )
    found = [{name: _between(random, low, high) for name in names} for low, high in ranges]
    found += [{name: Fraction(random.randint(1, 9)) for name in names} for _ in range(6)]
    found += [{name: Fraction(random.randint(-9, -1)) for name in names} for _ in range(2)]
    found += [{name: Fraction(same) for name in names} for same in (0, 1, -1, 2, 10)]
    return [
        {name: _counted(value) if name in whole else value for name, value in one.items()} for one in found
    ]


def _between(random: Random, low: int, high: int) -> Fraction:
    bottom = random.choice((3, 7, 11))
    return low + Fraction(random.randint(1, (high - low) * bottom - 1), bottom)


def _counted(value: Number) -> Fraction:
    return Fraction(1 + abs(int(value)) % 40)


def counted(trees: Iterable[Node], conditions: bool) -> frozenset[str]:
    """Variables that must be integers where they stand: raising a negative number, in binomials, as bounds of sums.

    conditions: also those of which a condition says that they are.
    """
    found: set[str] = set()
    for node in (one for tree in trees for one in walk(tree)):
        if node.head == "pow" and not free(node.args[0]) and _negative(node.args[0]):
            found |= free(node.args[1])
        elif node.head == "call" and node.name in ("factorial", "binomial", "factorial2"):
            found |= free(node)
        elif node.head in ("sum", "prod"):
            found |= free(node.args[1]) | free(node.args[2])
        elif conditions and node.head in ("congruent", "integer"):
            found |= {one.name for one in node.args if one.head == "sym"}
    return frozenset(found)


def _negative(node: Node) -> bool:
    return node.head == "num" and node.value < 0


def may_count(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if COUNTING.fullmatch(name))


def changes(trees: Iterable[Node]) -> list[Node]:
    """What has to be zero for something in these trees to change: arguments of |x|, sides of relations, radicands."""
    found: dict[Node, None] = {}
    for node in (one for tree in trees for one in walk(tree)):
        for one in _changes(node):
            if free(one):
                found.setdefault(one)
    return list(found)


def _changes(node: Node) -> list[Node]:
    if node.head == "rel":
        return [minus(*node.args)]
    if node.head == "integer" or (node.head == "call" and node.name in STEPPED):
        return [add(node.args[0], number(-k)) for k in STEPS]
    if node.head == "congruent":
        return [add(node.args[0], number(-k)) for k in STEPS]
    if node.head == "call" and node.name in KINKED:
        return [node.args[0]]
    if node.head == "call" and node.name in ("max", "min"):
        return [minus(one, other) for one, other in pairwise(node.args)]
    if node.head == "call" and node.name in ("asin", "acos", "acosh", "atanh"):
        return [add(node.args[0], number(k)) for k in (1, -1)]
    if node.head == "root":
        return [node.args[0]]
    return [node.args[0]] if node.head == "pow" and not _plain_power(node.args[1]) else []


def _plain_power(exponent: Node) -> bool:
    return exponent.head == "num" and exponent.value.denominator == 1


def critical(numbers: Evaluation, watched: Sequence[Node], name: str, base: Point) -> list[Number]:
    """Values of one variable where one of the `watched` is zero, in order; of too many those nearest to 0."""
    found = [zero for node in watched if name in free(node) for zero in zeros(numbers, node, name, base)]
    found = sorted(different(numbers, found), key=lambda one: (abs(numbers.lift(one)), numbers.lift(one) < 0))
    return sorted(found[:MOST_CHANGES], key=numbers.lift)


def steps(
    numbers: Evaluation, trees: Iterable[Node], name: str, base: Point, found: Sequence[Number]
) -> list[Number]:
    """Where what has to be an integer, or is rounded to one, is an integer close to the values `found`."""
    inner = [
        one.args[0]
        for tree in trees
        for one in walk(tree)
        if one.head in ("integer", "congruent") or _rounds(one)
    ]
    near: list[Number] = []
    for node in inner if found else ():
        for edge in (found[0], found[-1]):
            whole = _floor(numbers, node, {**base, name: edge})
            levels = range(whole - 1, whole + 3) if whole is not None else ()
            near += [zero for k in levels for zero in zeros(numbers, add(node, number(-k)), name, base)]
    return sorted(different(numbers, [*found, *near]), key=numbers.lift)


def _rounds(node: Node) -> bool:
    return node.head == "call" and node.name in STEPPED


def _floor(numbers: Evaluation, node: Node, point: Point) -> int | None:
    try:
        return int(numbers.context.floor(numbers.lift(numbers.value(node, point))))
    except (NoValue, TypeError):  # a complex number has no floor
        return None


def around(numbers: Evaluation, found: Sequence[Number], only_whole: bool) -> list[Number]:
    """These values, some between them and some beyond them. only_whole: integers alone."""
    if not found:
        return [Fraction(3)]
    low, high = (int(numbers.context.floor(numbers.lift(one))) for one in (found[0], found[-1]))
    if only_whole:
        near = [
            int(numbers.context.floor(numbers.lift(one))) + step for one in found for step in (-1, 0, 1, 2)
        ]
        return [Fraction(one) for one in sorted({*near, low - 20, high + 20})]
    inner = [_simple(numbers, one, other) for one, other in pairwise(found)]
    outer = [low - Fraction(6, 7), low - Fraction(139, 7), high + Fraction(13, 7), high + Fraction(139, 7)]
    return [*found, *inner, *outer]


def _simple(numbers: Evaluation, low: Number, high: Number) -> Number:
    """A number between two others, with few digits if there is room for it."""
    middle = (numbers.lift(low) + numbers.lift(high)) / 2
    if abs(middle) > LARGEST_SIMPLE:
        return middle
    near = Fraction(float(middle)).limit_denominator(1000)
    return near if numbers.lift(low) < numbers.lift(near) < numbers.lift(high) else middle


def is_whole(value: Number) -> bool:
    return isinstance(value, Fraction) and value.denominator == 1
