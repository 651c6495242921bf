"""What an expression begins with: a sign, a number, a name, a function, a bracket, an environment."""

from collections.abc import Callable
from fractions import Fraction

from harness.answers.language import levels
from harness.answers.language.brackets import CLOSED, absolute, braces, bracket, closed, items
from harness.answers.language.cursor import Cursor
from harness.answers.language.environments import environment
from harness.answers.language.functions import argument, derivative, fraction, function, total
from harness.answers.language.tokens import Token
from harness.answers.language.vocabulary import OPAQUE, OPAQUE_OF_ONE
from harness.answers.tree import Node, Unreadable, call, constant, negative, number, power, shown, symbol

STARTS = frozenset(("(", "[", "{", "\\{", "frac", "sum", "prod", "empty", "partial", *CLOSED))
NAMED_FUNCTIONS = {"Gamma": "gamma_function", "zeta": "zeta_function"}
IMAGINARY = frozenset("ei")
LONGEST_NUMBER = 4_000
LONGEST_EXPONENT = 4
DERIVED = ("dot:", "ddot:")


def starts_operand(token: Token) -> bool:
    """Whether an operand can begin with this token, so that it multiplies what stands before it."""
    return token.kind not in ("mark", "end", "stop") or token.is_mark(*STARTS)


def operand(cursor: Cursor) -> Node:
    """The operand at the cursor.

    Raises:
        Unreadable: none begins there.
    """
    token = cursor.take()
    if token.kind == "mark":
        return _marked(cursor, token.text)
    if token.kind in KINDS:
        return KINDS[token.kind](cursor, token)
    raise Unreadable(f"something is missing before {token.text!r}")


def _marked(cursor: Cursor, text: str) -> Node:
    if text in CLOSED:
        return closed(cursor, text)
    if text in MARKED:
        return MARKED[text](cursor)
    raise Unreadable(f"something is missing before {text!r}")


def _numeral(cursor: Cursor, token: Token) -> Node:
    if len(token.text) > LONGEST_NUMBER or len(token.text.lower().partition("e")[2]) > LONGEST_EXPONENT:
        raise Unreadable(f"the number {token.text[:20]!r} is too large")
    value = Fraction(token.text)
    if cursor.at("overline"):
        return number(value + _repeating(cursor, token.text))
    if token.text.isdecimal() and _fraction_follows(cursor):
        start, part = cursor.position, _part(cursor)
        if part.head == "num" and 0 < part.value < 1:
            return number(value + part.value)
        cursor.position = start
    return Node("num", value=value, text=token.text)


def _fraction_follows(cursor: Cursor) -> bool:
    """A whole number before a fraction of numbers is the rest of a mixed number."""
    if cursor.at("frac"):
        return True
    kinds = [cursor.peek(ahead).kind for ahead in range(3)]
    return kinds == ["number", "mark", "number"] and cursor.peek().spaced and cursor.peek(1).text == "/"


def _part(cursor: Cursor) -> Node:
    if cursor.passed("frac"):
        return fraction(cursor)
    top, _, bottom = cursor.take(), cursor.take(), cursor.take()
    if not int(float(bottom.text)):
        raise Unreadable("it divides by zero")
    return number(Fraction(top.text) / Fraction(bottom.text))


def _repeating(cursor: Cursor, before: str) -> Fraction:
    cursor.expect("overline")
    cursor.expect("{")
    digits = "".join(one.text for one in cursor.until("}"))
    if not digits.isdecimal() or "." not in before:
        raise Unreadable("a line over these signs is not understood")
    places = len(before.partition(".")[2])
    return Fraction(int(digits), 10**places * (10 ** len(digits) - 1))


def _name(cursor: Cursor, token: Token) -> Node:
    if (quotient := _leibniz(cursor)) is not None:
        return quotient
    name = _decorated(cursor, token.text)
    if name in IMAGINARY:
        return constant(name)
    if (cursor.at("(") and not cursor.peek().spaced) or (cursor.at("(") and name in NAMED_FUNCTIONS):
        return _perhaps_applied(cursor, name)
    return Node("opaque", name=name) if name.endswith("'") or name.startswith(DERIVED) else symbol(name)


def _leibniz(cursor: Cursor) -> Node | None:
    """dy/dx, written on one line; its d, or the sign for a partial derivative, is taken."""
    sign, above, slash, below, under = (cursor.peek(ahead) for ahead in range(-1, 4))
    if not (slash.is_mark("/") and above.kind == under.kind == "name" and sign.text == below.text):
        return None
    name = derivative([sign, above], [below, under])
    if name is None or (sign.text == "d" and (above.spaced or under.spaced)):
        return None
    cursor.position += 4
    return Node("opaque", name=name)


def _partial(cursor: Cursor) -> Node:
    found = _leibniz(cursor)
    if found is None:
        raise Unreadable("a partial derivative is not understood")
    return found


def _decorated(cursor: Cursor, name: str) -> str:
    """The name with its primes, stars and subscripts; x1 is x_1."""
    if cursor.peek().kind == "number" and not cursor.peek().spaced and name not in IMAGINARY:
        name += f"_{cursor.take().text}"
    while True:
        if cursor.passed("'"):
            name += "'"
        elif cursor.passed("_"):
            tokens = cursor.until("}") if cursor.passed("{") else [cursor.take()]
            name += "_" + "".join(one.text for one in tokens)
        elif cursor.at("^") and (length := _star(cursor)):
            cursor.position += length
            name += "*"
        else:
            return name


def _star(cursor: Cursor) -> int:
    """How many tokens a raised star or dagger takes; 0 if what is raised is an exponent."""
    if cursor.peek(1).is_mark("*", "star", "dagger"):
        return 2
    return 4 if cursor.peek(1).is_mark("{") and cursor.peek(2).is_mark("*", "star", "dagger", "'") else 0


def _perhaps_applied(cursor: Cursor, name: str) -> Node:
    start = cursor.position
    cursor.take()
    found, _ = items(cursor, ")", "]")
    if name in NAMED_FUNCTIONS and len(found) == 1:
        return call(NAMED_FUNCTIONS[name], *found)
    plain = name.partition("_")[0].rstrip("'")
    single = len(found) == 1 and found[0].head in ("sym", "num", "rel")
    if plain in OPAQUE or len(found) > 1 or (single and (plain in OPAQUE_OF_ONE or name.endswith("'"))):
        return Node("opaque", name=f"{name}({','.join(map(shown, found))})", args=())
    cursor.position = start
    return symbol(name)


def _text(cursor: Cursor, token: Token) -> Node:
    if not cursor.passed("("):
        return Node("opaque", name=f"text:{token.text}")
    found, _ = items(cursor, ")")
    return Node("opaque", name=f"{token.text}({','.join(map(shown, found))})")


def _numbers(cursor: Cursor, token: Token) -> Node:
    """A set of numbers, perhaps only its positive or negative part, or N with or without 0."""
    name = token.text
    if name == "N" and cursor.at("_"):
        cursor.take()
        return Node("numbers", name="N0" if argument(cursor) == number(0) else "N1")
    if cursor.at("^", "_"):
        start = cursor.position
        cursor.take()
        inner = cursor.until("}") if cursor.passed("{") else [cursor.take()]
        sign = "".join(one.text for one in inner)
        if sign in SIGNED:
            return Node("numbers", name=name + SIGNED[sign])
        cursor.position = start
    if name == "N":
        cursor.notes.add("zero")
        return Node("numbers", name="N0" if cursor.reading.zero is not False else "N1")
    return Node("numbers", name=name)


SIGNED = {"+": ">0", "-": "<0", ">0": ">0", ">=0": ">=0", "<0": "<0", "<=0": "<=0", "*": "!=0", "!=0": "!=0"}


def exponent(cursor: Cursor, base: Node) -> Node:
    """The base with what is raised after ^: a power, degrees, or the transpose of a matrix."""
    group = cursor.peek(1) if cursor.at("{") else cursor.peek()
    if group.is_mark("circ"):
        cursor.until("}") if cursor.passed("{") else cursor.take()
        return Node("degree", (base,))
    if base.head == "matrix" and (group.is_mark("top") or group.text == "T"):
        cursor.until("}") if cursor.passed("{") else cursor.take()
        return call("transpose", base)
    if cursor.at("-", "+"):
        sign = cursor.take().text
        inner = cursor.expression(levels.POWER)
        return power(base, negative(inner) if sign == "-" else inner)
    return power(base, argument(cursor))


def _negation(cursor: Cursor) -> Node:
    return negative(cursor.expression(levels.MULTIPLY))


KINDS: dict[str, Callable[[Cursor, Token], Node]] = {
    "number": _numeral,
    "name": _name,
    "text": _text,
    "numbers": _numbers,
    "constant": lambda cursor, token: constant(token.text),
    "function": lambda cursor, token: function(cursor, token.text),
    "begin": lambda cursor, token: environment(cursor, token.text),
}
MARKED: dict[str, Callable[[Cursor], Node]] = {
    "-": _negation,
    "+": lambda cursor: cursor.expression(levels.MULTIPLY),
    "±": lambda cursor: Node("plusminus", (cursor.expression(levels.MULTIPLY),)),
    "∓": lambda cursor: Node("minusplus", (cursor.expression(levels.MULTIPLY),)),
    "(": lambda cursor: bracket(cursor, "("),
    "[": lambda cursor: bracket(cursor, "["),
    "{": lambda cursor: braces(cursor, "{"),
    "\\{": lambda cursor: braces(cursor, "\\{"),
    "|": absolute,
    "frac": fraction,
    "partial": _partial,
    "sum": lambda cursor: total(cursor, "sum"),
    "prod": lambda cursor: total(cursor, "prod"),
    "not": lambda cursor: Node("not", (cursor.expression(levels.NOT),)),
    "true": lambda cursor: Node("true"),
    "empty": lambda cursor: Node("set"),
}
