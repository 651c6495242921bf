"""Verifying mathematical answers with three verdicts: equal, different, or unknown, which is for a model to judge.

Texts are never evaluated as code: tokens.py and grammar.py read LaTeX, Unicode and plain ASCII into a small tree,
probing.py compares trees by exact and high-precision values at chosen points. All of that happens in worker processes
with hard limits; importing this package loads none of it. Start with compare.py for how a verdict comes about.
"""

from harness.answers.checker import Checker
from harness.answers.committed import final_answer
from harness.answers.guessing import guessable
from harness.answers.verdicts import ANSWER_KINDS, Comparison, Equality
from harness.answers.voting import classes, largest_class
from harness.types import AnswerKind

VERSION = (
    1  # raise it when a verdict on some pair changes: it belongs to every score that rests on comparisons
)

__all__ = [
    "ANSWER_KINDS",
    "VERSION",
    "AnswerKind",
    "Checker",
    "Comparison",
    "Equality",
    "classes",
    "final_answer",
    "guessable",
    "largest_class",
]
