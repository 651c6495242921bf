import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import documents
from harness.readers import table
from harness.readers.reading import Finding, Found

PROSE = (
    "A scheduler decides which of the waiting processes may run next, and for how long; then it waits. " * 3
)


def csv_of(rows: list[list[str]], delimiter: str = ",") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    return stream.getvalue()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path) -> tuple[list[Found], list[str]]:
    found = list(table.read(path, path.name))
    return [one for one in found if isinstance(one, Found)], [
        one.line for one in found if isinstance(one, Finding)
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_column_named_text_gives_a_document_a_row(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """Whatever delimiter and encoding, names in whatever case, quoted line ends and delimiters inside."""
    rows = [
        ["ID", "Année", "Text"],
        ["p1", "1999", f'a "quoted"\nline{delimiter} {PROSE}'],
        ["", "2000", f"é {PROSE}"],
    ]
    path = write(tmp_path / "a.csv", csv_of(rows, delimiter), encoding)
    found, notices = read(path)
    assert [(one.name, one.text) for one in found] == [("p1", rows[1][2]), ("a.csv:4", rows[2][2])]
    assert notices == ["the column 'Text' of 'a.csv' is read, one document a row"]


def test_the_longest_column_is_taken_where_none_is_named(tmp_path: Path) -> None:
    """Prose under another name is found by its length, with and without a header, and a notice says so."""
    body = [["1", PROSE + "one", "short"], ["2", PROSE + "two", ""]]
    found, notices = read(write(tmp_path / "a.csv", csv_of([["nr", "Gutachten", "note"], *body])))
    assert [one.text for one in found] == [PROSE + "one", PROSE + "two"]
    assert notices == ["the longest column, 'Gutachten', of 'a.csv' is read, one document a row"]
    found, notices = read(write(tmp_path / "b.csv", csv_of(body)))
    assert [one.text for one in found] == [PROSE + "one", PROSE + "two"]
    assert notices == ["the longest column, number 2, of 'b.csv' is read, one document a row"]


def test_a_table_of_figures_is_one_document(tmp_path: Path) -> None:
    """Without a column of texts the table is the text, header first; a .tsv has tabs whatever else it holds."""
    rows = [["city", "people"], *([f"town; {n}", str(n * 1000)] for n in range(60))]
    found, notices = read(write(tmp_path / "a.tsv", csv_of(rows, "\t")))
    assert [one.name for one in found] == ["a.tsv"]
    assert found[0].text.split("\n")[:2] == ["city | people", "town; 0 | 0"]
    assert notices[0].startswith("'a.tsv' is one document: no column is named text")
    assert documents.load(tmp_path).documents[0].name == "a.tsv"


def test_the_line_of_spreadsheets_names_the_delimiter(tmp_path: Path) -> None:
    """`sep=` in the first line is believed and is no row."""
    found, _ = read(write(tmp_path / "a.csv", f'sep=;\r\nid;text\r\nx;"a, b, {PROSE}"\r\n'))
    assert [(one.name, one.text) for one in found] == [("x", f"a, b, {PROSE}")]


def test_a_single_column_needs_no_delimiter(tmp_path: Path) -> None:
    """A file with one quoted column is read by rows."""
    found, _ = read(write(tmp_path / "a.csv", csv_of([["text"], [PROSE + "x, y"], [PROSE + "z"]])))
    assert [one.text for one in found] == [PROSE + "x, y", PROSE + "z"]


def test_rows_of_another_width_are_named(tmp_path: Path) -> None:
    """A row with an unquoted delimiter in its text is left out by its line, not cut in silence."""
    path = write(tmp_path / "a.csv", f"id,text\n1,{PROSE.replace(',', '')}\n2,{PROSE}\n3\n\n4,end\n")
    found, notices = read(path)
    assert [one.name for one in found] == ["1", "4"]
    assert [line.split(":")[1] for line in notices[1:]] == ["3", "4"]
    assert "5 cells where 2 belong" in notices[1]


@pytest.mark.parametrize(
    "raw", [("é" * 900).encode("cp1252"), b"id,text\n1,\0\n", b"text\n" + b"a" * 2_000_000 + b"\xff"]
)
def test_other_encodings_are_refused_as_a_whole(tmp_path: Path, raw: bytes) -> None:
    """A file with one wrong byte, wherever, gives no text and is named."""
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    assert read(path) == ([], ["skipped 'a.csv': not text in UTF-8; save it in that encoding"])


def test_an_endless_line_ends(tmp_path: Path) -> None:
    """A line without end, quoted or not, is left out with what follows; what comes before it stays."""
    for mark in ("", '"'):
        path = tmp_path / "a.csv"
        with path.open("w") as stream:
            stream.write(f"id,text\n1,{PROSE.replace(',', '')}\n2,{mark}")
            for _ in range(100):
                stream.write("word " * 50_000 + ("\n" if mark else ""))
        found, notices = read(path)
        assert [one.name for one in found] == ["1"]
        assert "is read up to line 2 only" in notices[-1]
    assert "is a quote not closed?" in notices[-1]


@pytest.mark.parametrize("text", ["", "\n\n\n", "text\n", ",,,\n,,\n", '"'])
def test_nothing_in_it_is_no_crash(tmp_path: Path, text: str) -> None:
    """Empty tables give no usable text."""
    found, _ = read(write(tmp_path / "a.csv", text))
    assert not any(len(one.text) > 200 for one in found)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12),
            min_size=2,
            max_size=2,
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], mark: str
) -> None:
    """Cells come back as they were written, if the header is clear."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    write(path, csv_of([["id", "text"], *([f"n{at}", row[1]] for at, row in enumerate(rows))], mark))
    found, _ = read(path)
    assert [one.text for one in found] == [row[1] for row in rows]
