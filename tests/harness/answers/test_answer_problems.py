"""Which references can be read as their kind, and what their author is told otherwise."""

import re

import pytest

from harness.answers import AnswerKind
from harness.answers.compare import compare, problem

READABLE: list[tuple[AnswerKind, str]] = [
    ("number", r"\frac{\pi}{4}"),
    ("number", r"\infty"),
    ("number", "x = 5"),
    ("expression", "x^2 + C"),
    ("equation", "y = 2x + 1"),
    ("inequality", "0 < x <= 1"),
    ("interval", r"(-\infty, 2] \cup \{3\}"),
    ("set", r"\{2k\pi : k \in \mathbb{Z}\}"),
    ("matrix", "[[1,2],[3,4]]"),
    ("piecewise", "x if x >= 0; -x if x < 0"),
    ("choice", "B"),
    ("string", "Hilbert space"),
]
FAULTS: list[tuple[AnswerKind, str, str]] = [
    ("number", "x+1", "has the variables 'x'"),
    ("number", "1/0", "no finite value"),
    ("number", "9^9^9^9", "no finite value"),
    ("number", r"\oops{1}", r"'\\\\oops' is not understood"),
    ("number", "2+2 = 5", "sides of its equation are not equal"),
    ("number", "", "it is empty"),
    ("number", "1,5", "decimal point"),
    ("expression", "x <", "something is missing"),
    ("equation", "2x + 1", "no equation|needed"),
    ("equation", "x < 3", "no equals sign"),
    ("inequality", "x = 3", "no inequality sign"),
    ("interval", r"\{1, 2\}", "finite set"),
    ("interval", "(0, 1", r"'\)' is missing"),
    ("set", "x+", "something is missing"),
    ("matrix", "(1, 2, 3)", "not rows"),
    ("matrix", r"\begin{pmatrix}1&2\\3\end{pmatrix}", "not of one length"),
    ("piecewise", "x^2", "no cases"),
    ("piecewise", r"\begin{cases}x & x>0\\ 5\end{cases}", "no condition"),
    ("choice", "  ", "it is empty"),
    ("string", "...", "it is empty"),
]


@pytest.mark.parametrize(("kind", "text"), READABLE)
def test_a_readable_reference_has_no_problem(kind: AnswerKind, text: str) -> None:
    """One of each kind, in different notations."""
    assert problem(text, kind) == ""


@pytest.mark.parametrize(("kind", "text", "message"), FAULTS)
def test_a_problem_says_what_is_wrong(kind: AnswerKind, text: str, message: str) -> None:
    """The sentence names kind, text and fault."""
    found = problem(text, kind)
    assert found.startswith(f"the answer {text[:80]!r} cannot be read as {kind}: ")
    assert re.search(message, found), found


@pytest.mark.parametrize("kind", [kind for kind, _ in READABLE])
def test_what_cannot_be_read_is_unknown_and_said_to_be(kind: AnswerKind) -> None:
    """Neither an unreadable reference nor an unreadable answer is ever different."""
    if kind in ("choice", "string"):
        return
    good = dict(READABLE)[kind]
    assert compare(r"\oops{1}", good, kind).how == "unreadable_reference"
    assert compare(good, r"\oops{1}", kind).how == "unreadable_answer"
