"""A file of JSON lines -> one text a line."""

import json
from collections.abc import Iterator
from pathlib import Path

from harness.readers.reading import NAME_KEYS, TEXT_KEYS, Finding, Found, Reading

MOST_LINE = 10_000_000


def read(path: Path, name: str) -> Iterator[Reading]:
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
        keys = ", ".join(f'"{key}"' for key in TEXT_KEYS)
        return Finding("bad line", f"skipped {place}: no string under {keys}")
    named = (record[key] for key in NAME_KEYS if isinstance(record.get(key), str | int) and record[key] != "")
    return Found(str(next(named, place)), text)
