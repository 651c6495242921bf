"""A unified diff for people: prompts are wrapped at words, and inside a changed line the changed words stand out."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evolve.report.figures import visible

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
SIMILAR = 0.5
MOST_PAIRS = 400
MOST_WORDS = 800
STYLES = {"+": "green", "-": "red", " ": "", "@": "cyan dim", "\\": "dim"}
STRONG = {"+": "bold green reverse", "-": "bold red reverse"}


def drawn(diff: str) -> RenderableType:
    """The diff, a block a file; whatever width it is shown at, no line is cut and no word is broken."""
    if not diff.strip():
        return Text("No difference.", "dim")
    return Group(*(part for name, lines in _files(diff) for part in (_heading(name), _block(lines))))


def files(diff: str) -> list[tuple[str, int, int]]:
    """Path, lines added and lines removed of every file in a diff."""
    return [
        (name.split(" ")[0], sum(line[:1] == "+" for line in lines), sum(line[:1] == "-" for line in lines))
        for name, lines in _files(diff)
    ]


def _files(diff: str) -> Iterator[tuple[str, list[str]]]:
    """Each file's name, with what happened to it, and the lines of its hunks."""
    name, lines, hunk = "", list[str](), False
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            if name:
                yield name, lines
            name, lines, hunk = line.rsplit(" b/", 1)[-1], [], False
        elif not hunk and line.startswith(("new file", "deleted file")):
            name += f" ({line.split()[0]})"
        elif hunk or line.startswith("@@"):
            hunk = True
            lines.append(line)
    if name:
        yield name, lines[:-1] if lines and not lines[-1] else lines


def _heading(name: str) -> RenderableType:
    return Padding(Text(visible(name), "bold"), (1, 0, 0, 0))


def _block(lines: list[str]) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    for sign, text in _marked(lines):
        grid.add_row(Text(sign if sign in "+-" else " ", STYLES[sign]), text)
    return grid


def _marked(lines: list[str]) -> Iterator[tuple[str, Text]]:
    """Sign and text of every line; a run of removed lines is compared with the added run that follows it."""
    runs = [(sign, list(members)) for sign, members in groupby(lines, key=lambda line: line[:1] or " ")]
    at = 0
    while at < len(runs):
        sign, members = runs[at]
        if sign == "-" and at + 1 < len(runs) and runs[at + 1][0] == "+":
            yield from _compared(members, runs[at + 1][1])
            at += 2
            continue
        for line in members:
            whole = visible(line if sign in "@\\" else line[1:])
            yield (sign if sign in STYLES else " "), Text(whole, STYLES.get(sign, ""))
        at += 1


def _compared(old: list[str], new: list[str]) -> list[tuple[str, Text]]:
    """Removed and added lines; those that are alike show which words differ."""
    before = [Text(visible(line[1:]), STYLES["-"]) for line in old]
    after = [Text(visible(line[1:]), STYLES["+"]) for line in new]
    free = set(range(len(after)))
    for left in before if len(before) * len(after) <= MOST_PAIRS else ():
        ratios = {place: _ratio(left.plain, after[place].plain) for place in sorted(free)}
        nearest = max(ratios, key=lambda place: ratios[place], default=None)
        if nearest is not None and ratios[nearest] >= SIMILAR:
            free.discard(nearest)
            _mark(left, after[nearest])
    return [*(("-", line) for line in before), *(("+", line) for line in after)]


def _ratio(old: str, new: str) -> float:
    a, b = WORDS.findall(old), WORDS.findall(new)
    if max(len(a), len(b)) > MOST_WORDS:
        return 0.0
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= SIMILAR else 0.0


def _mark(left: Text, right: Text) -> None:
    """Make the words stand out that only one of the two lines has."""
    a, b = WORDS.findall(left.plain), WORDS.findall(right.plain)
    for tag, first, last, start, end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            left.stylize(STRONG["-"], len("".join(a[:first])), len("".join(a[:last])))
            right.stylize(STRONG["+"], len("".join(b[:start])), len("".join(b[:end])))
