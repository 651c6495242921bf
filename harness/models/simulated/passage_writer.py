"""The simulated challenger of questions on a passage: makes them of the passage's own sentences, and slips.

How often it slips depends on what the instructions insist on, read as the challenger of research questions reads them.
"""

import json
import random
import re
from typing import Any

from harness.models.simulated import passage_questions
from harness.models.simulated.challenger import notes, slips
from harness.models.simulated.clauses import Cause
from harness.models.simulated.concepts import Brief, brief
from harness.models.simulated.passage_questions import Question
from harness.models.simulated.reading import split_failures
from harness.models.simulated.sources import read

TAGGED = re.compile(r"<passage[^<>\n]*>\n(.*?)\n</passage>", re.DOTALL)
CARELESS: dict[Cause, float] = {"generic": 0.6, "leak": 0.14, "underspecified": 0.4, "format": 0.18}
CAREFUL = 0.02
OWN_WORDS, COPIED = 0.08, 0.06
WORD_FOR_WORD = re.compile(r"word for word|verbatim|exactly as (?:it|they) stands?|same words", re.IGNORECASE)
SHORT = re.compile(r"\b(?:at most|no more than|up to) (?:\d+|\w+) words\b|\bfew words\b", re.IGNORECASE)
ELSEWHERE = ("the usual way", "what was said above", "several of them", "the other one")


def reply(prompt: str, rng: random.Random) -> str:
    """A question on the passage in the prompt as JSON, or notes if the prompt does not ask for one."""
    tagged = TAGGED.search(prompt)
    passage = tagged[1] if tagged else ""
    failures, instructions = split_failures(TAGGED.sub("", prompt))
    if "question" not in instructions:
        return notes(read(passage), rng)
    wishes = brief(instructions)
    happened = slips(rng, risks(wishes, failures))
    made = asked(passage, happened, rng)
    task = as_task(made)
    flaws = own_slips(instructions, rng)
    if "own_words" in flaws:
        task["reference_answer"] = rng.choice(ELSEWHERE)
    elif "copied" in flaws:
        task["question"] = task["reference_answer"] = made.sentence
    return spoilt(task, rng) if "format" in happened else json.dumps(task, ensure_ascii=False)


def spoilt(task: dict[str, Any], rng: random.Random) -> str:
    """The task in a form that was not asked for: another word for the kind, a field more, or an end that is missing."""
    slip = rng.choice(("kind", "kind", "extra", "end"))
    if slip == "kind":
        task["answer_kind"] = rng.choice(("word", "text", "integer"))
    elif slip == "extra":
        task["difficulty"] = "hard"
    body = json.dumps(task, ensure_ascii=False)
    return body[:-2] if slip == "end" else body


def risks(wishes: Brief, failures: str) -> dict[Cause, float]:
    """The probability of each slip. What the instructions insist on is minded; a listed failure reminds a little."""
    found: dict[Cause, float] = {}
    for cause, careless in CARELESS.items():
        strength = wishes.strengths[cause]
        risk = careless + (CAREFUL - careless) * max(0.0, strength) - 0.4 * min(0.0, strength)
        found[cause] = risk * (1 + wishes.crowding) * (0.9 if failures else 1.0)
    if wishes.harms & {"easy", "recite"}:
        found["generic"] += 0.3
    return found


def asked(passage: str, flaws: frozenset[str], rng: random.Random) -> Question:
    """A question on the passage; which flaw it has, if it has one, follows from the slip."""
    plain = passage_questions.good(passage)
    guessable = passage_questions.forced(passage)
    if "generic" in flaws and guessable and rng.random() < 0.7:
        return rng.choice(guessable)
    if not plain:
        return Question("What is this about?", " ".join(passage.split()[:3]), "string", passage[:200])
    made = rng.choice(plain)
    if "generic" in flaws:
        return passage_questions.offered(passage, made, rng)
    if "underspecified" in flaws:
        return Question(f"Which {made.kind} is meant?", made.answer, made.kind, made.sentence)
    if "leak" in flaws:
        text = f"{made.text.rstrip('?')} (where {made.answer} is spoken of)?"
        return Question(text, made.answer, made.kind, made.sentence)
    return made


def as_task(made: Question) -> dict[str, Any]:
    """The question as the form has it."""
    kinds = {"number": "figure", "choice": "choice of two"}
    return {
        "question_type": kinds.get(made.kind, "fact"),
        "question": made.text,
        "reference_answer": made.answer,
        "answer_kind": made.kind,
    }


def own_slips(instructions: str, rng: random.Random) -> set[str]:
    """Slips of this world alone: an answer in words of its own, a sentence copied into both fields."""
    wanted = {
        "own_words": OWN_WORDS * (0.3 if WORD_FOR_WORD.search(instructions) else 1.0),
        "copied": COPIED * (0.3 if SHORT.search(instructions) else 1.0),
    }
    return {name for name, risk in wanted.items() if rng.random() < risk}
