"""The maths domain: one question whose answer is a mathematical object, compared with the reference. What is submitted."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from harness.answers import guessable
from harness.domains import COMMON, AnswerChecks, Domain
from harness.domains.cs import read_as
from harness.gate import Preset
from harness.trajectory import Allowance, Example, Prose, Short, Text
from harness.types import Wire

Kind = Literal["number", "expression", "equation", "inequality", "interval", "set", "matrix", "piecewise"]
LONGEST_ANSWER = 600
"""Characters of a reference answer; a matrix or a piecewise form in LaTeX needs a few hundred."""

NO_GAP = -1.0  # right and wrong answers are counted; a bound on the gap would only blur the reasons
FEW = Preset(0.25, 0.75, None, gap=NO_GAP, binary=True)
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "few": FEW,
        "majority": Preset(0.5, 0.5, None, weak_open=True, strong_low_open=True, gap=NO_GAP, binary=True),
        "confirmed": replace(
            FEW, confirmed=True, checks=("number_recall", "reference", "final_verification")
        ),
    }
)

MATHS = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)", re.DOTALL)
SENTENCE_END = re.compile(r"[.!?](?=\s+[\"'(]*[A-Z$\\])")
STARTS = r"(?:^|[.!?:;]\s+)(?:\(?(?:[a-e]|[1-5]|i{1,3}|iv)[.)]\s+)?"
JOINED = r"\b(?:and|then|also)\s+(?:also\s+|then\s+)?"
REQUEST = re.compile(
    rf"{STARTS}(?:find|determine|compute|calculate|evaluate|solve|derive|describe|give|state|what|which|how|for\s+which)\b"
    rf"(?!\s+(?:your|the|this)\s+(?:final\s+)?(?:answer|result)\b)"
    rf"|{JOINED}(?:find|determine|compute|calculate|what\s+is|what\s+are)\b",
    re.IGNORECASE | re.MULTILINE,
)


class Submission(Wire):
    """What a scaffold hands in, as its README says."""

    question_type: Short
    skills: tuple[Short, ...] = Field(min_length=1, max_length=5)
    context: Prose = ""
    question: Text
    reference_answer: Text
    answer_kind: Kind


def read(submission: object) -> Example:
    """A scaffold's submission as an Example: a decoded object, or the raw text of one (fences allowed, no repairs).

    Raises:
        Malformed: it is not one; the message says which field and why.
    """
    return Example(**read_as(Submission, submission).model_dump())


def problems(example: Example) -> tuple[str, ...]:
    """Names of the rules of form that a task breaks; whether its reference can be read at all is asked of the checker."""
    assert example.answer_kind is not None
    why = guessable(example.reference_answer, example.answer_kind)
    broken = {
        why: bool(why),
        "several_questions": questions(example.question) > 1,
        "answer_long": sentences(example.reference_answer) > 1
        or len(example.reference_answer) > LONGEST_ANSWER,
    }
    return tuple(name for name, is_broken in broken.items() if is_broken)


def questions(text: str) -> int:
    """How many things a text asks for, as far as that shows: question marks or requests, whichever are more."""
    prose = MATHS.sub("$", text)
    return max(prose.count("?"), len(REQUEST.findall(prose)))


def sentences(text: str) -> int:
    """How many sentences a text has; what stands between mathematical delimiters ends none."""
    return 1 + len(SENTENCE_END.findall(MATHS.sub("$", text.strip())))


DOMAIN = Domain(
    name="math",
    version=1,
    about="problems with one mathematical object as their answer, compared with the reference",
    read=read,
    problems=problems,
    presets=PRESETS,
    preset="few",
    prompts=COMMON / "math",
    attempts=(4, 4),
    allowance=Allowance(asks=16),
    checks=AnswerChecks,
    comparable=True,
)
