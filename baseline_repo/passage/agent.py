"""The inner loop: one document in, at most one accepted question out. Standard library only."""

import json
import random
import re
from pathlib import Path

PROMPTS = Path(__file__).parent / "prompts"
PLACE = re.compile(r"\{\{(\w+)\}\}")
SENTENCE = re.compile(r"(?<=[.!?])\s+")
SHORTEST, LONGEST = 200, 450
GROUPS = {
    "too_easy": "TOO EASY",
    "failed_on_strong": "FAILED ON STRONG",
    "quality": "FAILED QUALITY CHECK",
    "malformed": "UNREADABLE",
}


def create(document, env):
    """Pick a passage, have a question written about it, submit it; on failure take another passage, until accepted."""
    found = passages(document.text)
    failures = []
    while env.submissions_left > 0 and found:
        passage = pick(found)
        reply = env.ask(challenge(document, passage, failures))
        report = env.submit(task(reply, passage))
        if report["accepted"]:
            return
        failures.append((reply, report))


def passages(text):
    """The paragraphs that read like prose, in pieces of whole sentences; some piece of the text if there are none."""
    paragraphs = [" ".join(one.split()) for one in re.split(r"\n\s*\n", text)]
    pieces = [piece for one in paragraphs if prose(one) for piece in cut(one)]
    return pieces or cut(" ".join(text.split()))[:20]


def prose(paragraph):
    """Whether a paragraph is made of sentences, and mostly of letters."""
    letters = sum(one.isalpha() or one == " " for one in paragraph)
    return len(paragraph) >= SHORTEST and paragraph.count(". ") > 0 and letters > 0.85 * len(paragraph)


def cut(paragraph):
    """The paragraph in pieces that are long enough to ask about and short enough for a small model."""
    pieces = [""]
    for sentence in SENTENCE.split(paragraph):
        if len(pieces[-1]) + len(sentence) > LONGEST:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]} {sentence}".strip()
    return [piece for piece in pieces if SHORTEST <= len(piece) <= LONGEST]


def pick(found):
    """One passage at random, and not again."""
    return found.pop(random.randrange(len(found)))


def task(reply, passage):
    """The question in a reply together with its passage; the reply as it is if it cannot be read."""
    written = peek(reply)
    return written | {"passage": passage} if written else reply


def challenge(document, passage, failures):
    """The prompt of one round: the job, the passage, and what is asked this time."""
    request = refinement(failures) if failures else read("first_round.md")
    return fill(read("challenger.md"), name=document.name, passage=passage, request=request)


def refinement(failures):
    """The request of a later round. It lists every failure so far, grouped by the stage where it ended."""
    groups = []
    for stage, title in GROUPS.items():
        rows = [describe(reply, report) for reply, report in failures if report["stage"] == stage]
        if rows:
            groups.append("\n".join([f"### {title}", "", *rows]))
    return fill(read("refinement.md"), failures="\n\n".join(groups))


def describe(reply, report):
    """One failure in one line: what was asked, how many answers were right, and what was said about it."""
    written = peek(reply)
    question = " ".join(str(written.get("question", "no readable question")).split())[:400]
    means = (("weak", report["weak_mean"]), ("strong", report["strong_mean"]))
    scores = [f"{name} right {mean:.0%}" for name, mean in means if mean is not None]
    said = ", ".join(scores) or report["feedback"] or ", ".join(report["reasons"])
    return f"- {question} -> {str(written.get('reference_answer', ''))[:80]} [{' '.join(said.split())[:300]}]"


def peek(reply):
    """The object inside a reply; an empty one if it cannot be read."""
    try:
        found = json.loads(reply[reply.index("{") : reply.rindex("}") + 1])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def read(name):
    """The text of a prompt file."""
    return (PROMPTS / name).read_text("utf-8")


def fill(template, **values):
    """Put values into their {{places}} in one pass, so that nothing inside the passage is taken for a place."""
    return PLACE.sub(lambda match: values.get(match[1], match[0]), template)
