"""One file -> the texts in it. One function a format; what cannot be read is a finding with its name."""

import codecs
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from harness.errors import UsageError

PLAIN = frozenset({".txt", ".md", ".rst"})
HTML = frozenset({".html", ".htm"})
MOST_TEXT = 1_000_000  # bytes read of a plain file: far more than is used of it
MOST_HTML = 10_000_000
MOST_LINE = 10_000_000
HIDDEN = frozenset({"script", "style", "template", "title", "noscript", "svg", "textarea", "select"})
PARAGRAPHS = frozenset(
    {
        *("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "ol", "ul", "dl", "table"),
        *("article", "section", "blockquote", "figure"),
    }
)
BLOCKS = PARAGRAPHS | {
    *("address", "aside", "body", "br", "dd", "div", "dt", "fieldset", "figcaption", "footer", "form"),
    *("header", "hr", "li", "main", "nav", "summary", "tr"),
}
TEXT_KEYS = ("text", "content", "body")
NAME_KEYS = ("id", "name", "title")


@dataclass(frozen=True)
class Found:
    """A text as it stands in its source. `more`: the source goes on after it."""

    name: str
    text: str
    more: bool = False


@dataclass(frozen=True)
class Finding:
    """Something left out or changed: its kind, for counting, and one line for people."""

    kind: str
    line: str


Reading = Found | Finding


def read(path: Path, name: str, *, named: bool) -> Iterator[Reading]:
    """The texts of one file. `named`: the user named this very file, so failing to read it is an error.

    Raises:
        UsageError: a file the user named is not there, is unreadable or of no known kind.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield _refused(name, "not a regular file", named)
        elif path.suffix.lower() == ".jsonl":
            yield from _lines(path, name)
        elif path.suffix.lower() in PLAIN:
            yield _plain(path, name)
        elif path.suffix.lower() in HTML:
            yield _html(path, name)
        else:
            yield _refused(name, "not one of .txt .md .rst .html .jsonl", named)
    except OSError as error:
        yield _refused(name, error.strerror or "unreadable", named)


def visible_text(html: str) -> str:
    """What a browser would show of a page: one line a block, an empty line between paragraphs.

    Raises:
        AssertionError: the page holds a declaration that `html.parser` refuses.
    """
    page = _Page()
    page.feed(html)
    page.close()
    return page.text()


def _refused(name: str, why: str, named: bool) -> Finding:
    if named:
        raise UsageError(f"cannot read documents from {name!r}: {why}")
    return Finding("unreadable", f"skipped {name!r}: {why}")


def _plain(path: Path, name: str) -> Reading:
    with path.open("rb") as stream:
        raw = stream.read(MOST_TEXT + 1)
    more = len(raw) > MOST_TEXT
    text = _decoded(raw[:MOST_TEXT], more)
    return _not_text(name) if text is None else Found(name, text, more)


def _html(path: Path, name: str) -> Reading:
    if path.stat().st_size > MOST_HTML:
        return Finding("unreadable", f"skipped {name!r}: a page of more than {MOST_HTML:,} bytes")
    source = _decoded(path.read_bytes(), more=False)
    if source is None:
        return _not_text(name)
    try:
        return Found(name, visible_text(source))
    except AssertionError as error:  # html.parser's answer to declarations it does not know
        return Finding("unreadable", f"skipped {name!r}: {error}")


def _decoded(raw: bytes, more: bool) -> str | None:
    """Text of UTF-8 bytes, a last broken character forgiven if there is `more`; None for anything else."""
    if b"\0" in raw:
        return None
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(raw, final=not more)
    except UnicodeDecodeError:
        return None


def _not_text(name: str) -> Finding:
    return Finding("unreadable", f"skipped {name!r}: not text in UTF-8")


def _lines(path: Path, name: str) -> Iterator[Reading]:
    """One document a line of JSON."""
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(MOST_LINE + 1):
            number += 1
            if len(line) > MOST_LINE:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MOST_LINE)
                yield Finding("bad line", f"skipped {name!r} line {number}: longer than {MOST_LINE:,} bytes")
            elif line.strip(b"\xef\xbb\xbf \t\r\n"):
                yield _record(line, f"{name}:{number}")


def _record(line: bytes, place: str) -> Reading:
    """One line's document; `place` is file and line number, for people."""
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return Finding("bad line", f"skipped {place}: not JSON in UTF-8 ({str(error)[:80]})")
    if not isinstance(record, dict):
        return Finding("bad line", f"skipped {place}: a JSON {type(record).__name__}, not an object")
    text = next((record[key] for key in TEXT_KEYS if isinstance(record.get(key), str)), None)
    if text is None:
        return Finding("bad line", f'skipped {place}: no string under "text", "content" or "body"')
    named = (record[key] for key in NAME_KEYS if isinstance(record.get(key), str | int) and record[key] != "")
    return Found(str(next(named, place)), text)


class _Page(HTMLParser):
    """Collects visible text; white space as a browser has it, kept only inside <pre>."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._paragraphs: list[str] = []
        self._line: list[str] = []
        self._hidden = 0
        self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._block(tag)
        self._hidden += tag in HIDDEN
        self._pre += tag == "pre"
        if tag == "li" and not self._hidden:
            self._line.append("- ")
        elif tag in ("td", "th") and any(part.strip() for part in self._line):
            self._line.append(" | ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._block(tag)

    def handle_endtag(self, tag: str) -> None:
        self._block(tag)
        self._hidden = max(0, self._hidden - (tag in HIDDEN))
        self._pre = max(0, self._pre - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._line.append(data if self._pre else " ".join(f".{data}.".split())[1:-1])

    def text(self) -> str:
        self._flush()
        return "\n".join(self._paragraphs).strip()

    def _block(self, tag: str) -> None:
        if tag in BLOCKS:
            self._flush()
        if tag in PARAGRAPHS and self._paragraphs and self._paragraphs[-1]:
            self._paragraphs.append("")

    def _flush(self) -> None:
        line = "".join(self._line)
        self._line.clear()
        if line.strip(" \n-"):
            self._paragraphs.append(line.strip("\n") if self._pre else line.strip())
