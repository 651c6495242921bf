"""The simulated solvers of questions on a passage: they read it if it is there, else they go by what is left.

The strong solver reads with more care than the weak one; without the passage neither knows more than the other.
"""

import random
import re
from dataclasses import dataclass

from harness.models.simulated import passage_questions

ASKED = re.compile(r"^Question: (.+)\Z", re.MULTILINE)
OPENED, CLOSED = "Here is a passage.\n\n", "\n\nCopy the sentence"
USUAL = ("1", "2", "10", "NULL", "the file", "the database", "a function", "memory", "the user", "None")
RAMBLES = 0.015
KNOWS = 0.97


@dataclass(frozen=True)
class Care:
    """Probabilities: finds: of reading the right place; open: of saying that nothing is said of it, where that is so."""

    finds: float
    open: float


CARE = {"weak": Care(finds=0.6, open=0.3), "strong": Care(finds=0.82, open=0.7)}


def recognises(prompt: str) -> bool:
    """Whether the prompt ends with one question on one line, as the solvers' prompts of the domain do."""
    return ASKED.search(prompt.rstrip()) is not None


def reply(role: str, prompt: str, rng: random.Random) -> str:
    """An answer in a few words, mostly in the form that is asked for."""
    asked = ASKED.search(prompt.rstrip())
    question = asked[1].strip() if asked else ""
    shown = passage_of(prompt)
    said = with_passage(CARE[role], shown, question, rng) if shown else without(question, rng)
    if rng.random() < RAMBLES:
        said = f"{said} " + "It can be added that this has to be seen in its context. " * 12
    return said


def passage_of(prompt: str) -> str:
    """What stands between the line that announces a passage and what is asked of it; empty if none is given."""
    _, opened, rest = prompt.partition(OPENED)
    return rest.rpartition(CLOSED)[0].strip() if opened else ""


def with_passage(care: Care, passage: str, question: str, rng: random.Random) -> str:
    """The answer of somebody who can look it up."""
    right = passage_questions.found_in(passage, question)
    if right is not None and rng.random() < care.finds:
        return worded(right, rng)
    if right is None and rng.random() < care.open:
        return "The passage does not say which one is meant."
    return worded(guessed(passage, question, rng), rng)


def guessed(passage: str, question: str, rng: random.Random) -> str:
    """Something of the right sort from the passage."""
    listed = passage_questions.options(question) or passage_questions.things(passage)
    rest = [one for one in listed if one not in question] or listed or list(USUAL)
    return rng.choice(rest)


def without(question: str, rng: random.Random) -> str:
    """The answer of somebody who has the question and nothing else."""
    if (word := passage_questions.guess(question)) and rng.random() < KNOWS:
        return f"Everybody knows which word follows here. {named(word)}"
    if listed := passage_questions.options(question):
        return worded(rng.choice(listed), rng)
    if rng.random() < 0.2:
        return f"This cannot be known without the text. {named(rng.choice(USUAL))}"
    return worded(rng.choice(USUAL), rng)


def worded(answer: str, rng: random.Random) -> str:
    """The answer bare, on a line of its own, or in a sentence."""
    return rng.choices((answer, named(answer), f"The answer is {answer}."), (60, 25, 15))[0]


def named(answer: str) -> str:
    """The answer on a line that says so."""
    return f"\nAnswer: {answer}"
