"""The default documents: what the modules of the running Python's standard library say about themselves.

Docstrings and comments, read from the installed sources at run time. One pattern finds them, which takes a
thirtieth of the time of `ast` and `tokenize`; nothing is compiled or imported.
"""

import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError

SHORTEST = 3_000
LONGEST = 40_000
EXCLUDED = frozenset(
    {
        *("test", "tests", "idlelib", "turtledemo", "lib2to3", "site-packages", "dist-packages"),
        *("encodings", "pydoc_data", "entities", "_casefix"),  # tables
    }
)
# One token can hide the beginning of another: triple quotes come before quotes, strings before comments.
TOKEN = re.compile(
    r"""
      (?P<opening>^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+)
    | (?P<docstring>^[ \t]*[rRuU]?(?:\"{3}.*?\"{3} | '{3}.*?'{3}))
    | (?P<line>^[ \t]*[rRuU]?(?:"(?:\\.|[^"\\\n])+" | '(?:\\.|[^'\\\n])+')(?=[ \t]*$))
    | \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    | (?P<comment>\#[^\n]*)
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
ORDERS_TO_TOOLS = re.compile(r"!|[ \t]*(-\*-|type:|noqa|pragma|pylint|fmt:|vim?:|XXX$)")


@dataclass(frozen=True)
class Passage:
    """One docstring or one run of comment lines. `line` is where it ends; `heading`: what it documents."""

    text: str
    line: int
    comment: bool
    heading: str = ""


def modules(root: Path | None = None) -> list[tuple[str, str]]:
    """Dotted name and documentation of each module with 3,000 to 40,000 characters of it, in order of name.

    root: the folder of the library's sources; that of the running Python by default.

    Raises:
        UsageError: there are no such modules, as in installations that ship without sources.
    """
    folder = Path(sysconfig.get_path("stdlib")) if root is None else root
    found = [(_name(path.relative_to(folder)), documentation(_read(path))) for path in _sources(folder)]
    kept = sorted((name, text) for name, text in found if SHORTEST <= len(text) <= LONGEST)
    if not kept:
        raise UsageError(
            f"no sources of Python's standard library in {str(folder)!r}, so there are no default documents; "
            "name your own folder or file with --docs"
        )
    return kept


def documentation(source: str) -> str:
    """Docstrings and comments of one module as paragraphs in source order, each under what it documents."""
    paragraphs = []
    for passage in _joined(_passages(source)):
        text = _trimmed(passage)
        if any(mark.isalpha() for mark in text) and (not passage.comment or len(text.split()) > 3):
            paragraphs.append(f"{passage.heading}\n{text}" if passage.heading else text)
    return "\n\n".join(paragraphs)


def _sources(folder: Path) -> Iterator[Path]:
    """Python files below `folder`, leaving out tests, tables and what others installed."""
    for path in sorted(folder.glob("*")):
        if path.is_dir() and path.name.isidentifier() and path.name not in EXCLUDED:
            yield from _sources(path)
        elif path.suffix == ".py" and path.stem.isidentifier() and path.stem not in EXCLUDED:
            yield path


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _passages(source: str) -> Iterator[Passage]:
    line, last, heading = 1, 0, ""
    for match in TOKEN.finditer(source):
        line += source.count("\n", last, match.end())
        last = match.end()
        token = match.group().strip()
        if match.lastgroup == "opening":
            heading = " ".join(token.split())
        elif match.lastgroup == "docstring":
            yield Passage(token.lstrip("rRuU")[3:-3], line, False, heading)
            heading = ""
        elif match.lastgroup == "line" and heading:
            yield Passage(token.lstrip("rRuU")[1:-1], line, False, heading)
            heading = ""
        elif match.lastgroup == "comment" and not ORDERS_TO_TOOLS.match(token[1:]):
            yield Passage(token.lstrip("#:"), line, True)


def _joined(passages: Iterator[Passage]) -> list[Passage]:
    """Comments on successive lines become one passage."""
    joined: list[Passage] = []
    for one in passages:
        before = joined[-1] if joined else None
        if before is not None and one.comment and before.comment and one.line == before.line + 1:
            joined[-1] = Passage(f"{before.text}\n{one.text}", one.line, True)
        else:
            joined.append(one)
    return joined


def _trimmed(passage: Passage) -> str:
    """The text without the margin its lines share and without lines that only draw a rule."""
    first, *rest = passage.text.expandtabs().split("\n")
    indented = [first, *rest] if passage.comment else rest
    margin = min((len(line) - len(line.lstrip()) for line in indented if line.strip()), default=0)
    lines = [first.strip() if not passage.comment else first[margin:], *(line[margin:] for line in rest)]
    words = (line.rstrip() for line in lines)
    return "\n".join(line for line in words if not line or line.strip("-=#*~_+ ")).strip()
