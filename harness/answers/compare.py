"""How a verdict comes about: the same symbols, else what the texts mean as their kind, compared by values.

    text       the same symbols, if need be in another order: equal
    shape      what the kind makes of them (meaning.py) cannot be the same: other sizes, other numbers of members
    numeric    values at many points (probing.py, regions.py), which can find equal as well as different
    otherwise  unknown: for a model to judge

There is no stage of symbolic rewriting. Where values are exact or of 80 digits it adds nothing that they do not show,
and it is what takes 1/2004! for 1/2006!. Every function here gives the same verdict for (a, b) as for (b, a).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from harness.answers.kinds import texts
from harness.answers.kinds.expressions import computable, has_head
from harness.answers.kinds.matrices import is_matrix
from harness.answers.kinds.statements import (
    has_relation,
    read_equation,
    read_inequality,
    read_interval,
    read_set,
    same_equation,
    same_inequality,
    same_set,
)
from harness.answers.kinds.values import (
    Value,
    read_matrix,
    read_value,
    same,
    same_matrix,
    same_number,
)
from harness.answers.language.cursor import Reading
from harness.answers.language.reading import Readings, agree_on_shared, cut, readings
from harness.answers.numbers.arithmetic import NoValue, TooHard
from harness.answers.tree import Node, Unreadable, free, ordered
from harness.answers.verdicts import Comparison, merged
from harness.types import AnswerKind

SAME_TEXT = Comparison("equal", "text")
INEQUALITIES = ("<", "<=", ">", ">=", "!=")
Same = Callable[[Any, Any], Comparison]


@dataclass(frozen=True)
class Rules:
    """How one kind of answer is read and compared. fault: what is wrong with one that can be read, as a reference."""

    read: Callable[[Node], Any]
    same: Same
    fault: Callable[[Node], str]


def compare(reference: str, answer: str, kind: AnswerKind) -> Comparison:
    """The verdict on two answers of a kind, and what decided it."""
    if kind in ("choice", "string"):
        return _worded(reference, answer, kind)
    if _same_tokens(reference, answer, kind):
        return SAME_TEXT
    found: list[list[_Read]] = []
    for text, name in ((reference, "reference"), (answer, "answer")):
        try:
            trees = readings(text, kind)
            found.append([_Read(reading, tree, RULES[kind].read(tree)) for reading, tree in trees.items()])
        except Unreadable:
            return Comparison("unknown", f"unreadable_{name}")
    pairs = [pair for pair in product(*found) if agree_on_shared(pair[0].reading, pair[1].reading)]
    try:
        return merged([_same(one, other, kind) for one, other in pairs])
    except (Unreadable, NoValue, TooHard):
        return Comparison("unknown", "undecided")


@dataclass(frozen=True)
class _Read:
    """A text in one of its readings: its tree, and what that means as its kind."""

    reading: Reading
    tree: Node
    meaning: Any


def _same(one: _Read, other: _Read, kind: AnswerKind) -> Comparison:
    if ordered(one.tree) == ordered(other.tree):
        return SAME_TEXT
    return RULES[kind].same(one.meaning, other.meaning)


def problem(reference: str, kind: AnswerKind) -> str:
    """What is wrong with a reference of this kind, in a sentence for its author; "" if it can be read."""
    shown = f"the answer {reference[:80]!r} cannot be read as {kind}: "
    if kind in ("choice", "string"):
        return "" if texts.letters(reference) else shown + "it is empty"
    try:
        trees = readings(reference, kind)
        for tree in trees.values():
            RULES[kind].read(tree)
    except Unreadable as error:
        return shown + str(error)
    fault = next(iter(_faults(trees, kind)), "")
    return shown + fault if fault else ""


def _faults(trees: Readings, kind: AnswerKind) -> list[str]:
    return [fault for tree in trees.values() if (fault := RULES[kind].fault(tree))]


def _same_tokens(reference: str, answer: str, kind: AnswerKind) -> bool:
    try:
        rows = [[(one.kind, one.text) for one in cut(text, kind)] for text in (reference, answer)]
    except Unreadable:
        return bool(reference.strip()) and reference.split() == answer.split()
    return rows[0] == rows[1]


def _worded(reference: str, answer: str, kind: AnswerKind) -> Comparison:
    for text, name in ((reference, "reference"), (answer, "answer")):
        if not texts.letters(text):
            return Comparison("unknown", f"unreadable_{name}")
    if kind == "choice":
        return texts.same_choice(reference, answer)
    if texts.letters(reference) == texts.letters(answer):
        return texts.EQUAL
    if texts.mathematical(reference) and texts.mathematical(answer):
        found = compare(reference, answer, "expression")
        commanded = found.how.startswith("unreadable") and "\\" in reference + answer
        return (
            found
            if commanded or found.verdict == "equal" or found.how in ("reading", "domain")
            else texts.DIFFERENT
        )
    return texts.DIFFERENT


def _value_fault(node: Node) -> str:
    values = read_value(node).values
    if any(not free(one) and not computable(one) for one in values):
        return "it has no finite value that can be computed"
    return ""


def _number_fault(node: Node) -> str:
    value: Value = read_value(node)
    names = sorted({name for one in value.values for name in free(one)})
    if names:
        return f"it has the variables {', '.join(map(repr, names))}"
    return (
        _value_fault(node)
        if not any(has_head(one, "const") and _endless(one) for one in value.values)
        else ""
    )


def _endless(node: Node) -> bool:
    return any(one.head == "const" and one.name == "oo" for one in (node, *node.args))


def _piecewise_fault(node: Node) -> str:
    return "" if has_head(node, "cases") else "it has no cases"


def _equation_fault(node: Node) -> str:
    return "" if has_relation(node, "=") else "it has no equals sign"


def _inequality_fault(node: Node) -> str:
    return "" if has_relation(node, *INEQUALITIES) else "it has no inequality sign"


def _interval_fault(node: Node) -> str:
    finite = has_head(node, "set") and not has_head(node, "bracket", "numbers", "rel")
    return "it is a finite set" if finite else ""


def _matrix_fault(node: Node) -> str:
    return "" if is_matrix(node) else "it is a list, not rows of entries"


def _no_fault(_: Node) -> str:
    return ""


RULES: dict[AnswerKind, Rules] = {
    "number": Rules(read_value, same_number, _number_fault),
    "expression": Rules(read_value, same, _value_fault),
    "piecewise": Rules(lambda node: read_value(node, piecewise=True), same, _piecewise_fault),
    "equation": Rules(read_equation, same_equation, _equation_fault),
    "inequality": Rules(read_inequality, same_inequality, _inequality_fault),
    "interval": Rules(read_interval, same_inequality, _interval_fault),
    "set": Rules(read_set, same_set, _no_fault),
    "matrix": Rules(read_matrix, same_matrix, _matrix_fault),
}
