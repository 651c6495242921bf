"""A three-way merge of two sets of files. What clashes is left to somebody else; git merges the lines of one file."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

LINE = re.compile(r"[^\n]*\n|[^\n]+")
MARKS = re.compile(r"<{7,}|\|{7,}|={7,}|>{7,}")
SHORTEST = 16

Files = Mapping[str, str]
Lines = Callable[[tuple[str, str, str], int], Awaitable[str]]
"""(ours, base, theirs), length of the markers -> the merge in diff3 style; `Repository.merge`."""


@dataclass(frozen=True)
class Clash:
    """A passage that both sides changed, each in its own way; None where a side has no such file."""

    path: str
    base: str | None
    ours: str | None
    theirs: str | None


@dataclass(frozen=True)
class Merge:
    """The merged files. Where something clashes they hold our passage, or the file that one side deleted."""

    files: dict[str, str]
    clashes: tuple[Clash, ...] = ()


async def three_way(base: Files, ours: Files, theirs: Files, lines: Lines) -> Merge:
    """Take from each side what it alone changed.

    Raises:
        StorageError: as `lines` raises it.
    """
    files: dict[str, str] = {}
    clashes: list[Clash] = []
    for path in sorted({*base, *ours, *theirs}):
        old, mine, other = (one.get(path) for one in (base, ours, theirs))
        if mine == other or old == other:
            kept: str | None = mine
        elif old == mine:
            kept = other
        elif mine is None or other is None or "\0" in f"{old}{mine}{other}":
            kept = other if mine is None else mine
            clashes.append(Clash(path, old, mine, other))
        else:
            kept, found = await _one_file(path, (mine, old or "", other), lines)
            clashes += found
        if kept is not None:
            files[path] = kept
    return Merge(files, tuple(clashes))


async def _one_file(path: str, texts: tuple[str, str, str], lines: Lines) -> tuple[str, list[Clash]]:
    signs = 1 + max([SHORTEST, *(len(one) for text in texts for one in MARKS.findall(text))])
    parts = list(read(path, await lines(texts, signs), signs))
    text = "".join(part if isinstance(part, str) else part.ours or "" for part in parts)
    return text, [part for part in parts if isinstance(part, Clash)]


def read(path: str, merged: str, signs: int) -> Iterator[str | Clash]:
    """A merge in diff3 style, taken apart into text and clashes.

    Raises:
        ValueError: a clash is not closed.
    """
    marker = re.compile(rf"(<{{{signs}}}|\|{{{signs}}}|={{{signs}}}|>{{{signs}}})( .*)?\r?\n?")
    plain, sides = "", list[str]()
    for line in LINE.findall(merged):
        found = marker.fullmatch(line)
        if found is None and sides:
            sides[-1] += line
        elif found is None:
            plain += line
        elif line.startswith(">"):
            yield Clash(path, sides[1], sides[0], sides[2])
            sides = []
        else:
            yield plain
            plain = ""
            sides.append("")
    if sides:
        raise ValueError(f"a clash in {path!r} is never closed")
    yield plain
