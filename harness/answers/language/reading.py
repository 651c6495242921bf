"""From an answer's text to its trees: one for each way in which the text can be read."""

import re
from itertools import product

from harness.answers.committed import bare
from harness.answers.language.cursor import SHARED, Cursor, Reading
from harness.answers.language.environments import statement
from harness.answers.language.grammar import expression
from harness.answers.language.spelling import cleaned, phrased
from harness.answers.language.tokens import Token, tokens
from harness.answers.tree import Node, Unreadable
from harness.types import AnswerKind

GROUPED: frozenset[AnswerKind] = frozenset({"number", "expression", "equation", "inequality"})
APPROXIMATION = re.compile(r"(?<=\S)\s*\\(?:approx|doteq|simeq)\b.*$")
DECIMAL_COMMA = re.compile(r"[-+ ]*\d+,\d+(?<!,\d{3})[^\d,(]*")
SET_MINUS = re.compile(r"(?<=[RZNQC)\]}])\s*\\(?:\s+(?=[(\[{])|(?=\{[^{}\\]*\}))")
Readings = dict[Reading, Node]


def readings(text: str, kind: AnswerKind) -> Readings:
    """The tree of the text in each of its readings; of two readings that do not matter here only one is kept.

    Raises:
        Unreadable: it is not understood.
    """
    row = cut(text, kind)
    found: Readings = {}
    tree, notes = _tree(row, Reading(), kind)
    if not notes:
        return {Reading(): tree}
    for values in product((True, False), repeat=len(notes)):
        reading = Reading(**dict(zip(sorted(notes), values, strict=True)))
        found[reading] = _tree(row, reading, kind)[0]
    return found


def cut(text: str, kind: AnswerKind) -> list[Token]:
    """The tokens of an answer's text.

    Raises:
        Unreadable: it is not understood.
    """
    body = phrased(cleaned(bare(text), " ; " if kind == "piecewise" else " "))
    body = SET_MINUS.sub(r" \\setminus ", body)
    if kind == "number" and DECIMAL_COMMA.fullmatch(body):
        raise Unreadable("a comma in a number can be a decimal point")
    row = tokens(APPROXIMATION.sub("", body), thousands=kind in GROUPED)
    return [_union(row, place) for place in range(len(row))]


def agree_on_shared(one: Reading, other: Reading) -> bool:
    """Whether two readings, one of each text, can be meant by one author."""
    values = [(getattr(one, name), getattr(other, name)) for name in SHARED]
    return all(None in pair or pair[0] == pair[1] for pair in values)


def _tree(row: list[Token], reading: Reading, kind: AnswerKind) -> tuple[Node, frozenset[str]]:
    cursor = Cursor(list(row), expression, reading, kind)
    return statement(cursor), frozenset(cursor.notes)


def _union(row: list[Token], place: int) -> Token:
    """A capital U between two brackets is a union."""
    token = row[place]
    if token.text != "U" or not 0 < place < len(row) - 1:
        return token
    closed, opened = (
        row[place - 1].is_mark(")", "]", "}", "\\}"),
        row[place + 1].is_mark("(", "[", "{", "\\{"),
    )
    return Token("mark", "cup") if closed and opened else token
