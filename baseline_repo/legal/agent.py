"""The inner loop for law: one document in, at most one accepted client's case out. Standard library only."""

import json
import re
from pathlib import Path

PROMPTS = Path(__file__).parent / "prompts"
PLACE = re.compile(r"\{\{(\w+)\}\}")
NOTHING = "Nothing was noted."


def create(document, env):
    """Write a case, submit it, and improve it with what is said about it, until accepted or nothing is left."""
    rounds = []
    while env.submissions_left > 0:
        reply = env.ask(write(document, rounds))
        report = env.submit(reply)
        if report["accepted"]:
            return
        rounds.append((reply, report))


def write(document, rounds):
    """The prompt of one round: the job and its rules, the source, what was found in it, and what is asked this time."""
    request = improvement(rounds) if rounds else read("first_round.md")
    return fill(
        read("writer.md"),
        name=document.name,
        document=document.text,
        notes=notes(document.notes),
        request=request,
    )


def notes(found):
    """What the extractor found in the source, as a list."""
    rows = [f"- Kind of document: {found['document_type']}"] if found.get("document_type") else []
    rows += [f"- Topics: {', '.join(found['keywords'])}"] if found.get("keywords") else []
    rows += [f"- Issue: {one}" for one in found.get("issues", [])]
    rows += [f"- Fact: {one}" for one in found.get("facts", [])]
    rows += [f"- Rule: {one['rule']} Reason: {one['reasoning']}" for one in found.get("holdings", [])]
    return "\n".join(rows) or NOTHING


def improvement(rounds):
    """The request of a later round: the last case, all that was said about it, and every verdict so far."""
    reply, report = rounds[-1]
    return fill(
        read("improvement.md"),
        case=reply.strip()[:12_000],
        feedback=report["feedback"].strip()[:12_000] or ", ".join(report["reasons"]),
        verdicts="\n".join(verdict(number, *one) for number, one in enumerate(rounds, 1)),
    )


def verdict(number, reply, report):
    """One earlier round in one line: where it ended, why, how it was measured, and what was asked."""
    scores = [
        f"{label} {report[key]:.2f}"
        for key, label in (("weak_mean", "weak"), ("strong_mean", "strong"), ("gap", "gap"))
        if report[key] is not None
    ]
    question = " ".join(str(peek(reply).get("question", "no readable question")).split())
    measured = f" [{', '.join(scores)}]" if scores else ""
    return f"{number}. {report['stage']} ({', '.join(report['reasons'])}){measured} {question[:200]}"


def peek(reply):
    """The case inside a reply as far as it can be read, for the record only; the host reads strictly."""
    try:
        case = json.loads(reply[reply.index("{") : reply.rindex("}") + 1])
    except ValueError:
        return {}
    return case if isinstance(case, dict) else {}


def read(name):
    """The text of a prompt file."""
    return (PROMPTS / name).read_text("utf-8")


def fill(template, **values):
    """Put values into their {{places}} in one pass, so that nothing inside the document is taken for a place."""
    return PLACE.sub(lambda match: values.get(match[1], match[0]), template)
