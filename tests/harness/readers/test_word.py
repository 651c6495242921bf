import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import documents
from harness.readers import word

docx = pytest.importorskip("docx")

PROSE = "A scheduler decides which of the waiting processes may run next. " * 4
PART = "word/document.xml"


def write(path: Path, *paragraphs: str) -> Path:
    document = docx.Document()
    for one in paragraphs:
        document.add_paragraph(one)
    document.save(str(path))
    return path


def changed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """The file with another document.xml."""
    old = path.with_suffix(".old")
    shutil.move(path, old)
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change(source.read(name)) if name == PART else source.read(name))
    old.unlink()
    return path


def test_text_comes_in_the_order_of_the_document(tmp_path: Path) -> None:
    """Headings, paragraphs, lists and tables follow each other as they stand; a joined cell is read once."""
    document = docx.Document()
    document.add_heading("Locks", 1)
    document.add_paragraph(PROSE)
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("name", "holder"), ("queue", "nobody\nat all")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    joined = document.add_table(rows=1, cols=2)
    joined.cell(0, 0).merge(joined.cell(0, 1)).text = "both"
    document.add_paragraph("").add_run("tab\tand\nline")
    document.save(str(tmp_path / "a.docx"))
    expected = ["Locks", PROSE.strip(), "name | holder\nqueue | nobody at all", "both", "tab\tand\nline"]
    assert documents.load(tmp_path).documents[0].text == "\n\n".join(expected)


def test_review_and_content_controls_are_read_as_shown(tmp_path: Path) -> None:
    """Insertions and controls count, deletions do not; an item of a list has a dash."""
    raw = (
        b"<w:p><w:ins><w:r><w:t>added</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
        b"<w:sdt><w:sdtContent><w:p><w:r><w:t>inside a </w:t></w:r><w:sdt><w:sdtContent><w:r><w:t>control</w:t></w:r>"
        b"</w:sdtContent></w:sdt></w:p></w:sdtContent></w:sdt>"
        b'<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/></w:numPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr>'
        b"<w:r><w:t>item</w:t></w:r></w:p><w:sectPr"
    )
    path = changed(write(tmp_path / "a.docx", PROSE), lambda xml: xml.replace(b"<w:sectPr", raw, 1))
    assert word.extract(path).text == f"{PROSE.strip()}\n\nadded\n\ninside a control\n\n- item"


def test_enough_is_enough(tmp_path: Path) -> None:
    """A long document is read as far as it is of use."""
    found = word.extract(write(tmp_path / "a.docx", *[PROSE] * 1_000))
    assert found.more
    assert len(found.text) == 80_000


def bomb(path: Path) -> None:
    with zipfile.ZipFile(write(path, PROSE), "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/more.xml", b" " * 60_000_000)


def pictures(path: Path) -> None:
    with zipfile.ZipFile(write(path, PROSE), "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(31):
            archive.writestr(f"word/media/{number}.png", bytes(10_000_000))


def lying(path: Path) -> None:
    """The size that the archive states is not the one that its part has."""
    write(path, PROSE)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(PART).file_size
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (size - 900).to_bytes(4, "little")))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (bomb, "unpacks to more than 50 MB of text"),
        (pictures, "300 MB in all"),
        (lying, "damaged"),
        (lambda path: path.write_bytes(write(path, PROSE).read_bytes()[:-900]), "damaged"),
        (lambda path: path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") * 90), "encrypted, or an old .doc"),
        (lambda path: path.write_text("plain text " * 90), "damaged"),
        (lambda path: zipfile.ZipFile(path, "w").writestr("a.txt", "no document"), "damaged"),
        (lambda path: changed(write(path, PROSE), lambda xml: xml[:-20]), "damaged"),
        (lambda path: changed(write(path, PROSE), lambda xml: b"<a/>"), "damaged"),
        (lambda path: changed(write(path, PROSE), lambda xml: b"<a>" * 100_000), "damaged"),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_cannot_be_read_says_why(tmp_path: Path, make: Callable[[Path], object], why: str) -> None:
    """Bombs are not unpacked; damaged, encrypted and foreign files are named, beside others that are read."""
    make(tmp_path / "bad.docx")
    write(tmp_path / "good.docx", PROSE)
    found = documents.load(tmp_path)
    assert [one.name for one in found.documents] == ["good.docx"]
    (notice,) = found.notices
    assert "'bad.docx'" in notice
    assert why in notice


def test_entities_reach_no_file_and_do_not_grow(tmp_path: Path) -> None:
    """Neither a file of this machine nor a billion copies get into the text through an entity."""
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    declared = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}"><!ENTITY e0 "ha">{laughs}]>'.encode()

    def with_entities(xml: bytes) -> bytes:
        head, rest = xml.split(b"?>", 1)
        return head + b"?>" + declared + rest.replace(b"A scheduler", b"&s;&e11;A scheduler", 1)

    found = word.extract(changed(write(tmp_path / "a.docx", PROSE), with_entities))
    assert "secret" not in found.text
    assert len(found.text) <= len(PROSE)
