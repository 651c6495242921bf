"""A file of plain text -> its beginning."""

from pathlib import Path

from harness.readers.reading import Found, Reading, decoded, not_text

MOST = 1_000_000  # bytes read: far more than is used of them


def read(path: Path, name: str) -> Reading:
    """The text, or as much of it as can be of use."""
    with path.open("rb") as stream:
        raw = stream.read(MOST + 1)
    more = len(raw) > MOST
    text = decoded(raw[:MOST], more)
    return not_text(name) if text is None else Found(name, text, more)
