"""The world of mathematical objects: problems with an answer that can be compared, and solvers that work them out.

What is compared, and what a judge is asked about it, is in `comparing`. Start with `maths_problems`.
"""

import random
import re
from importlib import import_module

from harness.models.simulated import maths_checking, maths_language, maths_solvers, maths_writer

KINDS = ("answer_kind", "piecewise", "inequality")
FILE = re.compile(
    r"^--- [0-9a-f]{12} file prompts/[^\n]*\n(.*?)\n--- [0-9a-f]{12} end$", re.MULTILINE | re.DOTALL
)


def recognises(role: str, prompt: str) -> bool:
    """Whether the prompt is one of this world's: it names the kinds of objects, or holds one of its problems."""
    if role in ("weak", "strong"):
        return "one mathematical object" in prompt or maths_language.read(prompt) is not None
    if role == "verifier":
        return maths_checking.SECTIONS[3] in prompt and KINDS[1] in prompt
    if role in ("analyzer", "implementer"):
        return any(all(one in text for one in KINDS) for text in FILE.findall(prompt))
    return role == "challenger" and all(one in prompt for one in KINDS)


def reply(role: str, prompt: str, rng: random.Random) -> str:
    """The answer to a prompt of this world."""
    if role == "challenger":
        return maths_writer.reply(prompt, rng)
    if role == "verifier":
        return maths_checking.reply(prompt, rng)
    if role in ("weak", "strong"):
        return maths_solvers.reply(role, prompt, rng)
    words = import_module(
        "harness.models.simulated.maths_wording"
    )  # as the outer roles are: when first asked
    module = import_module(f"harness.models.simulated.{role}")
    return str(module.reply(prompt, rng, words.VIEW if role == "analyzer" else words.WORDS))
