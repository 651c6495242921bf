"""What reading a file gives: texts as they stand in it and findings; and bytes -> text. Knows no format."""

import codecs
from dataclasses import dataclass
from pathlib import Path

TEXT_KEYS = ("text", "content", "body", "article", "passage", "abstract")
NAME_KEYS = ("id", "name", "title")
PIECE = 1 << 20
MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


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


def encoding_of(start: bytes) -> str:
    """UTF-16 where the first bytes say so, else UTF-8, with or without a byte order mark."""
    return next((name for mark, name in MARKS if start.startswith(mark)), "utf-8-sig")


def decoded(raw: bytes, more: bool) -> str | None:
    """Text of UTF-8 bytes, or of UTF-16 with its mark; a last broken character is forgiven if there is `more`.
    None for anything else."""
    try:
        text = codecs.getincrementaldecoder(encoding_of(raw))().decode(raw, final=not more)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def encoding_throughout(path: Path) -> str | None:
    """The encoding of a whole file, read piece by piece; None if it is not text in UTF-8 or in marked UTF-16."""
    with path.open("rb") as stream:
        piece = stream.read(PIECE)
        encoding = encoding_of(piece)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while piece:
                if "\0" in decoder.decode(piece):
                    return None
                piece = stream.read(PIECE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return encoding


def not_text(name: str) -> Finding:
    """The finding about a file of bytes that are no text."""
    return Finding("unreadable", f"skipped {name!r}: not text in UTF-8; save it in that encoding")
