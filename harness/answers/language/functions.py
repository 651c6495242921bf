"""A function and its arguments, with and without brackets: sin 2x, sin^2 x, log_2 x, sqrt[3]{x}, max(a, b)."""

from harness.answers.language import levels
from harness.answers.language.brackets import items
from harness.answers.language.cursor import Cursor
from harness.answers.language.tokens import Token, split
from harness.answers.language.vocabulary import CIRCULAR
from harness.answers.tree import Node, Unreadable, call, constant, divide, number, power, symbol

SIMPLE = frozenset(("number", "name", "constant"))


def function(cursor: Cursor, name: str) -> Node:
    """The function that was just taken, applied; a power between name and argument is one of the value."""
    if name in ("sqrt", "cbrt"):
        return _radical(cursor, name)
    if name == "binomial" and cursor.at("{"):
        return call(name, argument(cursor), argument(cursor))
    if name == "Piecewise":
        return _piecewise(cursor)
    base = argument(cursor) if cursor.passed("_") else None
    raised = argument(cursor) if cursor.passed("^") else None
    arguments = _arguments(cursor)
    if raised == number(-1) and name in CIRCULAR:
        return _applied(cursor, CIRCULAR[name], arguments, base)
    value = _applied(cursor, name, arguments, base)
    if raised == number(-1):
        raise Unreadable(f"{name}^-1 can be a power or the inverse function")
    return value if raised is None else power(value, raised)


def _applied(cursor: Cursor, name: str, arguments: tuple[Node, ...], base: Node | None) -> Node:
    if base is not None and name != "log":
        raise Unreadable(f"a subscript of {name} is not understood")
    if name == "exp":
        return power(constant("e"), *arguments[:1])
    if name == "log":
        return _logarithm(cursor, arguments, base)
    return call(name, *arguments)


def _logarithm(cursor: Cursor, arguments: tuple[Node, ...], base: Node | None) -> Node:
    if len(arguments) == 2 and base is None:
        base = arguments[1]
        arguments = arguments[:1]
    if base is not None:
        return divide(call("ln", *arguments), call("ln", base))
    cursor.notes.add("natural")
    value = call("ln", *arguments)
    return value if cursor.reading.natural is not False else divide(value, call("ln", number(10)))


def argument(cursor: Cursor) -> Node:
    """What a LaTeX command or a raised sign takes: a group in braces, or the next thing; of a number all digits."""
    if cursor.passed("{"):
        with cursor.inside():
            inner = cursor.expression()
            cursor.expect("}")
        return inner
    return cursor.expression(levels.POWER)


def digit(cursor: Cursor) -> Node:
    """As `argument`, but of a number only the first digit, as in \\frac12."""
    token = cursor.peek()
    if token.kind != "number" or len(token.text) == 1 or not token.text.isdecimal():
        return argument(cursor)
    cursor.tokens[cursor.position] = Token("number", token.text[1:])
    return number(int(token.text[0]))


def _arguments(cursor: Cursor) -> tuple[Node, ...]:
    if cursor.passed("("):
        found, _ = items(cursor, ")")
        return _widened(cursor, found)
    if cursor.passed("["):
        return items(cursor, "]")[0]
    if cursor.passed("\\{"):
        return items(cursor, "\\}", "}")[0]
    if cursor.passed("{"):
        return items(cursor, "}")[0]
    return (_unbracketed(cursor),)


def _widened(cursor: Cursor, found: tuple[Node, ...]) -> tuple[Node, ...]:
    """sin(n+1)x: what follows the bracket without an operator may belong to the argument."""
    if len(found) != 1 or found[0].head != "add" or cursor.peek().kind != "name":
        return found
    cursor.notes.add("wide")
    return (_followed(cursor, found[0]),) if cursor.reading.wide is True else found


def _unbracketed(cursor: Cursor) -> Node:
    if cursor.passed("-"):
        return _negated(_unbracketed(cursor))
    return _followed(cursor, cursor.expression(levels.MULTIPLY + 1))


def _followed(cursor: Cursor, first: Node) -> Node:
    """The product of plain numbers, names and fractions that stand side by side, as the 2 pi x of sin 2 pi x."""
    factors = [first]
    while cursor.peek().kind in SIMPLE or cursor.at("frac"):
        factors.append(cursor.expression(levels.MULTIPLY + 1))
    return factors[0] if len(factors) == 1 else _product(factors)


def _product(factors: list[Node]) -> Node:
    return Node("mul", tuple(factors))


def _negated(one: Node) -> Node:
    return Node("mul", (number(-1), one))


def _radical(cursor: Cursor, name: str) -> Node:
    degree = number(3 if name == "cbrt" else 2)
    if cursor.passed("["):
        found, _ = items(cursor, "]")
        degree = found[0]
    raised = argument(cursor) if cursor.passed("^") else None
    radical = Node("root", (argument(cursor), degree))
    return radical if raised is None else power(radical, raised)


def _piecewise(cursor: Cursor) -> Node:
    """sympy's Piecewise((value, condition), ...)."""
    cursor.expect("(")
    found, _ = items(cursor, ")")
    if any(one.head != "bracket" or len(one.args) != 2 for one in found):
        raise Unreadable("Piecewise takes pairs of a value and a condition")
    return Node("cases", tuple(Node("piece", one.args) for one in found))


def fraction(cursor: Cursor) -> Node:
    """\\frac{a}{b}, also \\frac12, and \\frac{dy}{dx} as one thing."""
    if not cursor.at("{"):
        return divide(digit(cursor), digit(cursor))
    cursor.take()
    top = cursor.until("}")
    if not cursor.passed("{"):
        return divide(whole(cursor, top), digit(cursor))
    bottom = cursor.until("}")
    if (name := derivative(top, bottom)) is not None:
        return Node("opaque", name=name)
    return divide(whole(cursor, top), whole(cursor, bottom))


def whole(cursor: Cursor, tokens: list[Token]) -> Node:
    """All of these tokens as one expression."""
    inner = cursor.of(tokens)
    found = inner.expression()
    inner.end()
    return found


def derivative(top: list[Token], bottom: list[Token]) -> str | None:
    """The name of a Leibniz quotient such as dy/dx; None if these are not two of its halves.

    Raises:
        Unreadable: it is an operator, d/dx, without its function.
    """
    if not (_differential(top) and _differential(bottom)):
        return None
    if len(top) == 1 or len(bottom) == 1:
        raise Unreadable("d/dx without a function of its own is not understood")
    return "".join(one.text for one in top) + "/" + "".join(one.text for one in bottom)


def _differential(tokens: list[Token]) -> bool:
    return bool(tokens) and (
        tokens[0].is_mark("partial") or (tokens[0].kind, tokens[0].text) == ("name", "d")
    )


def total(cursor: Cursor, head: str) -> Node:
    """A finite sum or product with its bounds; its variable may be i."""
    cursor.expect("_")
    cursor.expect("{")
    parts = split(cursor.until("}"), "=")
    if len(parts) != 2 or len(parts[0]) != 1 or parts[0][0].kind != "name":
        raise Unreadable("the bounds of a sum are not understood")
    name = parts[0][0].text
    low = whole(cursor, parts[1])
    cursor.expect("^")
    high = argument(cursor)
    body = cursor.expression(levels.MULTIPLY)
    return Node(head, (_index(body, name), low, high), name)


def _index(body: Node, name: str) -> Node:
    if body.head == "const" and body.name == name:
        return symbol(name)
    return Node(body.head, tuple(_index(one, name) for one in body.args), body.name, body.value, body.text)
