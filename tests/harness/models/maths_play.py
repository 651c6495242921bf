"""Problems, prompts and replies of the simulated maths world, for its tests."""

import random
from pathlib import Path

from simulated_play import say

from harness.domains.math import DOMAIN, read
from harness.models.simulated import maths_language, maths_reading, maths_writer
from harness.models.simulated import maths_problems as world
from harness.models.simulated.maths_notation import plain
from harness.models.simulated.reading import take_apart
from harness.parsing import Malformed
from harness.prompting import render
from harness.trajectory import Example
from harness.types import Document

BASELINE = Path(__file__).parents[3] / "baseline_repo" / "math"
PROMPTS = {path.name: path.read_text("utf-8") for path in (BASELINE / "prompts").glob("*.md")}
FILES = {f"prompts/{name}": text for name, text in PROMPTS.items()}
DOCUMENT = Document(
    "0" * 16, "acot", "# acot\n\n> Compute the [inverse cotangent] of a number.\n\n" + "It is odd.\n" * 60
)
REMEDIES = {
    "shallow": "Answering must take a chain of at least four dependent steps. Never accept a problem that takes one step.",
    "stock": "No textbook exercises; invent the problem yourself.",
    "wrong": "Solve the problem a second time by another way and verify the reference answer by substitution.",
    "ambiguous": "Every symbol, constant and condition is given in the question. Exactly one answer is right.",
    "guessable": "The answer is never an integer, a rounded number or anything that can be guessed.",
    "leak": "Neither context nor question states the answer.",
    "format": "Return one JSON object and nothing else. The LaTeX is complete. The kind matches the answer exactly.",
}
PLAIN = {
    "question_type": "t",
    "skills": ["s"],
    "question": "?",
    "reference_answer": r"\{1, \frac{1}{2}\}",
    "answer_kind": "set",
}


def exactly(problem: world.Problem) -> world.Solution:
    """The true answer."""
    return world.solve(problem, lambda one: one)


def drawn(seed: int) -> tuple[world.Problem, random.Random]:
    """Some problem, and the chance it was drawn with."""
    rng = random.Random(seed)
    return world.compose(rng, rng.choice(list(world.KINDS)), rng.randint(0, 5)), rng


def challenge(*sentences: str, angle: str = "any") -> str:
    """The scaffold's first prompt, with sentences added."""
    text = PROMPTS["challenger.md"].replace("\n# The angle\n", "\n".join(sentences) + "\n\n# The angle\n")
    values = {"name": "acot", "document": DOCUMENT.text, "angle": angle, "request": PROMPTS["first_round.md"]}
    return render(text, **values)


def written(prompt: str, count: int) -> list[Example]:
    """What the challenger writes, as far as it can be read."""
    found = []
    for seed in range(count):
        text = say("challenger", prompt, seed)
        try:
            found.append(read(text[text.index("{") : text.rindex("}") + 1]))
        except (Malformed, ValueError):
            continue
    return found


def solved(role: str, example: Example, seed: int) -> str:
    """One solver's reply."""
    return say(
        role, render(DOMAIN.prompt("solver.md"), context=example.context, question=example.question), seed
    )


def task(problem: world.Problem, **changes: object) -> Example:
    """A problem as an example."""
    values = {
        "question_type": "t",
        "skills": ["s"],
        "question": f"In a study of the inverse cotangent, it goes like this. {maths_language.text(problem)}",
        "reference_answer": plain(exactly(problem)),
        "answer_kind": problem.kind,
    }
    return read(values | changes)


def slips_of(prompt: str) -> dict[maths_reading.MathsSlip, float]:
    parts = take_apart(prompt)
    return maths_writer.risks(maths_reading.wishes(parts.instructions), parts)
