"""The one-shot baseline: one prompt a document, thinking first and then the task; it hears nothing back.

Standard library only. The host puts the domain's prompt beside this file.
"""

import json
import re
from pathlib import Path
from typing import Any

PLACE = re.compile(r"\{\{(\w+)\}\}")
DRAFT = 0.5  # so much shorter than the longest, it is a draft or a remark and not the task


def create(document: Any, env: Any) -> None:
    """Ask once, cut the task out of the answer, hand it in."""
    template = (Path(__file__).parent / "cot.md").read_text("utf-8")
    values = {"name": document.name, "document": document.text, "notes": notes(document.notes)}
    reply = env.ask(PLACE.sub(lambda match: values.get(match[1], match[0]), template))
    env.submit(task(reply) or reply)


def notes(found: dict[str, Any]) -> str:
    """What the extractor found, as JSON."""
    return json.dumps(found, ensure_ascii=False, indent=1)


def task(reply: str) -> str:
    """The text of the last task in an answer, a JSON object with a question; "" if there is none. Drafts do not count."""
    found = [text for text, value in objects(reply.rpartition("</think>")[2]) if "question" in value]
    longest = max(map(len, found), default=0)
    return next((one for one in reversed(found) if len(one) >= DRAFT * longest), "")


def objects(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Every JSON object in a text that is in no other one, as it stands and decoded, in their order."""
    decoder, found, at = json.JSONDecoder(), [], text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
            found.append((text[at:end], value))
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)
    return found
