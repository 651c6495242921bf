"""The simulated challenger of the maths world: real problems with true answers, and the slips it was not told to avoid."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from harness.models.simulated import maths_language, maths_problems, sources
from harness.models.simulated.challenger import REMINDED, notes, slips
from harness.models.simulated.maths_notation import plain
from harness.models.simulated.maths_problems import KINDS, Problem, Solution, compose
from harness.models.simulated.maths_reading import SLIPS, MathsSlip, Wishes, wishes
from harness.models.simulated.maths_solvers import slipping
from harness.models.simulated.reading import Parts, take_apart

CARELESS: Mapping[MathsSlip, float] = {
    "shallow": 0.38,
    "stock": 0.12,
    "wrong": 0.2,
    "ambiguous": 0.14,
    "guessable": 0.14,
    "leak": 0.05,
    "format": 0.14,
}
CAREFUL = 0.02
ANGLES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"backwards|inverse|given the result", re.IGNORECASE), ("solve", "between")),
    (
        re.compile(r"chain several|compos|combination", re.IGNORECASE),
        ("integral", "tangent", "matrix", "expand"),
    ),
    (re.compile(r"parameter open|depends on it", re.IGNORECASE), ("bound", "expand")),
    (re.compile(r"case distinction|exceptional|signs, ranges", re.IGNORECASE), ("cases", "between", "bound")),
)
_HINTS: Mapping[MathsSlip, re.Pattern[str]] = {
    "guessable": re.compile(r"guess|integer|rounded", re.IGNORECASE),
    "shallow": re.compile(r"weak right", re.IGNORECASE),
    "ambiguous": re.compile(r"more than one question|not given|several_questions", re.IGNORECASE),
    "format": re.compile(r"JSON|cannot be read|kind", re.IGNORECASE),
}
_NAMED = re.compile(r"\[([A-Za-z][A-Za-z ]{4,40})\]")
SKILLS = (
    "exact computation",
    "composition of functions",
    "algebraic manipulation",
    "case analysis",
    "checking",
)
SETTINGS = (
    "In a study of the {term}, a local model is built up as follows.",
    "For a table of values around the {term}, polynomials are built from one another.",
    "An approximation that was inspired by the {term} is assembled in steps.",
)


def reply(prompt: str, rng: random.Random) -> str:
    """A problem as JSON, or notes on the document if the prompt does not ask for a problem."""
    parts = take_apart(prompt)
    if "question" not in parts.instructions:
        return notes(sources.read(parts.document), rng)
    wanted = wishes(parts.instructions)
    flaws = slips(rng, risks(wanted, parts))  # type: ignore[arg-type]  # its keys are only handed through
    task = write(rng, wanted, parts, flaws)
    return spoil(rng, task) if "format" in flaws else neat(rng, task)


def risks(wanted: Wishes, parts: Parts) -> dict[MathsSlip, float]:
    """The probability of each slip, from what the instructions ask for and what the listed failures remind of."""
    found: dict[MathsSlip, float] = {}
    for slip in SLIPS:
        strength = wanted.strengths[slip]
        risk = CARELESS[slip] + (CAREFUL - CARELESS[slip]) * max(0.0, strength) - 0.5 * min(0.0, strength)
        hint = _HINTS.get(slip)
        reminded = REMINDED if hint and hint.search(parts.failures) else 1.0
        found[slip] = risk * (1 + wanted.crowding) * reminded
    if wanted.easy:
        found["shallow"] += 0.4
    if wanted.hopeless:
        found["ambiguous"] += 0.4
    if not parts.document:
        found["stock"] = 1.0
    return found


def write(rng: random.Random, wanted: Wishes, parts: Parts, flaws: frozenset[str]) -> dict[str, Any]:
    """The problem as an object."""
    asked = _asked(rng, parts.instructions, flaws)
    problem = compose(rng, asked, _links(rng, wanted, flaws), stock="stock" in flaws)
    if asked in ("value", "integral") and "guessable" not in flaws:
        problem = _broken_number(rng, problem)
    true = maths_problems.solve(problem, lambda one: one)
    answer = (
        plain(maths_problems.worked_out(problem, slipping(rng, 0.5))) if "wrong" in flaws else plain(true)
    )
    told = problem
    second = ""
    if "ambiguous" in flaws:
        told, second = _ambiguous(rng, problem)
    if "guessable" in flaws:
        answer = _guessable(rng, true, answer)
    term = rng.choice(terms(parts.document))
    question = f"{rng.choice(SETTINGS).format(term=term)} {maths_language.text(told)}{second}"
    return {
        "question_type": f"{term}: {problem.kind}",
        "skills": rng.sample(SKILLS, 2),
        "context": f"A colleague has found that the result is ${answer}$." if "leak" in flaws else "",
        "question": question,
        "reference_answer": answer if rng.random() < 0.7 else f"${answer}$",
        "answer_kind": problem.kind,
    }


def _asked(rng: random.Random, instructions: str, flaws: frozenset[str]) -> str:
    """Which question is asked: the angle makes some likelier, and what can be guessed is a number."""
    if "guessable" in flaws and rng.random() < 0.7:
        return rng.choice(("value", "integral"))
    usual = list(KINDS)
    for pattern, likelier in ANGLES:
        if pattern.search(instructions):
            usual += 3 * list(likelier)
    return rng.choice(usual)


def _links(rng: random.Random, wanted: Wishes, flaws: frozenset[str]) -> int:
    """Length of the chain: two or three unless long ones are asked for; none or one by a slip."""
    if flaws & {"shallow", "stock"}:
        return rng.choice((0, 1))
    return rng.choice((1, 2, 2, 3)) + round(rng.choice((1, 2, 3)) * max(0.0, wanted.strengths["shallow"]))


def _broken_number(rng: random.Random, problem: Problem) -> Problem:
    """The problem with a point where the value is no integer."""
    for _ in range(40):
        if maths_problems.solve(problem, lambda one: one).values[0].part.denominator > 1:
            break
        point = Fraction(rng.randint(-7, 7), rng.choice((2, 3)))
        problem = replace(problem, low=point, high=point + rng.randint(1, 2))
    return problem


def _ambiguous(rng: random.Random, problem: Problem) -> tuple[Problem, str]:
    """The problem with a shift whose size is not given, or a second question."""
    shifts = [at for at, one in enumerate(problem.chain) if one.op == "shift"]
    if not shifts or rng.random() < 0.3:
        return problem, " And which value does the last polynomial take at $0$?"
    at = rng.choice(shifts)
    hidden = replace(problem.chain[at], symbol="k", number=abs(problem.chain[at].number))
    return replace(problem, chain=(*problem.chain[:at], hidden, *problem.chain[at + 1 :])), ""


def _guessable(rng: random.Random, true: Solution, answer: str) -> str:
    """A number rounded, or as near an integer as the writer makes it."""
    if true.kind == "number":
        number = true.values[0].part
        return f"{float(number):.2f}" if rng.random() < 0.6 else str(round(number))
    return (
        rf"\approx {float(true.values[0].size):.2f}" if true.values and true.kind == "inequality" else answer
    )


def spoil(rng: random.Random, task: dict[str, Any]) -> str:
    """The problem as a writer hands it in who was not told how exactly."""
    answer, kind = task["reference_answer"], task["answer_kind"]
    way = rng.choice(("prose", "broken", "kind", "extra", "words", "unescaped"))
    if way == "broken":
        task["reference_answer"] = answer.replace("}", "", 1) if "}" in answer else rf"{answer} + \frac{{1"
    elif way == "kind":
        task["answer_kind"] = rng.choice([one for one in dict.fromkeys(KINDS.values()) if one != kind])
    elif way == "extra":
        task["difficulty"] = "hard"
    elif way == "words":
        task["reference_answer"] = f"The {kind} that results when all steps are carried out."
    body = json.dumps(task, ensure_ascii=False)
    if way == "unescaped":
        return body.replace("\\\\", "\\")
    return f"Here is a problem.\n\n{body}\n\nIt can be solved step by step." if way == "prose" else body


def neat(rng: random.Random, task: dict[str, Any]) -> str:
    """The problem as a careful writer hands it in: plain or in a code fence."""
    body = json.dumps(task, ensure_ascii=False)
    return f"```json\n{body}\n```" if rng.random() < 0.15 else body


@lru_cache(maxsize=512)
def terms(document: str) -> tuple[str, ...]:
    """What the document is about: what it links to in its beginning, else its characteristic terms."""
    named = dict.fromkeys(one.strip().lower() for one in _NAMED.findall(document[:3000]))
    found = tuple(named)[:4] or sources.read(document).terms[:6]
    return found or ("real line",)
