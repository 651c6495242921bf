"""A page of HTML -> the text that a browser would show."""

from html.parser import HTMLParser
from pathlib import Path

from harness.readers.reading import Finding, Found, Reading, decoded, not_text

MOST = 10_000_000
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


def read(path: Path, name: str) -> Reading:
    """What a page shows; one too long to be a document is a finding."""
    if path.stat().st_size > MOST:
        return Finding("unreadable", f"skipped {name!r}: a page of more than {MOST:,} bytes")
    source = decoded(path.read_bytes(), more=False)
    if source is None:
        return not_text(name)
    try:
        return Found(name, visible_text(source))
    except AssertionError as error:  # html.parser's answer to declarations it does not know
        return Finding("unreadable", f"skipped {name!r}: {error}")


def visible_text(html: str) -> str:
    """What a browser would show of a page: one line a block, an empty line between paragraphs.

    Raises:
        AssertionError: the page holds a declaration that `html.parser` refuses.
    """
    page = _Page()
    page.feed(html)
    page.close()
    return page.text()


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
