"""Brackets of every form: groups, intervals and points, sets and set builders, absolute values, floors."""

from harness.answers.language.cursor import Cursor
from harness.answers.tree import Node, Unreadable, both, call

CLOSED = {"lbar": ("rbar", "abs"), "lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil")}


def items(cursor: Cursor, *closing: str) -> tuple[tuple[Node, ...], str]:
    """What stands between commas (or semicolons) up to a closing bracket, and that bracket; the opening one is taken.

    Of a matrix, semicolons end rows: [1, 2; 3, 4] is [[1, 2], [3, 4]].
    """
    rows: list[list[Node]] = [[]]
    with cursor.inside():
        rows[-1].append(cursor.expression())
        while cursor.at(",", ";"):
            if cursor.take().text == ";" and cursor.kind == "matrix":
                rows.append([])
            rows[-1].append(cursor.expression())
        ended = cursor.expect(*closing).text
    if len(rows) == 1:
        return tuple(rows[0]), ended
    return tuple(Node("bracket", tuple(row), "[]") for row in rows), ended


def bracket(cursor: Cursor, opening: str) -> Node:
    """A group is what is in it; several things are a `bracket`, of which its kind makes an interval or a point."""
    found, closing = items(cursor, ")", "]")
    kind = opening + closing
    row = kind == "[]" and cursor.kind == "matrix"
    if len(found) > 1 or row:
        return Node("bracket", found, kind)
    if kind not in ("()", "[]"):
        raise Unreadable(f"{opening!r} is closed by {closing!r}")
    return found[0]


def braces(cursor: Cursor, opening: str) -> Node:
    """A set, a set builder, or (plain braces around one thing) a group."""
    closing = "}" if opening == "{" else "\\}"
    with cursor.inside(separating=True):
        if cursor.passed("}", "\\}"):
            return Node("set")
        found = [cursor.expression()]
        if cursor.passed("|", ":"):
            return _builder(cursor, found[0])
        while cursor.passed(",", ";"):
            found.append(cursor.expression())
        ended = cursor.expect(closing, "}", "\\}").text
    grouped = opening == "{" and ended == "}"
    if grouped and len(found) == 1 and (cursor.kind not in ("set", "interval") or cursor.at("^", "_")):
        return found[0]
    return Node("set", tuple(found))


def _builder(cursor: Cursor, element: Node) -> Node:
    with cursor.inside():
        conditions = [cursor.expression()]
        while cursor.passed(",", ";", "if"):
            conditions.append(cursor.expression())
        cursor.expect("}", "\\}")
    return Node("builder", (element, both(*conditions)))


def absolute(cursor: Cursor) -> Node:
    """|x|; the first bar is taken."""
    cursor.bars += 1
    inner = cursor.expression()
    cursor.expect("|", "rbar")
    cursor.bars -= 1
    return call("abs", inner)


def closed(cursor: Cursor, opening: str) -> Node:
    """An absolute value, floor or ceiling in brackets that tell left from right."""
    closing, name = CLOSED[opening]
    with cursor.inside():
        inner = cursor.expression()
        cursor.expect(closing, *(("|",) if opening == "lbar" else ()))
    return call(name, inner)
