"""What a tree means as a whole answer: where a statement holds, a set of numbers, the members of a finite set."""

from dataclasses import dataclass

from harness.answers.kinds.meaning import SETS, TRUTHS, infinite, label, member, signs, truth
from harness.answers.tree import Node, Unreadable, both, free, substitute, symbol

UNNAMED = "·"
"""The variable of a set of numbers that names none."""


@dataclass(frozen=True)
class Region:
    """Where a truth holds. named: its variables are named; else it is about numbers, and its variable is UNNAMED."""

    truth: Node
    named: bool


def region(node: Node, anonymous: bool) -> Region:
    """A set of numbers, or where a statement holds. anonymous: the name of a single variable does not matter.

    Raises:
        Unreadable: it is neither.
    """
    node = _parametrised(node)
    if anonymous and node.head == "in" and node.args[0].head == "sym":
        node = node.args[1]
    if (
        anonymous
        and label(node) is not None
        and node.head == "rel"
        and node.args[1].head in (SETS | {"bracket"})
    ):
        node = node.args[1]
    if node.head == "builder" and node.args[0].head == "bracket":
        return _of_points(*node.args)
    if node.head not in TRUTHS and node.head != "list":
        return Region(member(symbol(UNNAMED), node), named=False)
    found = truth(node)
    names = sorted(free(found))
    if anonymous and len(names) == 1:
        return Region(substitute(found, {names[0]: symbol(UNNAMED)}), named=False)
    return Region(found, named=True)


def _of_points(pattern: Node, condition: Node) -> Region:
    """{(x, y) : condition}: where it holds, with variables that are named by their places."""
    names = [one.name for one in pattern.args]
    if len(set(names)) < len(names) or any(one.head != "sym" for one in pattern.args):
        raise Unreadable("the points of the set are not given by their variables")
    places = {name: symbol(f"{UNNAMED}{place}") for place, name in enumerate(names, 1)}
    return Region(substitute(truth(condition), places), named=False)


def _parametrised(node: Node) -> Node:
    """x = a + k b, k in Z: as the set it describes, if the variable it gives has no other name to it."""
    if node.head == "cases" and len(node.args) == 1:
        value, condition = node.args[0].args
    elif node.head == "list" and any(one.head == "in" for one in node.args[1:]):
        value, condition = node.args[0], both(*node.args[1:])
    else:
        return node
    given = value.args if value.head in ("or", "list") else (value,)
    names = {label(one) for one in given}
    elements = [each for one in given for each in signs(one.args[1] if label(one) else one)]
    sets = [Node("builder", (one, condition)) for one in elements]
    if len(names) != 1 or any(one in free(condition) for one in names if one):
        return node
    found = sets[0]
    for one in sets[1:]:
        found = Node("union", (found, one))
    return found if names == {None} else Node("in", (symbol(names.pop() or ""), found))


def points(node: Node) -> tuple[Node, ...] | None:
    """The members of a finite collection: {1, 2}, "1, 2", "x = 1 or x = 2", ±1; None if it is something else."""
    if node.head in ("set", "list", "or") or (node.head == "and" and not _chained(node)):
        if len({name for name in map(label, node.args) if name is not None}) > 1:
            return None
        parts = (
            [points(one) for one in node.args] if node.head != "set" else [signs(one) for one in node.args]
        )
        return None if None in parts else tuple(one for part in parts if part is not None for one in part)
    if label(node) is not None and node.head == "rel":
        return points(node.args[1])
    if node.head == "builder":
        return _image(*node.args)
    if node.head in TRUTHS or node.head in SETS or node.head == "cases" or _interval(node):
        return None
    return signs(node)


def _image(pattern: Node, condition: Node) -> tuple[Node, ...] | None:
    """{k^2 : k in {1, 2}}, also with k = 1, 2: its members; None if the variable does not run over a few values."""
    first, *others = condition.args if condition.head == "and" else (condition,)
    if not first.args or first.args[0].head != "sym":
        return None
    if first.head == "in" and not others:
        values = points(first.args[1]) if first.args[1].head == "set" else None
    else:
        given = first.head == "rel" and first.name == "=" and not any(one.head in TRUTHS for one in others)
        values = (first.args[1], *others) if given and others else None
    if values is None:
        return None
    return tuple(each for one in values for each in signs(substitute(pattern, {first.args[0].name: one})))


def _chained(node: Node) -> bool:
    return any(one.head == "rel" and label(one) is None for one in node.args)


def _interval(node: Node) -> bool:
    return (
        node.head == "bracket"
        and len(node.args) == 2
        and (node.name != "()" or any(map(infinite, node.args)))
    )
