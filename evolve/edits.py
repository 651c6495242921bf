"""The edit language: what an implementer writes to change files, parsed and applied. Pure; no scope here.

    SUMMARY: one line
    FILE: path        then one or more  <<<<<<< SEARCH / ======= / >>>>>>> REPLACE  blocks
    WRITE: path       then one          <<<<<<< CONTENT / >>>>>>> END  block: the whole file, new or replaced
    DELETE: path

Markers stand alone on a line and have seven or more signs. All markers of a block have the same length, so a
text that holds marker lines of its own is written with longer ones. Directives inside a block are text.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST_REPLY = 1_000_000
LONGEST_SUMMARY = 300
LONGEST_SEARCH = 400
CLOSING = {"SEARCH": "REPLACE", "CONTENT": "END"}

DIRECTIVE = re.compile(r"^[#>*\-\s`]*(SUMMARY|FILE|WRITE|DELETE)[*`]*:[*`\s]*(.*?)[*`\s]*$")
OPENING = re.compile(r"^(<{7,}) ?(SEARCH|CONTENT)\s*$")
STRAY = re.compile(r"^>{7,} ?(REPLACE|END)\s*$")
FENCE = re.compile(r"^(`{3,}|~{3,})[\w+-]*\s*$")


class BadEdit(ValueError):
    """An edit that cannot be read or applied; the message is written for the model that has to repair it."""


@dataclass(frozen=True)
class Replace:
    """Put `replacement` where `search` stands; `search` must stand in the file exactly once."""

    path: str
    search: str
    replacement: str


@dataclass(frozen=True)
class Write:
    """The whole file, new or replaced."""

    path: str
    text: str


@dataclass(frozen=True)
class Delete:
    """The file goes."""

    path: str


Change = Replace | Write | Delete


@dataclass(frozen=True)
class Edits:
    """What one reply asks for: at least one change, in the order they are applied, and one line on them."""

    summary: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class _Directive:
    line: int
    name: str
    value: str


@dataclass(frozen=True)
class _Block:
    """A marked block; `signs` is the length of its markers."""

    line: int
    kind: str
    lines: tuple[str, ...]
    signs: int


def parse_edits(text: str) -> Edits:
    """Read the edits of a reply. Prose and code fences around directives and blocks are ignored.

    Raises:
        BadEdit: no edit, no summary, a block without its file or without its closing marker.
    """
    if len(text) > LONGEST_REPLY:
        raise BadEdit(f"the reply has {len(text)} characters; at most {LONGEST_REPLY} are read")
    lines = _without_thoughts(text.replace("\r\n", "\n")).split("\n")
    tokens = list(_tokens(lines))
    summary = next((one.value for one in tokens if isinstance(one, _Directive) and one.name == "SUMMARY"), "")
    changes = tuple(_changes(tokens))
    if not changes:
        raise BadEdit("the reply holds no edit: no FILE with a SEARCH block, no WRITE, no DELETE")
    if not summary:
        raise BadEdit("the reply has no line 'SUMMARY: ...' that says what the edits change")
    return Edits(" ".join(summary.split())[:LONGEST_SUMMARY], changes)


def apply_edits(files: Mapping[str, str], edits: Edits) -> dict[str, str]:
    """The files after the edits, applied in order; the input is left alone.

    Raises:
        BadEdit: a search text that does not stand in its file exactly once, a file that is not there, a path
            written twice. The message names the file, the search text and the nearest text in the file.
    """
    result = dict(files)
    written: set[str] = set()
    for change in edits.changes:
        if isinstance(change, Write):
            if change.path in written:
                raise BadEdit(f"{change.path!r} is written twice; send one WRITE for it")
            written.add(change.path)
            result[change.path] = change.text
            continue
        if change.path not in result:
            known = ", ".join(sorted(result))
            raise BadEdit(f"there is no file {change.path!r}; WRITE makes a new one. The files are {known}")
        if isinstance(change, Delete):
            del result[change.path]
        else:
            result[change.path] = _replaced(result[change.path], change)
    return result


def _without_thoughts(text: str) -> str:
    """The text after a leading <think> section, which some models print before their answer."""
    if not text.lstrip().startswith("<think>"):
        return text
    return text.partition("</think>")[2]


def _tokens(lines: list[str]) -> Iterator[_Directive | _Block]:
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if opening := OPENING.match(line):
            block = _block(lines, number, len(opening[1]), opening[2])
            number += len(block.lines) + 1
            yield block
        elif STRAY.match(line):
            raise BadEdit(f"line {number}: {line!r} closes a block that was never opened")
        elif directive := DIRECTIVE.match(line):
            yield _directive(lines, number, directive[1], directive[2])
            if directive[1] == "WRITE" and (fenced := _fenced(lines, number)):
                number = fenced.line + len(fenced.lines) + 1
                yield fenced


def _directive(lines: list[str], number: int, name: str, value: str) -> _Directive:
    """A directive; a summary may stand on the line below its name."""
    if name == "SUMMARY" and not value and number < len(lines):
        value = lines[number].strip()
    if name != "SUMMARY":
        value = value.strip("\"'").removeprefix("./")
        if not value:
            raise BadEdit(f"line {number}: {name} without a path")
    return _Directive(number, name, value)


def _block(lines: list[str], start: int, signs: int, kind: str) -> _Block:
    """The block whose opening marker is line `start` (counted from one)."""
    closing = re.compile(rf"^>{{{signs}}} ?{CLOSING[kind]}\s*$")
    for end in range(start, len(lines)):
        if closing.match(lines[end]):
            return _Block(start, kind, tuple(lines[start:end]), signs)
    raise BadEdit(f"line {start}: the {kind} block is never closed by {'>' * signs} {CLOSING[kind]}")


def _fenced(lines: list[str], start: int) -> _Block | None:
    """A whole file in a code fence instead of CONTENT markers; the last such fence before more edits ends it."""
    first = next((at for at in range(start, len(lines)) if lines[at].strip()), len(lines))
    fence = FENCE.match(lines[first]) if first < len(lines) else None
    if fence is None:
        return None
    end = 0
    for at in range(first + 1, len(lines)):
        if OPENING.match(lines[at]) or DIRECTIVE.match(lines[at]):
            break
        if lines[at].rstrip() == fence[1]:
            end = at
    if not end:
        raise BadEdit(
            f"line {first + 1}: the fence is never closed by {fence[1]}; use CONTENT markers instead"
        )
    return _Block(first + 1, "CONTENT", tuple(lines[first + 1 : end]), 0)


def _changes(tokens: list[_Directive | _Block]) -> Iterator[Change]:
    """Pair every block with the file named before it."""
    target: _Directive | None = None
    served = True
    for token in tokens:
        if isinstance(token, _Block):
            if target is None:
                raise BadEdit(f"line {token.line}: no 'FILE: path' or 'WRITE: path' stands before the block")
            served = True
            yield _change(target.value, token)
            target = None if token.kind == "CONTENT" else target
        elif token.name != "SUMMARY":
            _expect(served, target)
            target, served = (None, True) if token.name == "DELETE" else (token, False)
            if token.name == "DELETE":
                yield Delete(token.value)
    _expect(served, target)


def _expect(served: bool, target: _Directive | None) -> None:
    if not served and target is not None:
        raise BadEdit(f"line {target.line}: {target.name}: {target.value} is followed by no block")


def _change(path: str, block: _Block) -> Change:
    if block.kind == "CONTENT":
        body = "\n".join(block.lines)
        return Write(path, body + "\n" if body else "")
    middle = "=" * block.signs
    cuts = [number for number, line in enumerate(block.lines) if line.rstrip() == middle]
    if len(cuts) != 1:
        raise BadEdit(
            f"line {block.line}: the SEARCH block for {path!r} holds {len(cuts)} lines {middle!r} and needs one;"
            " if the text itself holds such a line, write all three markers of the block one sign longer"
        )
    search = "\n".join(block.lines[: cuts[0]])
    if not search.strip():
        raise BadEdit(f"line {block.line}: empty search text for {path!r}; use WRITE to give a whole file")
    return Replace(path, search, "\n".join(block.lines[cuts[0] + 1 :]))


def _replaced(text: str, change: Replace) -> str:
    found = text.count(change.search)
    search = change.search
    if found == 0:
        close = _ignoring_line_ends(text, search)
        found, search = len(close), close[0] if len(close) == 1 else search
    if found != 1:
        raise BadEdit(_not_once(text, change, found))
    before, _, after = text.partition(search)
    whole_lines = (not before or before.endswith("\n")) and after.startswith("\n")
    return before + change.replacement + (after[1:] if whole_lines and not change.replacement else after)


def _ignoring_line_ends(text: str, search: str) -> list[str]:
    """The stretches of whole lines that equal the search text but for blanks at line ends."""
    lines, wanted = text.split("\n"), [line.rstrip() for line in search.split("\n")]
    starts = range(len(lines) - len(wanted) + 1)
    stretches = (lines[at : at + len(wanted)] for at in starts)
    return ["\n".join(one) for one in stretches if [line.rstrip() for line in one] == wanted]


def _not_once(text: str, change: Replace, found: int) -> str:
    shown = change.search[:LONGEST_SEARCH]
    if found > 1:
        return (
            f"{change.path!r}: the search text stands there {found} times; add lines around it until it is"
            f" unique.\nSearch text:\n{shown}"
        )
    missing = f"{change.path!r}: the search text does not stand there."
    return f"{missing}\nSearch text:\n{shown}\n{_nearest(text, change)}"


def _nearest(text: str, change: Replace) -> str:
    """The lines of the file around the one most like the longest line of the search text; at most eight."""
    lines, wanted = text.split("\n"), change.search.split("\n")
    anchor = max(range(len(wanted)), key=lambda at: len(wanted[at].strip()))
    close = difflib.get_close_matches(wanted[anchor][:LONGEST_SEARCH], lines, n=1, cutoff=0.3)
    if not close:
        return "Nothing like it is in the file; copy the text from the file exactly as it is now."
    first = max(0, lines.index(close[0]) - min(anchor, 4))
    stretch = "\n".join(lines[first : first + min(len(wanted), 8)])[: 4 * LONGEST_SEARCH]
    return f"Nearest text in the file, from line {first + 1}:\n{stretch}"
