"""A PDF -> the text of its first pages, as one would read it. Runs in the process of apart.py; no recognition of images."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.readers.wire import ENOUGH, Extract

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

MOST_PAGES = 500
LEAST = 10  # characters a page, on average: what is below has been scanned
PASSWORD = 4  # FPDF_ERR_PASSWORD
EDGE = 3
REPEATED = 3
LETTERS = 4
BREAK = "\x02"  # what PDFium writes for a hyphen that it joined two lines at
GARBAGE = re.compile(r"[\x00\x01\x03-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]")
MOST_GARBAGE = 0.2  # share of the characters: glyphs of a font that does not say which characters they are
LEADERS = re.compile(r"(?: ?[.·…_]){6,}")
SENTENCE_GOES_ON = re.compile(r"(?<![.!?:;])\n\n(?=[^\W\d_A-Z])")
NUMBER = re.compile(r"\d{1,5}")
PAGE_NUMBER = re.compile(
    r"[^\w]*(?:page |p\. ?|seite )?(?:\d{1,5}|[ivxlc]{1,7})(?: ?(?:of|/|von|-) ?\d{1,5})?[^\w]*"
)
JOINED = re.compile(rf"(\w+){BREAK}(\w+)")


def extract(path: Path) -> Extract:
    """The text of a PDF; what cannot be had is a problem in words."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == PASSWORD:
            return Extract(problem="it is encrypted; save it without a password")
        return Extract(problem="it is damaged or no PDF")
    try:
        total = len(document)
        pages = list(_pages(document))
    finally:
        document.close()
    size = sum(map(len, pages))
    if not pages:
        return Extract(problem="it is damaged: no page of it can be read")
    if size < LEAST * len(pages):
        first = f"no text layer on its first {len(pages)} pages"
        return Extract(problem=f"{first}; recognise its text first, for instance with ocrmypdf")
    if sum(len(GARBAGE.findall(page)) for page in pages) > MOST_GARBAGE * size:
        return Extract(
            problem="its text layer is no readable text; recognise it anew, for instance with ocrmypdf"
        )
    return Extract(text=_whole(pages), more=len(pages) < total)


def _pages(document: "PdfDocument") -> Iterator[str]:
    """The text of page after page until it is more than a document may hold; unreadable pages are passed over."""
    from pypdfium2 import PdfiumError

    size = 0
    for number in range(min(MOST_PAGES, len(document))):
        try:
            page = document[number]
            text = page.get_textpage().get_text_bounded()[:ENOUGH]
            page.close()
        except PdfiumError:
            continue
        yield text.replace("\ufffe", BREAK).replace("\r\n", "\n").replace("\r", "")
        size += len(text)
        if size > ENOUGH:
            return


def _whole(pages: list[str]) -> str:
    """All pages as one text, without what is printed on every page and without hyphens that ended lines."""
    bodies = without_margins([page.split("\n") for page in pages])
    text = "\n\n".join(filter(None, ("\n".join(lines).strip() for lines in bodies)))
    text = SENTENCE_GOES_ON.sub("\n", text)
    return LEADERS.sub(" … ", unhyphenated(text))


def without_margins(pages: list[list[str]]) -> list[list[str]]:
    """Pages without page numbers and without the running titles that stand first or last on three pages or more.

    A running title stays where it is met first, since that may be the document's own title. A number in it may grow
    with the pages.
    """
    edges = Counter(key for at, lines in enumerate(pages) for key in {*_edge_keys(at, lines)})
    running = {key for key, times in edges.items() if times >= REPEATED}
    met: set[str] = set()
    return [_trimmed(at, lines, running, met) for at, lines in enumerate(pages)]


def _trimmed(at: int, lines: list[str], running: set[str], met: set[str]) -> list[str]:
    """Page `at` without its margins; `met` grows by the titles seen."""
    first, last = 0, len(lines)
    kept: list[str] = []
    while first < min(EDGE, last) and _margin(at, lines[first], running):
        keys = running.intersection(_keys(at, lines[first]))
        if keys and not keys & met:
            kept.append(lines[first])
        met |= keys
        first += 1
    while last > max(first, len(lines) - EDGE) and _margin(at, lines[last - 1], running):
        last -= 1
    return kept + lines[first:last]


def _edge_keys(at: int, lines: list[str]) -> Iterator[str]:
    for line in lines[:EDGE] + lines[EDGE:][-EDGE:]:
        yield from _keys(at, line)


def _keys(at: int, line: str) -> Iterator[str]:
    """What is the same for a running title on every page: the line, or the line with a number relative to the page.

    Nothing for short lines, which are more likely brackets and bullets.
    """
    plain = " ".join(line.casefold().split())
    if sum(one.isalpha() for one in plain) < LETTERS:
        return
    yield plain
    for number in NUMBER.finditer(plain):
        yield f"{plain[: number.start()]}{int(number[0]) - at:+}{plain[number.end() :]}"


def _margin(at: int, line: str, running: set[str]) -> bool:
    plain = " ".join(line.casefold().split())
    return not plain or bool(PAGE_NUMBER.fullmatch(plain)) or not running.isdisjoint(_keys(at, line))


def unhyphenated(text: str) -> str:
    """Words that a line end divided are whole again; the hyphen stays where the same text writes it inside a line."""
    known = set(re.findall(r"\w+-\w+", text.casefold()))

    def join(match: re.Match[str]) -> str:
        hyphened = f"{match[1]}-{match[2]}"
        return hyphened if hyphened.casefold() in known else match[1] + match[2]

    return JOINED.sub(join, text).replace(BREAK, "-")
