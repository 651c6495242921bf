"""A .docx -> its text in the order of the document: paragraphs, lists, tables. Runs in the process of apart.py.

Walks the tree itself where python-docx passes over content: insertions under review, content controls, equations.
"""

import errno
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.readers.wire import ENOUGH, Extract

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement as Element

MOST_UNPACKED = 300_000_000  # bytes of all parts, pictures included
MOST_XML = 50_000_000
MOST_PARTS = 10_000
OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")
SKIPPED = frozenset(
    {"pPr", "rPr", "del", "moveFrom", "AlternateContent", "instrText", "delText", "tblPr", "tblGrid"}
)
SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
DAMAGED = "it is damaged or no .docx"


def extract(path: Path) -> Extract:
    """The text of a .docx; what cannot be had is a problem in words."""
    import docx
    from docx.opc.exceptions import OpcError

    try:
        if problem := _unsafe(path):
            return Extract(problem=problem)
        body = docx.Document(str(path)).element.body
    except (OpcError, SyntaxError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError):
        return Extract(problem=DAMAGED)
    except (AttributeError, NotImplementedError, RuntimeError):  # parts of another kind; zip's own encryption
        return Extract(problem=DAMAGED)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place in the archive that is none
            raise
        return Extract(problem=DAMAGED)
    if body is None:
        return Extract(problem=DAMAGED)
    text, size = list[str](), 0
    for block in _blocks(body):
        text.append(block)
        size += len(block)
        if size > ENOUGH:
            return Extract(text="\n\n".join(text)[:ENOUGH], more=True)
    return Extract(text="\n\n".join(text))


def _unsafe(path: Path) -> str:
    """Why a file is not to be opened: the sizes that its parts would have unpacked are looked at first."""
    with path.open("rb") as stream:
        if stream.read(len(OLD_OFFICE)) == OLD_OFFICE:
            return "it is encrypted, or an old .doc; save it as .docx without a password"
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    xml = max((one.file_size for one in parts if one.filename.endswith((".xml", ".rels"))), default=0)
    if len(parts) > MOST_PARTS or xml > MOST_XML or sum(one.file_size for one in parts) > MOST_UNPACKED:
        return f"it unpacks to more than {MOST_XML // 1_000_000} MB of text or {MOST_UNPACKED // 1_000_000} MB in all"
    return ""


def _blocks(parent: "Element") -> Iterator[str]:
    """Paragraphs and tables below an element, empty ones left out."""
    for child in parent:
        match _name(child):
            case "p":
                if text := _paragraph(child):
                    yield text
            case "tbl":
                if rows := [row for row in _rows(child) if row.strip(" |")]:
                    yield "\n".join(rows)
            case name if name not in SKIPPED:
                yield from _blocks(child)


def _rows(table: "Element") -> Iterator[str]:
    """A line a row, cells between bars."""
    for child in table:
        name = _name(child)
        if name == "tr":
            yield " | ".join(_cells(child))
        elif name not in SKIPPED:
            yield from _rows(child)


def _cells(row: "Element") -> Iterator[str]:
    for child in row:
        name = _name(child)
        if name == "tc":
            yield " ".join(" ".join(_blocks(child)).split())
        elif name in ("sdt", "sdtContent", "customXml", "ins"):
            yield from _cells(child)


def _paragraph(element: "Element") -> str:
    """What a paragraph says, without what a review took out; an item of a list begins with a dash."""
    text = "".join(_said(element)).strip()
    listed = any(_name(one) == "numPr" for part in element if _name(part) == "pPr" for one in part)
    return f"- {text}" if listed and text else text


def _said(element: "Element") -> Iterator[str]:
    for child in element:
        name = _name(child)
        if name == "t":
            yield child.text or ""
        elif name in SIGNS:
            yield SIGNS[name]
        elif name not in SKIPPED:
            yield from _said(child)


def _name(element: "Element") -> str:
    """The tag without its namespace; empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
