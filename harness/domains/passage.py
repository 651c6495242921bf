"""The passage domain: a short question whose answer stands in a passage of the document, and is compared with it.

Small enough for a small model: whoever is given the passage can read the answer off, whoever is not has to guess.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from harness.answers import final_answer
from harness.domains import COMMON, AnswerChecks, Domain
from harness.domains.cs import read_as
from harness.gate import Preset
from harness.modes import Mode
from harness.trajectory import Allowance, Example, Prose, Short, Text
from harness.types import Wire

Kind = Literal["string", "number", "choice"]
SHORTEST_PASSAGE, LONGEST_PASSAGE = 80, 1_200
"""Characters. Passage, question and answer of a small model have to fit into 1,024 tokens."""
LONGEST_QUESTION, LONGEST_CONTEXT = 300, 200
MOST_WORDS = 6

WORD = re.compile(r"\w(?:[\w'%$#.:/-]*\w|[%$#])?")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)*(?!\w)")
OFFERED = re.compile(r"(\S+) or (\S+?)[\"'”]?\?$")
MARKED = re.compile(r"\banswer(?: is)?\s*:", re.IGNORECASE)
GAP = "____"
EDGES = " ,;:.!?()\"'“”‘’`*"
PLAIN = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
COMMON_WORDS = """
a an the is are was were be been it its this that these those there of in on at to by for from with as and or which what who
how when where does do did has have had will can may must about only also answer question passage text sentence says said
missing word number gap
"""
FUNCTION_WORDS = frozenset(COMMON_WORDS.split())

FEW = Preset(0.34, 0.66, None, gap=0.0, binary=True)
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "few": FEW,
        "majority": Preset(0.5, 0.5, None, weak_open=True, strong_low_open=True, gap=0.0, binary=True),
        "confirmed": replace(FEW, confirmed=True, checks=("closed_book", "final_verification")),
    }
)


class Submission(Wire):
    """What a scaffold hands in, as its README says."""

    question_type: Short
    skills: tuple[Short, ...] = Field((), max_length=5)
    context: Prose = ""
    passage: Text
    question: Text
    reference_answer: Text
    answer_kind: Kind


def read(submission: object) -> Example:
    """A scaffold's submission as an Example: a decoded object, or the raw text of one (fences allowed, no repairs).

    Raises:
        Malformed: it is not one; the message says which field and why.
    """
    found = read_as(Submission, submission).model_dump()
    example = Example(**(found | {"question": " ".join(found["question"].split())}))
    return example.model_copy(update={"reference_answer": final(example, example.reference_answer)})


def problems(example: Example) -> tuple[str, ...]:
    """Names of the rules of form that a task breaks; that the passage stands in the document is looked at elsewhere."""
    reference, question = words(example.reference_answer), words(example.question)
    offered = options(example.question) if example.answer_kind == "choice" else []
    choice = example.answer_kind == "choice"
    broken = {
        "passage_short": len(example.passage) < SHORTEST_PASSAGE,
        "passage_long": len(example.passage) > LONGEST_PASSAGE,
        "question_long": len(example.question) > LONGEST_QUESTION,
        "context_long": len(example.context) > LONGEST_CONTEXT,
        "answer_long": len(reference) > MOST_WORDS,
        "answer_not_in_passage": not stands_in(reference, words(example.passage)),
        "answer_no_number": example.answer_kind == "number" and not PLAIN.fullmatch(example.reference_answer),
        "choice_not_offered": choice and reference not in [words(one) for one in offered],
        "answer_in_question": not choice and stands_in(reference, words(example.context) + question),
    }
    return tuple(name for name, is_broken in broken.items() if is_broken)


def words(text: str) -> list[str]:
    """The words of a text in lower case, thousands without their commas; what joins words, as in page_size, stays."""
    return WORD.findall(re.sub(r"(?<=\d),(?=\d{3})", "", text.casefold()))


def stands_in(phrase: list[str], text: list[str]) -> bool:
    """Whether the words stand in the text one after the other; no words stand in none."""
    size = len(phrase)
    return bool(phrase) and any(text[at : at + size] == phrase for at in range(len(text) - size + 1))


def numbers(text: str) -> list[str]:
    """The different numbers in a text, in order, thousands without their commas."""
    return list(dict.fromkeys(one.replace(",", "") for one in NUMBER.findall(text)))


def options(question: str) -> list[str]:
    """The two alternatives at the end of a question, one word each, such as `reader or writer?`; none if it has none."""
    found = OFFERED.search(question.strip())
    return [found[1], found[2]] if found else []


def final(example: Example, text: str) -> str:
    """The words of an answer that are compared: what it commits to, without what only repeats the question.

    A small model answers with the sentence it has found: of "The sector size is 512 bytes." this leaves 512, for a
    question about the sector size in bytes. Reference answers are cut in the same way when they are submitted.
    """
    said, asked = final_answer(text if MARKED.search(text) else opening(text)), set(words(example.question))
    if (filled := in_gap(example.question, said)) is not None:
        return filled
    if example.answer_kind == "choice":
        named = [one for one in options(example.question) if stands_in(words(one), words(said))]
        return named[0] if len(named) == 1 else said
    fresh = [one for one in numbers(said) if one not in asked]
    if example.answer_kind == "number" and len(fresh) == 1:
        return fresh[0]
    return trimmed(said, asked)


def in_gap(question: str, said: str) -> str | None:
    """What stands in the gap of the question's sentence where an answer repeats the two words on either side of it."""
    before, gap, after = question.partition(GAP)
    around = (*WORD.findall(before)[-2:], ""), ("", *WORD.findall(after)[:2])
    if not gap or len(around[0]) < 2 or len(around[1]) < 2:
        return None
    left, right = (r"\W+".join(map(re.escape, side)) for side in around)
    found = re.search(rf"(?<!\w){left}(\S(?:.{{0,60}}?\S)??){right}(?!\w)", said, re.IGNORECASE)
    return found[1].strip(EDGES) if found else None


def opening(text: str) -> str:
    """The first line that says something: small models answer at once, and what they add only repeats or comments."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if not line.endswith(":")), text)


def trimmed(said: str, asked: set[str]) -> str:
    """The text from its first to its last word that is neither a function word nor one of the question's, if any is."""
    found = [one for one in WORD.finditer(said) if one[0].casefold() not in FUNCTION_WORDS | asked]
    return said[found[0].start() : found[-1].end()] if found else said


DOMAIN = Domain(
    name="passage",
    version=1,
    about="short questions whose answer stands in a passage, compared with the reference",
    read=read,
    problems=problems,
    final=final,
    presets=PRESETS,
    preset="few",
    prompts=COMMON / "passage",
    attempts=(3, 3),
    allowance=Allowance(asks=6, tokens=40_000),
    checks=AnswerChecks,
    comparable=True,
    compared_as="string",
    passages=True,
    weak=Mode(max_tokens=96),
    strong=Mode(samples=5, max_tokens=96, prompt="reader.md", sees="passage"),
)
