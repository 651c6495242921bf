from pathlib import Path

import pytest
from pdf_files import content, deflated_bomb, write_encrypted, write_nested_forms, write_pdf, write_streams

from harness import documents
from harness.errors import UsageError
from harness.readers import pdf
from harness.readers.apart import Apart

pytest.importorskip("pypdfium2")

LINES = [f"Line {number} says that a scheduler decides which process may run next." for number in range(12)]


def text_of(path: Path) -> str:
    return documents.load(path).documents[0].text


def test_pages_are_read_in_order(tmp_path: Path) -> None:
    """The text of all pages in their order, a line a line."""
    path = write_pdf(tmp_path / "a.pdf", [["First page.", *LINES], ["Second page.", *LINES]])
    assert text_of(path) == "\n".join(["First page.", *LINES]) + "\n\n" + "\n".join(["Second page.", *LINES])
    assert documents.load(path).notices == ()


def test_running_titles_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    """What stands at the edge of three pages or more is kept once, page numbers never; the same line inside stays."""
    pages = [
        [
            "On Scheduling",
            f"Table {at * at} begins.",
            *LINES[:6],
            "On Scheduling",
            *LINES[6:],
            f"Page {at} of 4",
        ]
        for at in range(1, 5)
    ]
    lines = text_of(write_pdf(tmp_path / "a.pdf", pages)).split("\n")
    assert lines[0] == "On Scheduling"
    assert lines.count("On Scheduling") == 1 + 4
    assert not any(line.startswith("Page ") for line in lines)
    assert [line for line in lines if line.startswith("Table")] == [
        f"Table {at * at} begins." for at in range(1, 5)
    ]


def test_hyphens_of_line_ends_are_taken_out(tmp_path: Path) -> None:
    """A divided word is whole again; a compound keeps the hyphen that the text gives it elsewhere."""
    lines = ["The manage-", "ment of a well-", "known lock, and of well-known queues.", *LINES]
    text = text_of(write_pdf(tmp_path / "a.pdf", [lines]))
    assert "The management of a well-known lock" in text


def test_a_sentence_goes_on_over_the_page(tmp_path: Path) -> None:
    """Pages are paragraphs apart, unless a sentence goes on."""
    path = write_pdf(tmp_path / "a.pdf", [[*LINES, "the lock is held"], ["by nobody."], ["New one."]])
    assert "the lock is held\nby nobody.\n\nNew one." in text_of(path)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (
            lambda path: write_streams(path, [b"q 0 0 1 rg 9 9 99 99 re f Q"] * 3),
            "no text layer on its first 3",
        ),
        (
            lambda path: write_pdf(path, [["\x80\x81\x01\x02\x03 \x04\x05\x06\x07" * 9] * 9]),
            "no readable text",
        ),
        (write_encrypted, "encrypted"),
        (lambda path: path.write_bytes(b"%PDF-1.7\nnothing that follows"), "damaged"),
        (lambda path: path.write_text("plain words " * 50), "damaged"),
    ],
)
def test_what_has_no_text_says_why(tmp_path: Path, make, why: str) -> None:  # type: ignore[no-untyped-def]
    """Scanned, encrypted and damaged files are named with the reason and the remedy, beside others that are read."""
    make(tmp_path / "bad.pdf")
    write_pdf(tmp_path / "good.pdf", [LINES])
    found = documents.load(tmp_path)
    assert [one.name for one in found.documents] == ["good.pdf"]
    (notice,) = found.notices
    assert "'bad.pdf'" in notice
    assert why in notice
    with pytest.raises(UsageError, match=why):
        documents.load(tmp_path / "bad.pdf")


def test_a_hundred_thousand_pages_end_where_enough_is_read(tmp_path: Path) -> None:
    """Pages beyond what a document holds are never opened."""
    page = content(LINES * 3)
    path = write_streams(tmp_path / "long.pdf", [page] * 100_000)
    found = pdf.extract(path)
    assert found.more
    assert len(found.text) < 2 * 80_000
    assert documents.load(path).notices[-1].startswith("cut 'long.pdf'")


def test_empty_pages_without_end_are_given_up(tmp_path: Path) -> None:
    """After five hundred pages without text there is no text."""
    assert "first 500 pages" in pdf.extract(write_streams(tmp_path / "a.pdf", [b""] * 2_000)).problem


def test_a_bomb_costs_its_file_only(tmp_path: Path) -> None:
    """A page that unpacks to gigabytes ends its reader; the files after it are read."""
    write_streams(tmp_path / "a.pdf", [deflated_bomb(8_000)], unpacked=False)
    write_pdf(tmp_path / "b.pdf", [LINES])
    found = documents.load(tmp_path)
    assert [one.name for one in found.documents] == ["b.pdf"]
    assert "'a.pdf'" in found.notices[0]


def test_a_page_that_takes_for_ever_is_given_up(tmp_path: Path) -> None:
    """Forms that show forms that show forms: the limit on computing ends it, and the next file is read."""
    bad = write_nested_forms(tmp_path / "a.pdf", depth=9, breadth=12)
    good = write_pdf(tmp_path / "b.pdf", [LINES])
    with Apart(most_cpu=1) as apart:
        assert "more than 1 s" in apart.extract("pdf", bad).problem
        assert "Line 0 says" in apart.extract("pdf", good).text
