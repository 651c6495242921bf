"""The simulated verifier of the maths world: checks what can be seen of a problem, and errs now and then."""

import json
import random
import re
from dataclasses import dataclass

from harness.models.simulated import maths_language, sources
from harness.models.simulated.judge import BOUNDARY

SECTIONS = (
    "\n## Document\n",
    "\n## Context of the problem\n",
    "\n## Problem\n",
    "\n## Declared kind\n",
    "\n## Reference answer\n",
)
END = "\n## What to return\n"
TERM = re.compile(r"(?:study of|values around|inspired by) the ([^,.\n]+?)(?:,| is assembled)")
SEES_LEAK = 0.9
SEES_OPEN = 0.6
SEES_TWO = 0.97
SEES_EASY = 0.4
SEES_STOCK = 0.4
SEES_KIND = 0.9
SEES_ELSEWHERE = 0.97
ERRS = 0.012


@dataclass(frozen=True)
class Shown:
    """What the verifier is shown."""

    document: str
    context: str
    question: str
    kind: str
    reference: str


def reply(prompt: str, rng: random.Random) -> str:
    """The four checks as JSON."""
    shown = read(prompt)
    problem = maths_language.read(shown.question)
    leak, leaking = _found(rng, _told(shown), SEES_LEAK, "The text states the result that is asked for.")
    quality, easy = _quality(rng, shown)
    several = shown.question.count("?") > 1
    ambiguous, unclear = _found(
        rng,
        several or bool(problem and problem.symbol),
        SEES_TWO if several else SEES_OPEN,
        "More than one question is asked." if several else "Something the answer depends on is not given.",
    )
    misfit, unfit = _found(
        rng,
        problem is not None and problem.kind != shown.kind,
        SEES_KIND,
        "What is asked for is not of the declared kind.",
    )
    words = [one for one in (leaking, easy, unclear, unfit) if one]
    checks = {"leak": leak, "quality": quality, "single_answer": not ambiguous, "kind_fits": not misfit}
    return json.dumps({**checks, "feedback": " ".join(words[:2])})


def read(prompt: str) -> Shown:
    """The sections of a rendered verifier prompt; the last heading of each name counts, since documents have headings."""
    if named := BOUNDARY.search(prompt):
        prompt = prompt.replace(f"\n{named[1]}\n", "\n")
    end = prompt.rfind(END)
    texts: list[str] = []
    for heading in reversed(SECTIONS):
        at = prompt.find(heading) if heading == SECTIONS[0] else prompt.rfind(heading, 0, end)
        texts.append(prompt[at + len(heading) : end].strip() if 0 <= at < end else "")
        end = at if at >= 0 else end
    reference, kind, question, context, document = texts
    return Shown(document, context, question, kind, reference)


def _found(rng: random.Random, there: bool, sees: float, words: str) -> tuple[bool, str]:
    """Whether a fault is reported, and in which words: mostly if it is there, rarely if it is not."""
    reported = rng.random() < (sees if there else ERRS)
    return reported, words if reported else ""


def _told(shown: Shown) -> bool:
    """Whether context or question state the reference answer; short answers occur anywhere."""
    answer = _bare(shown.reference)
    return len(answer) > 3 and answer in _bare(f"{shown.context} {shown.question}")


def _bare(text: str) -> str:
    return re.sub(r"[\s$]", "", text)


def _quality(rng: random.Random, shown: Shown) -> tuple[str, str]:
    """Quality of the problem, and why it is not good."""
    problem = maths_language.read(shown.question)
    term = TERM.search(shown.question)
    named = sources.spelled_out(shown.document)
    if (term is None or sources.spelled_out(term[1]) not in named) and rng.random() < SEES_ELSEWHERE:
        return "RECALL", "The problem has nothing to do with the subject of the document."
    if problem is not None and problem.stock and rng.random() < SEES_STOCK:
        return "RECALL", "This is a stock exercise."
    if problem is not None and problem.steps <= 1 and rng.random() < SEES_EASY:
        return "TOO_EASY", "One routine step gives the answer."
    if rng.random() < ERRS:
        return "TOO_EASY", "A practised solver sees the answer at once."
    return "GOOD", ""
