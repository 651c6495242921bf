"""Tokens to a tree: one operator-precedence parser for arithmetic, relations, sets and truth. Nothing is evaluated."""

from collections.abc import Callable

from harness.answers.language import levels
from harness.answers.language.cursor import Cursor
from harness.answers.language.operands import exponent, operand, starts_operand
from harness.answers.language.tokens import Token
from harness.answers.tree import (
    Node,
    Unreadable,
    add,
    both,
    call,
    divide,
    either,
    minus,
    mul,
    number,
    relation,
)

Build = Callable[[Node, Node], Node]

RELATIONS = frozenset(("=", "!=", "<", "<=", ">", ">=", "≡", "in", "notin", "not"))
BINARY: dict[str, tuple[int, Build]] = {
    "or": (levels.OR, either),
    "and": (levels.AND, both),
    "cup": (levels.UNION, lambda left, right: Node("union", (left, right))),
    "setminus": (levels.UNION, lambda left, right: Node("minus", (left, right))),
    "cap": (levels.INTERSECTION, lambda left, right: Node("intersection", (left, right))),
    "+": (levels.ADD, add),
    "-": (levels.ADD, minus),
    "±": (levels.ADD, lambda left, right: add(left, Node("plusminus", (right,)))),
    "∓": (levels.ADD, lambda left, right: add(left, Node("minusplus", (right,)))),
    "*": (levels.MULTIPLY, mul),
    "/": (levels.MULTIPLY, divide),
}


def expression(cursor: Cursor, level: int) -> Node:
    """The longest expression at the cursor whose operators bind at least as tightly as `level`.

    Raises:
        Unreadable: there is none, or it goes on in a way that is not understood.
    """
    left = operand(cursor)
    while (longer := _longer(cursor, left, level)) is not None:
        left = longer
    return left


def _longer(cursor: Cursor, left: Node, level: int) -> Node | None:
    """`left` with the next operator and its other side; None if the expression ends here."""
    token = cursor.peek()
    if token.is_mark("!", "%", "^"):
        return _postfix(cursor, left)
    if token.is_mark(*RELATIONS, "even", "odd"):
        return _relations(cursor, left) if level <= levels.RELATION else None
    if token.kind == "mark" and token.text in BINARY:
        binding, build = BINARY[token.text]
        return _binary(cursor, left, binding, build) if level <= binding else None
    if level <= levels.MULTIPLY and _juxtaposed(cursor, token):
        return mul(left, cursor.expression(levels.MULTIPLY + 1))
    return None


def _juxtaposed(cursor: Cursor, token: Token) -> bool:
    if token.is_mark("(") and cursor.peek(1).is_mark("mod"):
        return False
    if token.is_mark("|"):
        return not cursor.bars and not cursor.separating
    if token.kind == "number":
        previous = cursor.peek(-1)
        if previous.kind == "number":
            raise Unreadable(f"{previous.text!r} {token.text!r} are two numbers without an operator")
    return starts_operand(token)


def _postfix(cursor: Cursor, left: Node) -> Node:
    token = cursor.take()
    if token.text == "!":
        return call("factorial2" if cursor.passed("!") else "factorial", left)
    if token.text == "%":
        return Node("percent", (left,))
    return exponent(cursor, left)


def _binary(cursor: Cursor, left: Node, binding: int, build: Build) -> Node:
    sign = cursor.take().text
    right = cursor.expression(binding + 1)
    if sign == "/" and starts_operand(cursor.peek()):
        right = _denominator(cursor, left, right)
    return build(left, right)


def _denominator(cursor: Cursor, left: Node, right: Node) -> Node:
    """What follows a denominator without an operator may belong to it, but not after the numbers of a plain 1/2 x."""
    if left.head == right.head == "num" and cursor.peek().spaced:
        return right
    cursor.notes.add("tight")
    while cursor.reading.tight is True and starts_operand(cursor.peek()):
        right = mul(right, cursor.expression(levels.MULTIPLY + 1))
    return right


def _relations(cursor: Cursor, left: Node) -> Node:
    """A relation or a chain of them, a < b <= c, as all of its links."""
    links = []
    while cursor.at(*RELATIONS, "even", "odd"):
        sign = cursor.take().text
        if sign in ("even", "odd"):
            links.append(Node("congruent", (left, number(sign == "odd"), number(2))))
            continue
        if sign == "not":
            sign = {"=": "!=", "in": "notin"}.get(cursor.take().text, "")
        right = cursor.expression(levels.RELATION + 1)
        links.append(_link(cursor, sign, left, right))
        left = right
    return both(*links)


def _link(cursor: Cursor, sign: str, left: Node, right: Node) -> Node:
    if sign == "in":
        return Node("in", (left, right))
    if sign == "notin":
        return Node("not", (Node("in", (left, right)),))
    if sign == "≡":
        return Node("congruent", (left, right, _modulus(cursor)))
    if not sign:
        raise Unreadable("a negated relation is not understood")
    return relation(sign, left, right)


def _modulus(cursor: Cursor) -> Node:
    if cursor.passed("pmod"):
        return operand(cursor)
    bracketed = cursor.passed("(")
    cursor.expect("mod")
    found = cursor.expression(levels.ADD)
    if bracketed:
        cursor.expect(")")
    return found
