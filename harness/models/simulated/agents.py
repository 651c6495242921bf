"""The embedded agent.py of domain cs as the host can imitate it: what it asks and hands in, without running it.

The simulated implementer leaves it as it is or adds a function that tidies submissions. Anything else is not known here.
Only for simulations: a scaffold that is measured for real always runs in its sandbox.
"""

import json
import random
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from harness.models.simulated.rewriting import TIDY, in_agent
from harness.trajectory import Report

PROMPTS = ("challenger.md", "first_round.md", "refinement.md")
PLACE = re.compile(r"\{\{(\w+)\}\}")
WRAPPED = re.compile(r"env\.submit\((\w+)\(reply\)\)")
GROUPS = {
    "too_easy": "TOO EASY",
    "failed_on_strong": "FAILED ON STRONG",
    "unconfirmed": "FAILED ON STRONG",
    "quality": "FAILED QUALITY CHECK",
    "unproven": "FAILED QUALITY CHECK",
    "malformed": "UNREADABLE",
}


@lru_cache(maxsize=256)
def tidying(agent: str, embedded: str) -> bool | None:
    """Whether this agent.py tidies what it submits; None if it is neither the embedded one nor that with the function."""
    if agent.rstrip() == embedded.rstrip():
        return False
    if wrapped := WRAPPED.search(agent):
        definition = TIDY.format(name=wrapped[1])
        if agent.rstrip() == in_agent(embedded, wrapped[1], definition, random.Random(0)).rstrip():
            return True
    return None


def fill(template: str, **values: str) -> str:
    """Its prompts filled in: one pass, and places without a value stay."""
    return PLACE.sub(lambda match: values.get(match[1], match[0]), template)


def listing(failures: Sequence[tuple[Report, str]]) -> str:
    """Its list of failures, each a report and the line on it, grouped by where they ended."""
    groups = []
    for title in dict.fromkeys(GROUPS.values()):
        rows = [line for report, line in failures if GROUPS[report.stage] == title]
        if rows:
            groups.append("\n".join([f"### {title}", "", *rows]))
    return "\n\n".join(groups)


def describe(reply: str, report: Report) -> str:
    """Its line on one failure."""
    task = peek(reply)
    question = str(task.get("question", "no readable question"))
    parts = [f"- ({task.get('question_type', 'type unknown')}) {' '.join(question.split())[:1500]}"]
    means = (("weak", report.weak_mean), ("strong", report.strong_mean), ("gap", report.gap))
    scores = [f"{label} {mean:.2f}" for label, mean in means if mean is not None]
    if scores:
        parts.append(f"[{', '.join(scores)}]")
    if report.stage in ("quality", "unproven", "malformed"):
        reason = report.feedback or ", ".join(report.reasons)
        parts.append(f"[{' '.join(reason.split())[:600]}]")
    return " ".join(parts)


def peek(reply: str) -> dict[str, Any]:
    """The task inside a reply as far as it can be read."""
    try:
        task = json.loads(reply[reply.index("{") : reply.rindex("}") + 1])
    except ValueError:
        return {}
    return task if isinstance(task, dict) else {}


def tidied(reply: str) -> object:
    """What the tidying function makes of a reply: the object in it, with whole weights; else the reply."""
    try:
        task = json.loads(reply[reply.index("{") : reply.rindex("}") + 1])
        for entry in task["rubric"]:
            entry["weight"] = int(float(str(entry["weight"]).strip().lstrip("+")))
    except (ValueError, KeyError, TypeError):
        return reply
    return task
