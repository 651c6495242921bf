"""The world of questions on a passage: short answers that stand in a text.

Each role sees its prompt alone. Who is shown the passage reads it; who is not goes by grammar, by the options that are
named, or guesses. Start with passage_questions.py for the language that all of them share.
"""

import random
import re

from harness.models.simulated import passage_checking, passage_solvers, passage_writer

CHALLENGE = re.compile(r"\banswer_kind\b")
PASSAGE = re.compile(r"\bpassages?\b", re.IGNORECASE)


def recognises(role: str, prompt: str) -> bool:
    """Whether the prompt is one of this world's."""
    if role == "challenger":
        return len(PASSAGE.findall(prompt)) > 2 and CHALLENGE.search(prompt) is not None
    if role == "verifier":
        return passage_checking.recognises(prompt)
    return role in ("weak", "strong") and passage_solvers.recognises(prompt)


def reply(role: str, prompt: str, rng: random.Random) -> str:
    """The answer to a prompt of this world."""
    if role == "challenger":
        return passage_writer.reply(prompt, rng)
    if role == "verifier":
        return passage_checking.reply(prompt, rng)
    return passage_solvers.reply(role, prompt, rng)
