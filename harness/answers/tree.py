"""What an answer's text is read into: one small immutable tree for arithmetic, relations, sets, matrices and cases.

Heads, with what `args`, `name` and `value` hold:
    arithmetic  num (value) · sym, opaque (name) · const (pi, e, i, oo) · add, mul · pow (base, exponent)
                · root (radicand, degree) · call (name = function) · sum, prod (body, low, high; name = variable)
                · plusminus, minusplus (one term) · percent, degree (one number) · cases (pieces), piece (value, condition)
    truth       true, false · rel (left, right; name = `= != < <= > >=`) · and, or, not · in (element, set)
                · integer, real (one) · congruent (left, right, modulus)
    collections list · bracket (items; name = its two brackets) · set · builder (element, condition)
                · numbers (name = N Z Q R C) · union, intersection, minus · matrix (rows), row
An `opaque` is a thing without a known value, such as f(x) or dy/dx; two of them are the same only if their names are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction


class Unreadable(ValueError):
    """The text is not an answer of its kind; the message completes 'cannot be read: ' for the author."""


@dataclass(frozen=True)
class Node:
    """One node; see the module for its heads. `text` keeps how a decimal was written, and does not count in comparing."""

    head: str
    args: tuple["Node", ...] = ()
    name: str = ""
    value: Fraction = Fraction(0)
    text: str = field(default="", compare=False)


def number(value: int | Fraction) -> Node:
    return Node("num", value=Fraction(value))


def symbol(name: str) -> Node:
    return Node("sym", name=name)


def constant(name: str) -> Node:
    return Node("const", name=name)


def add(*terms: Node) -> Node:
    flat = [inner for term in terms for inner in (term.args if term.head == "add" else (term,))]
    return flat[0] if len(flat) == 1 else Node("add", tuple(flat))


def mul(*factors: Node) -> Node:
    flat = [inner for one in factors for inner in (one.args if one.head == "mul" else (one,))]
    return flat[0] if len(flat) == 1 else Node("mul", tuple(flat))


def power(base: Node, exponent: Node) -> Node:
    return Node("pow", (base, exponent))


def negative(one: Node) -> Node:
    return replace(one, value=-one.value) if one.head == "num" else mul(number(-1), one)


def minus(left: Node, right: Node) -> Node:
    return add(left, negative(right))


def divide(top: Node, bottom: Node) -> Node:
    """top/bottom; of two numbers, the number, so that 1/2 is one thing wherever it stands."""
    if top.head == bottom.head == "num" and bottom.value:
        return number(top.value / bottom.value)
    return mul(top, power(bottom, number(-1)))


def call(name: str, *args: Node) -> Node:
    return Node("call", args, name)


def relation(name: str, left: Node, right: Node) -> Node:
    return Node("rel", (left, right), name)


def both(*truths: Node) -> Node:
    return _joined("and", "true", truths)


def either(*truths: Node) -> Node:
    return _joined("or", "false", truths)


def _joined(head: str, neutral: str, truths: tuple[Node, ...]) -> Node:
    flat = [inner for one in truths for inner in (one.args if one.head == head else (one,))]
    flat = [one for one in flat if one.head != neutral]
    if len(flat) <= 1:
        return flat[0] if flat else Node(neutral)
    return Node(head, tuple(flat))


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, parents first."""
    stack = [node]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(one.args))


def free(node: Node) -> frozenset[str]:
    """Names of its variables, opaque things included; a sum's own variable is not one of them."""
    if node.head in ("sym", "opaque"):
        return frozenset((node.name,))
    names = frozenset[str]().union(*(free(one) for one in node.args))
    return names - {node.name} if node.head in ("sum", "prod") else names


def opaque(node: Node) -> frozenset[str]:
    """Names of the opaque things in it."""
    return frozenset(one.name for one in walk(node) if one.head == "opaque")


def substitute(node: Node, values: Mapping[str, Node]) -> Node:
    """The node with variables replaced by nodes."""
    if node.head in ("sym", "opaque"):
        return values.get(node.name, node)
    if not node.args:
        return node
    return replace(node, args=tuple(substitute(one, values) for one in node.args))


def ordered(node: Node) -> Node:
    """The node with everything in one order that may stand in any: terms, factors but not matrices, members, sides."""
    args = tuple(ordered(one) for one in node.args)
    if node.head == "rel" and node.name in (">", ">="):
        return Node("rel", args[::-1], node.name.replace(">", "<"))
    symmetric = node.head in ("add", "set", "union", "and", "or") or (
        node.head == "rel" and node.name in ("=", "!=")
    )
    if symmetric or (node.head == "mul" and not any(one.head in ("matrix", "bracket") for one in walk(node))):
        args = tuple(sorted(args, key=shown))
    return replace(node, args=args)


def shown(node: Node) -> str:
    """A text that is the same for equal trees only; for names of opaque things, not for people."""
    inner = ",".join(shown(one) for one in node.args)
    label = str(node.value) if node.head == "num" else node.name
    return f"{node.head}:{label}({inner})" if inner else label or node.head
