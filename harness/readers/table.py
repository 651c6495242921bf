"""A .csv or .tsv -> one text a row where a column holds texts, else the whole table as one text."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from harness.readers.reading import (
    NAME_KEYS,
    TEXT_KEYS,
    Finding,
    Found,
    Reading,
    encoding_throughout,
    not_text,
)

DELIMITERS = (",", ";", "\t", "|")
MOST_LINE = 10_000_000  # characters; also the most that a quoted cell may hold
MOST_TABLE = 100_000  # characters of a table that is one text
SAMPLE = 100  # rows that decide on delimiter and columns
SAMPLE_TEXT = 200_000
LONG = 200  # characters: a column whose cells have as many on average holds texts
LONGEST_NAME = 100
NUMBER = re.compile(r"[-+]?[\d.,]+%?")


class NoRow(Exception):
    """A line that is too long for a row of any table."""


@dataclass(frozen=True)
class Row:
    """A row and the line that it ends at, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Columns:
    """Which columns are used, by index. text: None if no column holds texts. header: the first row is one."""

    header: bool
    width: int
    text: int | None
    name: int | None
    label: str


def read(path: Path, name: str) -> Iterator[Reading]:
    """The texts of a table, in UTF-8 or in UTF-16 with its mark."""
    encoding = encoding_throughout(path)
    if encoding is None:
        yield not_text(name)
        return
    csv.field_size_limit(max(csv.field_size_limit(), MOST_LINE))
    with path.open(encoding=encoding, newline="") as stream:
        rows = _rows(stream, "\t" if path.suffix.lower() == ".tsv" else delimiter(stream), name)
        first = list(islice(rows, SAMPLE))
        sample = [row.cells for row in first if isinstance(row, Row)]
        columns = columns_of(sample) if sample else Columns(False, 0, None, None, "")
        if columns.text is None:
            yield from _whole(chain(first, rows), name)
            return
        yield Finding("table", f"{columns.label} of {name!r} is read, one document a row")
        for row in islice(chain(first, rows), int(columns.header), None):
            yield _text(row, columns, name) if isinstance(row, Row) else row


def _text(row: Row, columns: Columns, name: str) -> Reading:
    """The text of one row; a row of another width is named, since its cells are not where they should be."""
    assert columns.text is not None
    cells, place = row.cells, f"{name}:{row.line}"
    if not columns.text < len(cells) <= columns.width:
        why = f"{len(cells)} cells where {columns.width} belong; put cells with a delimiter into quotes"
        return Finding("bad line", f"skipped {place}: {why}")
    named = cells[columns.name].strip() if columns.name is not None and columns.name < len(cells) else ""
    return Found(named or place, cells[columns.text])


def _whole(rows: Iterator[Row | Finding], name: str) -> Iterator[Reading]:
    """The table as one text: a line a row, cells between bars."""
    lines, size, more = list[str](), 0, False
    for row in rows:
        if isinstance(row, Finding):
            yield row
            continue
        lines.append(" | ".join(" ".join(cell.split()) for cell in row.cells))
        size += len(lines[-1])
        if more := size > MOST_TABLE:
            break
    if lines:
        yield Finding("table", f"{name!r} is one document: no column is named {' or '.join(TEXT_KEYS)}")
    yield Found(name, "\n".join(lines)[:MOST_TABLE], more)


def columns_of(rows: list[list[str]]) -> Columns:
    """The columns of a table, from its first rows: by their names, else the one with the longest cells.

    rows: at least one.
    """
    heads = [cell.strip() for cell in rows[0]]
    lower = [head.casefold() for head in heads]
    text = next((lower.index(key) for key in TEXT_KEYS if key in lower), None)
    name = next((lower.index(key) for key in NAME_KEYS if key in lower), None)
    if text is not None:
        return Columns(True, len(heads), text, name, f"the column {heads[text]!r}")
    header = len(rows) > 1 and _names(heads)
    body = rows[1:] if header else rows
    lengths = [_mean([len(row[at]) for row in body if at < len(row)]) for at in range(len(heads))]
    longest = max(range(len(heads)), key=lengths.__getitem__)
    if lengths[longest] < LONG:
        return Columns(header, len(heads), None, None, "")
    which = repr(heads[longest]) if header else f"number {longest + 1}"
    return Columns(header, len(heads), longest, name if header else None, f"the longest column, {which},")


def _names(heads: list[str]) -> bool:
    """Whether the cells of a first row look like names of columns: short, different, no numbers."""
    return len(set(heads)) == len(heads) and all(
        0 < len(head) <= LONGEST_NAME and not NUMBER.fullmatch(head) for head in heads
    )


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def delimiter(stream: TextIO) -> str:
    """The delimiter under which the first rows agree best on a width of at least two, or what `sep=` says; else a comma.

    The stream is left at its beginning, or after the line with `sep=`.
    """
    sample = stream.read(SAMPLE_TEXT)
    if said := re.match(r"sep=(.)\r?\n", sample):
        stream.seek(0)
        stream.readline()
        return said[1]
    stream.seek(0)
    whole = len(sample) < SAMPLE_TEXT
    lines = sample.splitlines(keepends=True)[: None if whole else -1]
    return max(DELIMITERS, key=lambda one: _agreement(lines, one))


def _agreement(lines: list[str], delimiter: str) -> tuple[float, int, int]:
    """The share of rows that are as wide as the first, the quotes left in cells, negative, and that width.

    A wrong delimiter cuts through quoted cells. Nothing for a single column.
    """
    try:
        rows = [row for row in islice(csv.reader(lines, delimiter=delimiter), SAMPLE) if row]
    except csv.Error:
        return 0.0, 0, 0
    if not rows or len(rows[0]) < 2:
        return 0.0, 0, 0
    share = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
    return share, -sum(cell.count('"') for row in rows for cell in row), len(rows[0])


def _rows(stream: TextIO, delimiter: str, name: str) -> Iterator[Row | Finding]:
    """Every row that is not empty; the last is a finding if the rest cannot be read."""
    reader, read_to = csv.reader(_lines(stream), delimiter=delimiter), 0
    why = f"comes a cell of more than {MOST_LINE:,} characters; is a quote not closed?"
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(reader.line_num, cells)
            read_to = reader.line_num
        return
    except NoRow:
        why = f"comes a line of more than {MOST_LINE:,} characters"
    except csv.Error:
        pass
    yield Finding("bad line", f"{name!r} is read up to line {read_to:,} only: after it {why}")


def _lines(stream: TextIO) -> Iterator[str]:
    while line := stream.readline(MOST_LINE):
        if len(line) == MOST_LINE and not line.endswith(("\n", "\r")):
            raise NoRow
        yield line
