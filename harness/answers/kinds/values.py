"""Answers that are values: one number or expression, several of them, points, sets and matrices of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.answers.kinds.expressions import READING, has_head, same_expression
from harness.answers.kinds.matrices import is_matrix, rows
from harness.answers.kinds.meaning import arithmetic, label, members
from harness.answers.kinds.sets import UNNAMED, points
from harness.answers.numbers.probing import DIFFERENT, EQUAL, UNDECIDED, evaluated, same_value
from harness.answers.tree import Node, Unreadable, free, substitute, symbol
from harness.answers.verdicts import Comparison, merged

OTHER_SHAPE = Comparison("different", "shape")
LARGE = 10**100

ARGUMENT = re.compile(r"(?P<function>[A-Za-z_']+)\((?P<name>[A-Za-z]\w*)\)")


@dataclass(frozen=True)
class Value:
    """One answer of kind number, expression or piecewise: all its values, more than one only with ± or in a list."""

    values: tuple[Node, ...]
    label: str | None
    piecewise: bool = False


def read_value(node: Node, piecewise: bool = False) -> Value:
    """A value with the name it may be given, y = 2x.

    Raises:
        Unreadable: it is none, or the sides of an equation are not equal.
    """
    name = label(node)
    if node.head == "rel" or (node.head == "and" and all(one.head == "rel" for one in node.args)):
        parts = node.args[-1].args[1] if node.head == "and" else node.args[1]
        if node.head == "rel" and node.name == "=" and name is not None:
            return Value(_values(parts), name, piecewise)
        return Value((_settled(members(node)),), name, piecewise)
    return Value(_values(node), name, piecewise)


def _values(node: Node) -> tuple[Node, ...]:
    found = points(node)
    if found is None:
        return (arithmetic(node),)
    if not found:
        raise Unreadable("it has no value")
    return tuple(arithmetic(one) for one in found)


def _settled(sides: tuple[Node, ...]) -> Node:
    """The last of several values that are equal."""
    if any(same_value(one, sides[-1]).verdict != "equal" for one in sides[:-1]):
        raise Unreadable("the sides of its equation are not equal")
    return sides[-1]


def same_number(one: Value, other: Value) -> Comparison:
    """As `same`; a letter in one of them only may be a unit."""
    found = same(one, other)
    lettered = [any(free(each) for each in value.values) for value in (one, other)]
    return READING if found.verdict == "different" and lettered[0] != lettered[1] else found


def same(one: Value, other: Value) -> Comparison:
    """Whether two answers come to the same value, or to the same values."""
    first, second = _renamed(one, other)
    if len(first) == len(second) == 1:
        found = same_expression(first[0], second[0], one.piecewise)
    else:
        found = same_collection(first, second)
    relabelled = one.label is not None and other.label is not None and not alike(one.label, other.label)
    return READING if relabelled and found.verdict == "equal" else found


def _renamed(one: Value, other: Value) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The values, with one name for the variable if they are called f(x) and f(t)."""
    applied = [ARGUMENT.fullmatch(each.label or "") for each in (one, other)]
    if applied[0] is None or applied[1] is None or applied[0]["name"] == applied[1]["name"]:
        return one.values, other.values
    names = [{found["name"]: symbol(UNNAMED)} for found in applied if found is not None]
    return (
        tuple(substitute(each, names[0]) for each in one.values),
        tuple(substitute(each, names[1]) for each in other.values),
    )


def alike(one: str, other: str) -> bool:
    """Whether two names of results are the same: y and y(x) are, and f(x) and f(t)."""
    names = [found["function"] if (found := ARGUMENT.fullmatch(name)) else name for name in (one, other)]
    return names[0] == names[1]


def same_collection(one: Sequence[Node], other: Sequence[Node]) -> Comparison:
    """Whether two finite sets are the same: order and repetitions do not matter."""
    sizes = [[_size(node) for node in side] for side in (one, other)]
    table = [
        [DIFFERENT if _far(p, q) else same_member(a, b) for b, q in zip(other, sizes[1], strict=True)]
        for a, p in zip(one, sizes[0], strict=True)
    ]
    lines = [*table, *([row[k] for row in table] for k in range(len(other)))]
    if len(one) == 0 or len(other) == 0:
        return EQUAL if len(one) == len(other) else OTHER_SHAPE
    if all(any(each.verdict == "equal" for each in line) for line in lines):
        return EQUAL
    lonely = [line for line in lines if all(each.verdict == "different" for each in line)]
    return lonely[0][0] if lonely else UNDECIDED


def _size(node: Node) -> float | None:
    """About the value of a real number that says nothing of units, None of anything else."""
    if free(node) or has_head(node, "percent", "degree", "set", "bracket", "matrix"):
        return None
    found = evaluated(arithmetic(node), [{}])
    return float(found[0]) if found and abs(found[0]) < LARGE else None


def _far(one: float | None, other: float | None) -> bool:
    """Whether two sizes are too far apart for any way of reading them to make them equal."""
    return one is not None and other is not None and abs(one - other) > 0.5 * max(1.0, abs(one), abs(other))


def same_member(one: Node, other: Node) -> Comparison:
    """Whether two members of sets are the same: values, points, sets or matrices."""
    if one.head == other.head == "set":
        return same_collection(one.args, other.args)
    if is_matrix(one) and is_matrix(other):
        return same_matrix(read_matrix(one), read_matrix(other))
    if one.head == other.head == "bracket":
        return same_entries(one.args, other.args)
    if one.head != other.head and {"bracket", "set", "matrix"} & {one.head, other.head}:
        return OTHER_SHAPE
    return same_expression(arithmetic(one), arithmetic(other))


def same_entries(one: Sequence[Node], other: Sequence[Node]) -> Comparison:
    """Whether two rows of things are the same, each with each."""
    if len(one) != len(other):
        return OTHER_SHAPE
    found = [same_member(a, b) for a, b in zip(one, other, strict=True)]
    different = [each for each in found if each.verdict == "different"]
    return different[0] if different else merged(found, "undecided")


@dataclass(frozen=True)
class Matrix:
    """Rows of entries. listed: written as a plain list, so that it may be meant as a row or as a column."""

    rows: tuple[tuple[Node, ...], ...]
    listed: bool


def read_matrix(node: Node) -> Matrix:
    """A matrix, or a vector as a list.

    Raises:
        Unreadable: it is neither.
    """
    inner = node.args[1] if label(node) is not None and node.head == "rel" else node
    if inner.head == "bracket" and not is_matrix(inner):
        return Matrix((tuple(arithmetic(one) for one in inner.args),), listed=True)
    return Matrix(rows(node), listed=False)


def same_matrix(one: Matrix, other: Matrix) -> Comparison:
    """Whether two matrices have the same size and the same entries."""
    flat = [[entry for row in each.rows for entry in row] for each in (one, other)]
    if one.listed != other.listed and (
        1 in (len(one.rows), len(one.rows[0])) and 1 in (len(other.rows), len(other.rows[0]))
    ):
        found = same_entries(*flat)
        return READING if found.verdict == "equal" else found
    if (len(one.rows), len(one.rows[0])) != (len(other.rows), len(other.rows[0])):
        return OTHER_SHAPE
    return same_entries(*flat)
