"""The inner loop: one document in, at most one accepted task out. Standard library only."""

import json
import re
from pathlib import Path

PROMPTS = Path(__file__).parent / "prompts"
PLACE = re.compile(r"\{\{(\w+)\}\}")
GROUPS = {
    "too_easy": "TOO EASY",
    "failed_on_strong": "FAILED ON STRONG",
    "unconfirmed": "FAILED ON STRONG",
    "quality": "FAILED QUALITY CHECK",
    "unproven": "FAILED QUALITY CHECK",
    "malformed": "UNREADABLE",
}


def create(document, env):
    """Challenge, submit, and on failure ask for something entirely different, until accepted or nothing is left."""
    failures = []
    while env.submissions_left > 0:
        reply = env.ask(challenge(document, failures))
        report = env.submit(reply)
        if report["accepted"]:
            return
        failures.append((reply, report))


def challenge(document, failures):
    """The prompt of one round: the role and its rules, the document, and what is asked this time."""
    request = refinement(failures) if failures else read("first_round.md")
    return fill(read("challenger.md"), name=document.name, document=document.text, request=request)


def refinement(failures):
    """The request of a later round. It lists every failure so far, grouped by the stage where it ended."""
    groups = []
    for title in dict.fromkeys(GROUPS.values()):
        rows = [describe(reply, report) for reply, report in failures if GROUPS[report["stage"]] == title]
        if rows:
            groups.append("\n".join([f"### {title}", "", *rows]))
    return fill(read("refinement.md"), failures="\n\n".join(groups))


def describe(reply, report):
    """One failure in one line: what was asked, how it was measured, and what was said about it."""
    task = peek(reply)
    question = str(task.get("question", "no readable question"))
    parts = [f"- ({task.get('question_type', 'type unknown')}) {' '.join(question.split())[:1500]}"]
    scores = [
        f"{label} {report[key]:.2f}"
        for key, label in (("weak_mean", "weak"), ("strong_mean", "strong"), ("gap", "gap"))
        if report[key] is not None
    ]
    if scores:
        parts.append(f"[{', '.join(scores)}]")
    if report["stage"] in ("quality", "unproven", "malformed"):
        reason = report["feedback"] or ", ".join(report["reasons"])
        parts.append(f"[{' '.join(reason.split())[:600]}]")
    return " ".join(parts)


def peek(reply):
    """The task inside a reply as far as it can be read, for the record only; the host reads strictly."""
    try:
        task = json.loads(reply[reply.index("{") : reply.rindex("}") + 1])
    except ValueError:
        return {}
    return task if isinstance(task, dict) else {}


def read(name):
    """The text of a prompt file."""
    return (PROMPTS / name).read_text("utf-8")


def fill(template, **values):
    """Put values into their {{places}} in one pass, so that nothing inside the document is taken for a place."""
    return PLACE.sub(lambda match: values.get(match[1], match[0]), template)
