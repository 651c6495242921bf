"""Taking a challenger prompt apart: which part is the document, which lists earlier failures, which instructs.

Prompts evolve, so nothing here depends on one layout: the document is found by whatever delimits it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

SMALLEST_DOCUMENT = 400
MOST_ANNOUNCEMENTS = 12
_NAMES = r"(?:documents?|source|paper|article|text|material|content|doc)"
_OPENING_TAG = re.compile(r"^[ \t]*<([A-Za-z][\w-]*)(?:[ \t][^<>\n]*)?>[ \t]*$", re.MULTILINE)
_WORDED_RULE = re.compile(
    rf"^[ \t]*[-=~_*#<>\[]{{2,}}[^\n]{{0,40}}\b{_NAMES}\b[^\n]{{0,40}}$", re.IGNORECASE | re.MULTILINE
)
_BARE_RULE = re.compile(r"^[ \t]*([-=~_*#\"'`+<>]{3,})(?:\w{1,12})?[ \t]*$", re.MULTILINE)
_ANNOUNCEMENT = re.compile(
    rf"^[^\n]{{0,120}}\b{_NAMES}\b[^\n]{{0,80}}(?::|below\.?|follows\.?)[ \t]*$"
    rf"|^#{{1,6}}[ \t]+[^\n]{{0,40}}\b{_NAMES}\b[^\n]{{0,40}}$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
_INSTRUCTS = re.compile(
    r"\b(?:your (?:task|turn|job)|write|rubric|criteri\w+|json|must|should|question)\b", re.IGNORECASE
)
_FAILURE_LABEL = re.compile(
    r"^[#*\->\[ \t]*(?:too[ _-]easy|failed[ _]on[ _]strong|failed[ _]quality(?: check)?|quality(?: check)?"
    r"|unreadable|malformed)\b[^.\n]{0,60}$",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"[ \t]*(?:[-*•>(\[]|\d)")

Span = tuple[int, int]


@dataclass(frozen=True)
class Parts:
    """A prompt taken apart. Each part is plain text and may be empty."""

    document: str
    failures: str
    instructions: str


def take_apart(prompt: str) -> Parts:
    """Document, earlier failures and instructions of a challenger prompt."""
    start, end = find_document(prompt)
    failures, instructions = split_failures(f"{prompt[:start]}\n\n{prompt[end:]}")
    return Parts(prompt[start:end].strip(), failures, instructions)


def find_document(prompt: str) -> Span:
    """Where the document begins and ends; an empty span if there is none.

    Tried in order: a tag and its closing tag, ruling lines that name the document, a rule after a line that announces
    it, the announcement alone, and at last the longest passage that does not sound like instructions.
    """
    for find in (_tagged, _ruled, _fenced, _announced, _unmarked):
        span = max(find(prompt), key=lambda one: one[1] - one[0], default=(0, 0))
        if span[1] - span[0] >= SMALLEST_DOCUMENT:
            return span
    return 0, 0


def _tagged(prompt: str) -> list[Span]:
    spans: dict[bool, list[Span]] = {True: [], False: []}
    for match in _OPENING_TAG.finditer(prompt):
        end = prompt.rfind(f"</{match[1]}>")
        if end > match.end():
            named = re.search(_NAMES, match[1], re.IGNORECASE) is not None
            spans[named].append((match.end(), end))
            if named:
                break
    return spans[True] or spans[False]


def _ruled(prompt: str) -> list[Span]:
    rules = [match for match in _WORDED_RULE.finditer(prompt) if not match[0].lstrip().startswith("# ")]
    ends = [match for match in rules if re.search(r"\bend\b|/", match[0], re.IGNORECASE)]
    return [(rules[0].end(), ends[-1].start())] if ends and rules[0] is not ends[0] else []


def _fenced(prompt: str) -> Iterator[Span]:
    for announced in islice(_ANNOUNCEMENT.finditer(prompt), MOST_ANNOUNCEMENTS):
        rule = _BARE_RULE.match(prompt, _next_line(prompt, announced.end()))
        if rule:
            closing = [one.start() for one in _BARE_RULE.finditer(prompt, rule.end()) if one[1] == rule[1]]
            if closing:
                yield rule.end(), closing[-1]


def _next_line(prompt: str, position: int) -> int:
    while prompt[position : position + 1] == "\n":
        position += 1
    return position


def _announced(prompt: str) -> Iterator[Span]:
    """From each announcing line to the next heading whose section instructs, or to the end."""
    for match in islice(_ANNOUNCEMENT.finditer(prompt), MOST_ANNOUNCEMENTS):
        headings = (one.start() for one in _HEADING.finditer(prompt, match.end()))
        yield match.end(), next((at for at in headings if _instructs(prompt[at : at + 400])), len(prompt))


def _unmarked(prompt: str) -> Iterator[Span]:
    start = end = 0
    for paragraph in re.finditer(r"(?:[^\n]+\n?)+", prompt):
        if _instructs(paragraph[0]):
            yield start, end
            start = paragraph.end()
        end = paragraph.end()
    yield start, end


def _instructs(text: str) -> bool:
    return len({one.lower() for one in _INSTRUCTS.findall(text)}) > 1


def split_failures(text: str) -> tuple[str, str]:
    """The listed failures, and the rest. A list begins under a label such as TOO EASY and ends at the next heading."""
    failures: list[str] = []
    rest: list[str] = []
    listing = False
    for line in text.split("\n"):
        if _FAILURE_LABEL.match(line):
            listing = True
        elif line.startswith(("#", "<")) or (
            listing and failures[-1] == "" and line.strip() and not _ENTRY.match(line)
        ):
            listing = False
        (failures if listing else rest).append(line.strip() if listing else line)
    return "\n".join(failures), "\n".join(rest)
