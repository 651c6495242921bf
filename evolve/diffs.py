"""A unified diff for people: prompts are wrapped at words, and inside a changed line the changed words stand out."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evolve.figures import visible

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
SIMILAR = 0.4
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
    removed: list[tuple[str, Text]] = []
    added: list[tuple[str, Text]] = []
    for before, after in zip_longest(old, new):
        first, second = visible(before[1:]) if before else None, visible(after[1:]) if after else None
        left, right = _words(first, second)
        removed += [("-", left)] if left is not None else []
        added += [("+", right)] if right is not None else []
    return removed + added


def _words(old: str | None, new: str | None) -> tuple[Text | None, Text | None]:
    """Both lines, with what differs standing out if they are alike."""
    left = None if old is None else Text(old, STYLES["-"])
    right = None if new is None else Text(new, STYLES["+"])
    if old is None or new is None or left is None or right is None:
        return left, right
    a, b = WORDS.findall(old), WORDS.findall(new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if max(len(a), len(b)) > MOST_WORDS or matcher.ratio() < SIMILAR:
        return left, right
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag != "equal":
            left.stylize(STRONG["-"], len("".join(a[:first])), len("".join(a[:last])))
            right.stylize(STRONG["+"], len("".join(b[:start])), len("".join(b[:end])))
    return left, right
