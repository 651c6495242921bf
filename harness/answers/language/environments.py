"""Whole statements: lists, cases in any notation, and what stands between \\begin and \\end. Works on rows of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.answers.language.cursor import Cursor
from harness.answers.language.functions import whole
from harness.answers.language.tokens import CLOSING, OPENING, Token, split
from harness.answers.tree import Node, Unreadable, both

MATRICES = frozenset(
    ("matrix", "pmatrix", "bmatrix", "Bmatrix", "array", "smallmatrix", "psmallmatrix", "bsmallmatrix")
)
CASES = frozenset(("cases", "dcases", "rcases"))
LINES = frozenset(("aligned", "align", "gathered", "split", "equation", "gather"))
WORDS = ("if", "otherwise")
RELATIONS = ("=", "!=", "<", "<=", ">", ">=", "in", "notin", "≡", "even", "odd")


def statement(cursor: Cursor) -> Node:
    """All tokens of the cursor: cases if they have conditions, a list if they have commas, else one expression."""
    tokens = _unbraced(cursor.tokens)
    if any(len(parts) > 1 for parts in (split(tokens, *WORDS), split(tokens, "\\\\"))):
        return cases(cursor, tokens)
    parts = [_joined(part) for part in split(tokens, ",", ";") if _joined(part)]
    if len(parts) > 1 and not _related(parts[0]) and _related(parts[1]):
        return cases(cursor, tokens)
    found = tuple(whole(cursor, part) for part in parts)
    if not found:
        raise Unreadable("there is nothing in it")
    return found[0] if len(found) == 1 else Node("list", found)


def environment(cursor: Cursor, name: str) -> Node:
    """What follows a \\begin, up to its \\end."""
    inner = _body(cursor)
    if name in MATRICES:
        return matrix(cursor, inner)
    if name in CASES and not _system(inner):
        return cases(cursor, inner)
    if name in LINES or name in CASES:
        plain = [one for one in inner if not one.is_mark("&")]
        return statement(cursor.of([Token("mark", ",") if one.is_mark("\\\\") else one for one in plain]))
    raise Unreadable(f"the environment {name!r} is not understood")


def _system(tokens: list[Token]) -> bool:
    """Whether the rows of a cases environment are equations that hold together."""
    lines = [line for line in split(tokens, "\\\\") if line]
    return all(len(split(line, "&", ",", *WORDS)) == 1 and _related(line) for line in lines)


def _body(cursor: Cursor) -> list[Token]:
    start, depth = cursor.position, 1
    while depth:
        token = cursor.take()
        if token.kind == "stop":
            raise Unreadable("an environment is not closed")
        depth += (token.kind == "begin") - (token.kind == "end")
    return cursor.tokens[start : cursor.position - 1]


def matrix(cursor: Cursor, tokens: list[Token]) -> Node:
    """Rows between \\\\, entries between &.

    Raises:
        Unreadable: rows of unequal length, or an empty entry.
    """
    lines = [line for line in split(tokens, "\\\\") if line]
    rows = [Node("row", tuple(whole(cursor, entry) for entry in split(line, "&"))) for line in lines]
    if not rows or len({len(row.args) for row in rows}) > 1:
        raise Unreadable("the rows of the matrix are not of one length")
    return Node("matrix", tuple(rows))


def cases(cursor: Cursor, tokens: list[Token]) -> Node:
    """Pieces with their conditions, the one for all other arguments last.

    Raises:
        Unreadable: a value without condition, or a condition without value.
    """
    pieces: list[Piece] = []
    for row in split(tokens, "\\\\", ";"):
        cells = [cell for cell in split(row, "&") if cell]
        if len(cells) == 2:
            pieces.append(Piece(_trimmed(cells[0]), []))
            _condition(cursor, pieces, cells[1])
        else:
            parts = [_joined(part) for part in split(row, ",") if _joined(part)]
            for place, part in enumerate(parts):
                _part(cursor, pieces, part, any(one.is_mark(*WORDS) for one in (*parts, [])[place + 1][:1]))
    if not pieces or any(one.conditions == [] for one in pieces):
        raise Unreadable("a case has no condition")
    ordered = sorted(pieces, key=lambda one: one.conditions is None)
    return Node("cases", tuple(_piece(cursor, one) for one in ordered))


@dataclass
class Piece:
    """conditions: none yet if empty; None for all other arguments."""

    value: list[Token]
    conditions: list[Node] | None


def _piece(cursor: Cursor, piece: Piece) -> Node:
    return Node("piece", (whole(cursor, piece.value), both(*(piece.conditions or ()))))


def _part(cursor: Cursor, pieces: list[Piece], part: list[Token], introduced: bool) -> None:
    """One part between commas: a value, a condition, or both. introduced: the next part begins with a keyword."""
    if part[0].is_mark(*WORDS):
        _condition(cursor, pieces, part)
        return
    place = next((i for i, one in enumerate(part) if one.is_mark(*WORDS) and _outside(part[:i])), None)
    pending = bool(pieces) and pieces[-1].conditions == []
    if place is not None:
        pieces.append(Piece(part[:place], []))
        _condition(cursor, pieces, part[place:])
    elif pieces and not introduced and _related(part):
        _condition(cursor, pieces, part)
    elif pending:
        raise Unreadable("a case has no condition")
    else:
        pieces.append(Piece(part, []))


def _condition(cursor: Cursor, pieces: list[Piece], tokens: list[Token]) -> None:
    """Add what these tokens say to the last piece; after an `else`, begin the piece for all other arguments."""
    if not pieces or pieces[-1].conditions is None:
        raise Unreadable("a condition stands without a value")
    tokens = _trimmed(tokens)
    if tokens[:1] and tokens[0].is_mark("otherwise"):
        _otherwise(cursor, pieces, _trimmed(tokens[1:]))
        return
    first, *others = split(tokens[1:] if tokens[0].is_mark("if") else tokens, "otherwise")
    pieces[-1].conditions.extend(whole(cursor, part) for part in split(_trimmed(first), ",") if part)
    for other in others:
        _otherwise(cursor, pieces, _trimmed(other))


def _otherwise(cursor: Cursor, pieces: list[Piece], rest: list[Token]) -> None:
    """After an `else` or `otherwise`: nothing, a condition of its own, or the value (with perhaps a condition)."""
    pending = pieces[-1].conditions == []
    if pending and not rest:
        pieces[-1].conditions = None
    elif pending and rest[0].is_mark("if"):
        _condition(cursor, pieces, rest)
    elif not pending and rest:
        before, *after = split(rest, "if")
        pieces.append(Piece(before, [] if after else None))
        for condition in after:
            _condition(cursor, pieces, condition)
    else:
        raise Unreadable("what holds otherwise is not understood")


def _joined(tokens: list[Token]) -> list[Token]:
    """Without the `and` before the last thing of a list."""
    return tokens[1:] if tokens[:1] and tokens[0].is_mark("and", "or") else tokens


def _related(tokens: Sequence[Token]) -> bool:
    """Whether there is a relation in it, outside of brackets."""
    return len(split(tokens, *RELATIONS)) > 1


def _trimmed(tokens: Sequence[Token]) -> list[Token]:
    found = list(tokens)
    while found and found[-1].is_mark(","):
        found.pop()
    return found


def _outside(tokens: Sequence[Token]) -> bool:
    """Whether all brackets and environments of these tokens are closed."""
    depth = sum((one.text in OPENING) - (one.text in CLOSING) for one in tokens if one.kind == "mark")
    return depth + sum((one.kind == "begin") - (one.kind == "end") for one in tokens) == 0


def _unbraced(tokens: list[Token]) -> list[Token]:
    """Without braces around all of it, if there are cases in them."""
    if len(tokens) < 3 or not (tokens[0].is_mark("{", "\\{") and tokens[-1].is_mark("}", "\\}")):
        return tokens
    inner = tokens[1:-1]
    alone = _outside(inner) and len(split(inner, *WORDS)) > 1
    return inner if alone else tokens
