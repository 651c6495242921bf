"""Answers that say nothing of their own: what they score is what a rubric gives away. Texts alone; nothing is asked here."""

import re
from collections import Counter

from harness.domains import Domain
from harness.prompting import render
from harness.trajectory import Example

MOST_WORDS = 80
SUBJECTS = 3
WORD = re.compile(r"`[^`\n]{1,80}`|[A-Za-z][\w-]{3,}")
FRAME = """
this that these those with from into which what when where while whose there their them they then than will would could
should have been being does each such some more most other only also both after before under over between through about
because given against without within your find give state show predict explain decide whether
"""
STOP = frozenset(FRAME.split())


def null_answers(domain: Domain, example: Example) -> dict[str, str]:
    """Name -> answer. An answer that would be empty, such as the context of a task without one, is left out.

    An attempt with no text at all is missing data and is never marked; its place takes `nothing`, the emptiest answer
    that can be marked. Where answers are compared and not marked, only a text that names an object can be right.
    """
    found = {"question": example.question, "context": example.context}
    if not domain.comparable:
        words = keywords(f"{example.question}\n{example.context}")
        found["nothing"] = domain.prompt("null_nothing.md")
        found["keywords"] = ", ".join(words)
        found["prose"] = render(
            domain.prompt("null_prose.md"), subject=", ".join(words[:SUBJECTS]) or "these"
        )
    return {name: text.strip() for name, text in found.items() if text.strip()}


def keywords(text: str) -> tuple[str, ...]:
    """The terms and content words of a text, the most frequent first; those between backticks in one piece."""
    counts = Counter(one if one.startswith("`") else one.lower() for one in WORD.findall(text))
    ranked = sorted(
        counts.items(), key=lambda pair: (-pair[1] * (2 if pair[0].startswith("`") else 1), pair[0])
    )
    return tuple(word for word, _ in ranked if word not in STOP)[:MOST_WORDS]
