"""The simulated verifier of questions on a passage: sees what a reader sees, mostly, and errs now and then."""

import json
import random
import re
from collections.abc import Mapping

from harness.models.simulated import passage_questions
from harness.models.simulated.judge import BOUNDARY

SECTIONS = ("Passage", "Question", "Declared kind", "Reference answer")
SEES, SEES_EASY, ERRS = 0.9, 0.25, 0.015


def recognises(prompt: str) -> bool:
    """Whether the prompt shows a passage, a question and the answer to it, as the verifier's prompt of the domain does."""
    return all(f"\n## {one}\n" in prompt for one in SECTIONS) and '"kind_fits"' in prompt


def reply(prompt: str, rng: random.Random) -> str:
    """The four checks as JSON."""
    passage, question, kind, reference = (section(prompt, one) for one in SECTIONS)
    leak = bool(reference) and reference.lower() in question.lower() and kind != "choice"
    found = passage_questions.found_in(passage, question)
    easy = passage_questions.guess(question) is not None or kind == "choice"
    vague = found is None and kind != "choice"
    checks = {
        "leak": noticed(leak, SEES, rng),
        "quality": "TOO_EASY" if noticed(easy, SEES_EASY, rng) else "GOOD",
        "single_answer": not noticed(vague, SEES / 2, rng),
        "kind_fits": not noticed(kind == "number" and not re.search(r"\d", reference), SEES, rng),
    }
    return json.dumps(checks | {"feedback": feedback(checks)})


def noticed(there: bool, chance: float, rng: random.Random) -> bool:
    """Whether a fault is reported: mostly if it is there, rarely if not."""
    return rng.random() < (chance if there else ERRS)


def section(prompt: str, name: str) -> str:
    """The text of one section, without its boundary lines."""
    named = BOUNDARY.search(prompt)
    edge = named[1] if named else ""
    _, _, rest = prompt.rpartition(f"\n## {name}\n\n{edge}\n")
    return rest.partition(f"\n{edge}\n")[0].strip()


def feedback(checks: Mapping[str, object]) -> str:
    """What the author should change, in a sentence."""
    if checks["leak"]:
        return "The question already states the answer."
    if checks["quality"] != "GOOD":
        return "The answer can be guessed without the passage."
    if not checks["single_answer"]:
        return "It is not clear which place of the passage is meant."
    return "" if checks["kind_fits"] else "The answer is not of the declared kind."
