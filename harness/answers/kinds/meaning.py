"""What a tree means in itself: a value, the truth of a statement, membership in a set of numbers."""

import re
from dataclasses import replace

from harness.answers.numbers.numeric import VALUES
from harness.answers.tree import (
    Node,
    Unreadable,
    add,
    both,
    constant,
    divide,
    either,
    free,
    minus,
    mul,
    negative,
    number,
    opaque,
    power,
    relation,
    substitute,
    walk,
)

INFINITE = {constant("oo"): 1, mul(number(-1), constant("oo")): -1}
SETS = frozenset(("set", "builder", "numbers", "union", "intersection", "minus"))
TRUTHS = frozenset(("rel", "and", "or", "not", "in", "congruent", "true", "false"))
LETTERS = frozenset("RZNQC")
SIGN = re.compile(r"([A-Z])([01]?)(?:(>=|<=|>|<|!=)0)?")


def infinite(node: Node) -> int:
    """1 or -1 for plus or minus infinity, else 0."""
    return INFINITE.get(node, 0)


def arithmetic(node: Node) -> Node:
    """The node, if it can have a value; conditions of its cases as truths.

    Raises:
        Unreadable: it holds a set, a relation or a matrix.
    """
    if node.head == "cases":
        return replace(node, args=tuple(_piece(one) for one in node.args))
    if node.head == "bracket" and len(node.args) == 1:
        return arithmetic(node.args[0])
    if node.head not in VALUES:
        raise Unreadable(f"it holds a {node.head} where a value is needed")
    return replace(node, args=tuple(arithmetic(one) for one in node.args)) if node.args else node


def _piece(node: Node) -> Node:
    value, condition = node.args
    return replace(node, args=(members(value)[-1], truth(condition)))


def label(node: Node) -> str | None:
    """The name that a statement such as y = 2x gives its right side; None if it gives none."""
    first = node.args[0] if node.head == "and" and node.args else node
    if first.head == "rel" and first.name == "=" and first.args[0].head in ("sym", "opaque"):
        name = first.args[0].name
        return None if name in free(first.args[1]) else name
    return None


def members(node: Node) -> tuple[Node, ...]:
    """The sides of y = a = b that are values, without the name in front; the last one is what the answer comes to.

    Raises:
        Unreadable: it is no value and no chain of equal values.
    """
    links = node.args if node.head == "and" else (node,)
    if not all(one.head == "rel" and one.name == "=" for one in links):
        return (arithmetic(node),)
    sides = (links[0].args[0], *(one.args[1] for one in links))
    return tuple(arithmetic(one) for one in (sides[1:] if label(node) is not None else sides))


def signs(node: Node) -> tuple[Node, ...]:
    """The node for both signs where it has ±, itself where it has none.

    Raises:
        Unreadable: several ± without a ∓, which may or may not be meant to go together.
    """
    heads = [one.head for one in walk(node) if one.head in ("plusminus", "minusplus")]
    if not heads:
        return (node,)
    if heads.count("plusminus") > 1 and "minusplus" not in heads:
        raise Unreadable("several ± may or may not go together")
    return tuple(_signed(node, plus) for plus in (True, False))


def _signed(node: Node, plus: bool) -> Node:
    if node.head in ("plusminus", "minusplus"):
        inner = _signed(node.args[0], plus)
        return inner if (node.head == "plusminus") == plus else negative(inner)
    return replace(node, args=tuple(_signed(one, plus) for one in node.args)) if node.args else node


def truth(node: Node) -> Node:
    """The node as relations between values, joined by and, or, not.

    Raises:
        Unreadable: it is no statement.
    """
    if node.head in ("and", "or", "list"):
        parts = tuple(truth(one) for one in node.args)
        return either(*parts) if node.head == "or" or _solutions(node) else both(*parts)
    if node.head == "not":
        return Node("not", (truth(node.args[0]),))
    if node.head == "in":
        return member(node.args[0], node.args[1])
    if node.head == "rel":
        return _signed_relation(tuple(_related(one) for one in signs(node)), node.name)
    if node.head == "congruent":
        return replace(node, args=tuple(arithmetic(one) for one in node.args))
    if node.head in ("true", "false"):
        return node
    raise Unreadable(f"it is a {node.head} where a relation is needed")


def _solutions(node: Node) -> bool:
    """x = 1, x = 2: values of one variable in a row, of which any may hold."""
    labels = {label(one) if one.head == "rel" else None for one in node.args}
    return len(node.args) > 1 and len(labels) == 1 and None not in labels


def _signed_relation(both_signs: tuple[Node, ...], name: str) -> Node:
    """x = ±2 is one or the other, x != ±2 is neither."""
    if len(both_signs) > 1 and name not in ("=", "!="):
        raise Unreadable("an inequality with ± is not understood")
    return both(*both_signs) if name == "!=" else either(*both_signs)


def _related(node: Node) -> Node:
    left, right = node.args
    for this, other, name in ((left, right, node.name), (right, left, node.name.translate(FLIP))):
        if infinite(other) and not infinite(this):
            return _beyond(name, infinite(other))
    return replace(node, args=(arithmetic(left), arithmetic(right)))


FLIP = str.maketrans("<>", "><")


def _beyond(name: str, sign: int) -> Node:
    """A relation of a real number with plus or minus infinity."""
    holds = name == "!=" or (name[0] == "<" and sign > 0) or (name[0] == ">" and sign < 0)
    return Node("true" if holds else "false")


def member(element: Node, container: Node) -> Node:
    """The truth that the element is in a set of real numbers.

    Raises:
        Unreadable: it is no set, or one that cannot be described by relations.
    """
    element = arithmetic(element)
    if container.head in TRUTHS and container.head != "in":
        raise Unreadable("it is a relation where a set is needed")
    rule = MEMBERS.get(container.head)
    if rule is None:
        raise Unreadable(f"it is a {container.head} where a set is needed")
    return rule(element, container)


def _in_bracket(element: Node, container: Node) -> Node:
    if len(container.args) != 2:
        raise Unreadable("an interval has two ends")
    low, high = container.args
    return both(
        _related(relation(">" if container.name[0] == "(" else ">=", element, low)),
        _related(relation("<" if container.name[1] == ")" else "<=", element, high)),
    )


def _in_finite(element: Node, container: Node) -> Node:
    return either(
        *(relation("=", element, arithmetic(one)) for item in container.args for one in signs(item))
    )


def _in_numbers(element: Node, container: Node) -> Node:
    found = SIGN.fullmatch(container.name)
    if found is None or found[1] in "QC" or (container.head == "sym" and container.name not in LETTERS):
        raise Unreadable(f"the set {container.name!r} cannot be described by relations")
    whole = Node("integer" if found[1] in "ZN" else "real", (element,))
    least = relation(">=", element, number(int(found[2] or 0))) if found[1] == "N" else Node("true")
    side = relation(found[3], element, number(0)) if found[3] else Node("true")
    return both(whole, least, side)


def _in_sum(element: Node, container: Node) -> Node:
    """R - {0}, a set without another, or 1 + 3 Z, a set moved by numbers."""
    shifts = [one for one in container.args if not _is_set(one)]
    first, *others = [one for one in container.args if _is_set(one)] or [container]
    taken = [mul(*one.args[1:]) for one in others if one.head == "mul" and one.args[0] == number(-1)]
    if first is container or len(taken) != len(others):
        raise Unreadable("it is a sum where a set is needed")
    moved = minus(element, add(*shifts)) if shifts else element
    return both(member(moved, first), *(Node("not", (member(element, one),)) for one in taken))


def _in_built(element: Node, container: Node) -> Node:
    """{x : condition}, {x in set : condition}, and {a k + b : condition on k} solved for k."""
    pattern, condition = _resolved(*container.args)
    bound = sorted(free(pattern) & _constrained(condition))
    if len(bound) != 1:
        raise Unreadable("it is not clear which variable the set runs over")
    solved = element if pattern.head == "sym" else _solved(pattern, bound[0], element)
    return truth(substitute(condition, {bound[0]: solved}))


def _resolved(pattern: Node, condition: Node) -> tuple[Node, Node]:
    """The pattern and the condition of a builder: {x in S : ...} without the S, {x : x = 2k, k in Z} as {2k : k in Z}."""
    if pattern.head == "in":
        return pattern.args[0], both(pattern, condition)
    parts = condition.args if condition.head == "and" else (condition,)
    for one in parts:
        rest = tuple(each for each in parts if each is not one)
        said = {each.args[0].name for each in rest if each.head == "in"}
        if one.head == "rel" and one.name == "=" and one.args[0] == pattern and free(one.args[1]) & said:
            return one.args[1], both(*rest)
    return pattern, condition


def _constrained(condition: Node) -> frozenset[str]:
    """The variables that a condition is about: those said to be in a set, else all of them."""
    said = [one.args[0].name for one in walk(condition) if one.head == "in" and one.args[0].head == "sym"]
    return frozenset(said) or free(condition)


def _solved(pattern: Node, name: str, element: Node) -> Node:
    """The value of the variable `name` for which the pattern, linear in it, is the element."""
    if degree(pattern, name) != 1:
        raise Unreadable("the elements of the set are not linear in its variable")
    start = substitute(pattern, {name: number(0)})
    step = minus(substitute(pattern, {name: number(1)}), start)
    return mul(minus(element, start), power(step, number(-1)))


def degree(node: Node, name: str) -> int | None:
    """The degree of a polynomial in the variable, as written; None if it is no polynomial in it."""
    if name not in free(node):
        return 0
    if node.head == "sym":
        return 1
    below = [degree(one, name) for one in node.args]
    if node.head in ("add", "mul") and None not in below:
        known = [one for one in below if one is not None]
        return max(known) if node.head == "add" else sum(known)
    return None


def _known_set(node: Node) -> bool:
    return node.head in MEMBERS and (node.head != "mul" or _is_set(node))


def _combined(element: Node, container: Node) -> Node:
    left, right = (member(element, one if _known_set(one) else Node("set", (one,))) for one in container.args)
    if container.head == "union":
        return either(left, right)
    return both(left, right if container.head == "intersection" else Node("not", (right,)))


def _in_scaled(element: Node, container: Node) -> Node:
    """3 Z: a set times numbers."""
    sets = [one for one in container.args if _is_set(one)]
    factors = [one for one in container.args if not _is_set(one)]
    if len(sets) != 1 or not factors or any(map(opaque, factors)):
        raise Unreadable("it is a product where a set is needed")
    return member(divide(element, mul(*factors)), sets[0])


def _is_set(node: Node) -> bool:
    return node.head in SETS or (node.head == "mul" and any(map(_is_set, node.args)))


MEMBERS = {
    "bracket": _in_bracket,
    "set": _in_finite,
    "numbers": _in_numbers,
    "sym": _in_numbers,
    "add": _in_sum,
    "mul": _in_scaled,
    "builder": _in_built,
    "union": _combined,
    "intersection": _combined,
    "minus": _combined,
}
