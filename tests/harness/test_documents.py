import ast
import asyncio
import io
import json
import random
import subprocess
import sys
import sysconfig
import threading
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import documents, readers, standard_library
from harness.errors import UsageError

PROSE = "A scheduler decides which of the waiting processes may run next, and for how long it may do so. "


def prose(mark: str, length: int = 400) -> str:
    return (f"{mark}: " + PROSE * (length // len(PROSE) + 1))[:length]


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def names(folder: Path) -> list[str]:
    return [one.name for one in documents.load(folder).documents]


def test_folder_is_read_at_all_levels_in_order(tmp_path: Path) -> None:
    """Every kind of file below a folder becomes a document, in the order of the paths, hidden ones left out."""
    kinds = ["b/deep/x.md", "a.txt", "b.rst", "c.HTML", ".secret.txt", ".git/config.txt"]
    write(tmp_path, {name: prose(name) for name in kinds})
    assert names(tmp_path) == ["a.txt", "b/deep/x.md", "b.rst", "c.HTML"]


def test_id_is_the_hash_of_the_text(tmp_path: Path) -> None:
    """The same text has the same id under another name, with other line ends and with a byte order mark."""
    write(tmp_path, {"one/a.txt": prose("x") + "\nend", "two/b.md": "\ufeff" + prose("x") + "\r\nend\r\n"})
    first, second = (documents.load(tmp_path / folder).documents[0] for folder in ("one", "two"))
    assert first.id == second.id == documents.document("", first.text).id
    assert len(first.id) == 16


def test_duplicates_are_dropped_by_name(tmp_path: Path) -> None:
    """Of two equal texts the first stays, and a notice names both."""
    write(tmp_path, {"a.txt": prose("x"), "b.txt": prose("x"), "c.txt": prose("y")})
    found = documents.load(tmp_path)
    assert [one.name for one in found.documents] == ["a.txt", "c.txt"]
    assert found.notices == ("dropped 'b.txt': same text as 'a.txt'",)


def test_what_cannot_be_used_is_skipped_by_name(tmp_path: Path) -> None:
    """Short, binary, wrongly encoded, dangling and unknown files are skipped, each with a line that names it."""
    write(tmp_path, {"good.txt": prose("x"), "empty.md": " \n", "slides.pdf": prose("y")})
    (tmp_path / "image.txt").write_bytes(b"\x89PNG\0\0" + b"a" * 900)
    (tmp_path / "latin.txt").write_bytes(("é" * 900).encode("latin-1"))
    (tmp_path / "gone.txt").symlink_to("nowhere.txt")
    found = documents.load(tmp_path)
    assert [one.name for one in found.documents] == ["good.txt"]
    for name in ("empty.md", "slides.pdf", "image.txt", "latin.txt", "gone.txt"):
        assert sum(name in line for line in found.notices) == 1, name


def test_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    """A loop of symbolic links is walked once."""
    write(tmp_path, {"sub/a.txt": prose("x")})
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    found = documents.load(tmp_path)
    assert [one.name for one in found.documents] == ["sub/a.txt"]
    assert found.notices == ()


def test_control_characters_and_surrogates_are_cleaned(tmp_path: Path) -> None:
    """What reaches a prompt has no control characters but tab and line feed, and can be encoded."""
    record = {"text": "a\x00b\x1b[31m\u2028c\x07\ud800 tab\there\x0cpage " + prose("x")}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    text = documents.load(tmp_path).documents[0].text
    assert text.startswith("ab[31m\nc\ufffd tab\there\npage")
    text.encode()


def test_long_texts_are_cut_at_a_paragraph(tmp_path: Path) -> None:
    """A text of more than 40,000 characters ends after its last whole paragraph, and a notice says so."""
    paragraphs = [prose(str(number), 1_000) for number in range(60)]
    write(tmp_path, {"long.txt": "\n\n".join(paragraphs)})
    found = documents.load(tmp_path)
    assert found.documents[0].text == "\n\n".join(paragraphs)[: 39 * 1_002 + 1_000 - 1_002].rstrip()
    assert len(found.notices) == 1
    assert "'long.txt'" in found.notices[0]


def test_only_the_beginning_of_a_huge_file_is_read(tmp_path: Path) -> None:
    """A file is cut between bytes of one character without being taken for a file of another encoding."""
    (tmp_path / "huge.txt").write_bytes(b"ab" + "é".encode() * 600_001)
    assert documents.load(tmp_path).documents[0].text.startswith("abéé")
    (tmp_path / "huge.txt").write_bytes(b"a" + "é".encode() * 600_001)
    assert documents.load(tmp_path).documents[0].text.startswith("aéé")


@given(st.text(max_size=300), st.integers(1, 300))
def test_shortened_keeps_a_beginning(text: str, limit: int) -> None:
    """A cut text is a beginning of the whole one, within the limit."""
    cut = documents.shortened(text, limit)
    assert text.startswith(cut)
    assert len(cut) <= limit


@given(st.text(alphabet=st.characters(), max_size=100))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """A clean text is clean, so ids are stable when a document is written out and read again."""
    assert documents.clean(documents.clean(text)) == documents.clean(text)


def test_jsonl_has_a_document_a_line(tmp_path: Path) -> None:
    """Text and name are taken from the usual keys; bad lines are named by their number and cost only themselves."""
    lines = [
        json.dumps({"text": prose("one"), "id": "first"}),
        json.dumps({"content": prose("two"), "title": "A title", "extra": [1]}),
        "",
        '{"text": ',
        json.dumps([prose("three")]),
        json.dumps({"body": prose("four")}),
        json.dumps({"texts": prose("five")}),
        "[" * 100_000,
    ]
    path = tmp_path / "data.jsonl"
    path.write_text("\ufeff" + "\n".join(lines), "utf-8")
    found = documents.load(path)
    assert [one.name for one in found.documents] == ["first", "A title", "data.jsonl:6"]
    assert [line.split(":")[1] for line in found.notices] == ["4", "5", "7", "8"]


def test_many_notices_of_one_kind_are_counted(tmp_path: Path) -> None:
    """Five lines of a kind are enough; the rest is a number."""
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join([json.dumps({"text": prose("x")}), *["nonsense"] * 50]))
    notices = documents.load(path).notices
    assert len(notices) == 6
    assert notices[-1] == "and 45 more: bad line"


def test_html_is_read_as_a_reader_sees_it() -> None:
    """Scripts, styles and the title are left out, blocks are lines, entities are characters, <pre> keeps its lines."""
    page = """<html><head><title>Not this</title><style>p {}</style></head><body><h1>Locks</h1>
    <script>var x = "<p>nor this</p>";</script><p>A lock &amp; its
      <b>owner</b>.</p><ul><li>one<li>two</ul><pre>if x:\n    y</pre><table><tr><td>a</td><td>b</td></tr></table>"""
    expected = "Locks\n\nA lock & its owner.\n\n- one\n- two\n\nif x:\n    y\n\na | b"
    assert readers.visible_text(page) == expected


@pytest.mark.parametrize(
    "page", ["<![weird[", "<p", "</", "<!DOCTYPE", "&#xD800;&#0;", "<script>", "<!--" * 1000]
)
def test_broken_html_is_no_crash(tmp_path: Path, page: str) -> None:
    """A page that the parser refuses is skipped by name; another one is read as far as it can be."""
    write(tmp_path, {"a.txt": prose("x"), "bad.html": "<p>" + prose("y") + page})
    found = documents.load(tmp_path)
    assert len(found.documents) + len(found.notices) == 2


@pytest.mark.parametrize(
    ("name", "content"), [("missing.txt", None), ("paper.pdf", "x" * 900), ("empty.txt", ""), ("empty", None)]
)
def test_unusable_input_is_an_error_that_names_it(tmp_path: Path, name: str, content: str | None) -> None:
    """A path that gives no document at all ends with an error about that path."""
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=name):
        documents.load(tmp_path / name)


def test_folder_without_documents_says_why(tmp_path: Path) -> None:
    """The error about a folder without documents holds the reasons of its files."""
    write(tmp_path, {"tiny.txt": "too short"})
    with pytest.raises(UsageError, match=r"tiny\.txt.*9 characters"):
        documents.load(tmp_path)


def test_folder_of_other_files_is_counted(tmp_path: Path) -> None:
    """The error about a folder of pictures says how many of which kind there are, and which kinds are read."""
    for name in ("a.png", "b.PNG", "c/d.png", "e.bin", "README", "Makefile"):
        write(tmp_path, {name: prose(name)})
    with pytest.raises(UsageError) as caught:
        documents.load(tmp_path)
    first, second = str(caught.value).split("\n")
    assert repr(str(tmp_path)) in first
    assert "3 .png files, 2 files without a suffix, 1 .bin file: not one of .txt .md" in second


def test_other_files_beside_documents_are_one_notice(tmp_path: Path) -> None:
    """Ten kinds of other files take one line, the most frequent first."""
    write(
        tmp_path,
        {"a.txt": prose("x")} | {f"{n}.k{n}": "" for n in range(10)} | {f"{n}.png": "" for n in range(30)},
    )
    (notice,) = documents.load(tmp_path).notices
    assert notice.startswith("skipped 30 .png files, 1 .k0 file")
    assert "3 files with 3 other suffixes: not one of" in notice


def test_empty_folder_is_an_error(tmp_path: Path) -> None:
    """A folder without files says that, hidden ones left aside."""
    write(tmp_path, {".hidden/a.txt": prose("x")})
    with pytest.raises(UsageError, match="there is no file in it"):
        documents.load(tmp_path)


@pytest.mark.parametrize(("suffix", "module"), [("pdf", "pypdfium2"), ("docx", "docx")])
def test_missing_extra_names_the_command(
    tmp_path: Path, suffix: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the library a folder counts the files, a single one is an error, and both name the extra to install."""
    monkeypatch.setitem(sys.modules, module, None)
    write(tmp_path, {"a.txt": prose("x"), f"b.{suffix}": "", f"c.{suffix}": ""})
    command = f'pip install "evolve-scaffold[{suffix}]"'
    (notice,) = documents.load(tmp_path).notices
    assert notice == f"skipped 2 .{suffix} files: reading .{suffix} needs an extra: {command}"
    with pytest.raises(UsageError) as caught:
        documents.load(tmp_path / f"b.{suffix}")
    assert command in str(caught.value)


def test_more_documents_move_none_across() -> None:
    """A document keeps its split whatever comes with it, and the first of a split stay first among themselves."""
    many = [documents.document(str(number), prose(str(number))) for number in range(400)]
    few = random.Random(1).sample(many, 200)
    before = documents.divide(documents.Collection(tuple(few)), 1_000, 1_000)
    after = documents.divide(documents.Collection(tuple(many)), 1_000, 1_000)
    for old, new in zip(
        (before.training, before.validation, before.test),
        (after.training, after.validation, after.test),
        strict=True,
    ):
        assert [one for one in new if one in set(few)] == list(old)
    assert abs(len(after.training) / 400 - 0.35) < 0.08
    assert abs(len(after.validation) / 400 - 0.20) < 0.07


def test_split_is_fixed_for_ever() -> None:
    """These ids have had these splits since the first release; a change here would mix up everybody's splits."""
    known = {f"{number:016x}": documents.split_of(f"{number:016x}") for number in range(8)}
    assert [known[key] for key in sorted(known)] == FIXED


FIXED = ["validation", "validation", "test", "test", "test", "test", "validation", "training"]


def test_a_split_takes_as_many_as_asked_for() -> None:
    """Validation and test hold the number asked for, or all there are with a notice."""
    many = documents.Collection(tuple(documents.document(str(n), prose(str(n))) for n in range(100)))
    splits = documents.divide(many, 5, 300)
    assert len(splits.validation) == 5
    assert len(splits.test) < 60
    assert len(splits.notices) == 1
    assert "300" in splits.notices[0]


def test_empty_split_is_an_error_with_numbers() -> None:
    """Too few documents for three splits end with an error that says how many are here and needed."""
    one = documents.Collection((documents.document("a", prose("a")),))
    with pytest.raises(UsageError, match=r"the 1 here.*about 100 are needed"):
        documents.divide(one, 20, 40)


def test_too_few_files_are_an_error_about_their_folder(tmp_path: Path) -> None:
    """What was loaded and cannot be split is named with its folder, the numbers and what to do."""
    write(tmp_path, {"a.txt": prose("a"), "b.txt": prose("b")})
    with pytest.raises(
        UsageError, match=rf"the 2 in '{tmp_path}' fall as training.*add documents, about 89 are"
    ):
        documents.divide(documents.load(tmp_path), 10, 40)


def test_default_documents_are_enough() -> None:
    """The standard library alone gives at least 120 documents of 3,000 characters, and all three splits."""
    found = documents.load(None)
    assert len(found.documents) >= 120
    assert all(3_000 <= len(one.text) <= 40_000 for one in found.documents)
    assert not {"test.support", "encodings.utf_8", "idlelib.run"} & {one.name for one in found.documents}
    assert documents.divide(found, 20, 40).notices == ()


def test_standard_library_without_sources_is_an_error(tmp_path: Path) -> None:
    """An installation that has no sources is told to name documents instead."""
    with pytest.raises(UsageError, match="--docs"):
        standard_library.modules(tmp_path)


@pytest.mark.parametrize(
    "module", ["heapq", "argparse", "subprocess", "json/decoder", "shlex", "asyncio/tasks"]
)
def test_pattern_finds_what_the_parser_finds(module: str) -> None:
    """Docstrings are those that `ast` sees, and comments are those that `tokenize` sees."""
    source = Path(sysconfig.get_path("stdlib"), f"{module}.py").read_text()
    text = " ".join(standard_library.documentation(source).split())
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        documented = ast.get_docstring(node, clean=False) if isinstance(node, holders) else None
        if documented and len(documented.split()) > 3 and "\\" not in documented:
            assert " ".join(documented.split())[:40] in text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        words = token.string.lstrip("#:").split() if token.type == tokenize.COMMENT else []
        if len(words) > 6:
            assert " ".join(words) in text


def test_strings_are_not_taken_for_documentation() -> None:
    """Assigned strings, hashes inside strings and orders to tools are no documentation; rules are left out."""
    source = "\n".join(
        [
            "#!/usr/bin/python",
            '"""What this module is for."""',
            "# -------------------------",
            "# A comment that explains",
            "# something on two lines.",
            "def first():",
            "    '''Does the first thing.'''",
            "    x = 'no # comment at all here'  # noqa: because the linter says so today",
            '    y = """not documentation at all either"""',
            "    return x  # the value that somebody asked for",
            "def second():",
            "    'Does the second thing.'",
            "    return f(",
            "        'no documentation either'",
            "    )",
        ]
    )
    assert standard_library.documentation(source) == (
        "What this module is for.\n\nA comment that explains\nsomething on two lines.\n\n"
        "def first\nDoes the first thing.\n\nthe value that somebody asked for\n\n"
        "def second\nDoes the second thing."
    )


def test_loading_goes_through_its_own_thread(tmp_path: Path) -> None:
    """The asynchronous door gives what the plain function gives, errors included."""
    write(tmp_path, {"a.txt": prose("x")})
    assert asyncio.run(documents.load_async(tmp_path)) == documents.load(tmp_path)
    with pytest.raises(UsageError):
        asyncio.run(documents.load_async(tmp_path / "missing"))


def test_loading_stops_when_told_to(tmp_path: Path) -> None:
    """Whoever does not wait any more does not have everything read."""
    write(tmp_path, {"a.txt": prose("x")})
    stop = threading.Event()
    stop.set()
    with pytest.raises(documents.Stopped):
        documents.load(tmp_path, stop)


def test_utf_16_is_read_by_its_mark(tmp_path: Path) -> None:
    """A text saved with a byte order mark of UTF-16 has the id of the same text in UTF-8."""
    for name, encoding in (("a/x.txt", "utf-8"), ("b/x.txt", "utf-16"), ("c/x.html", "utf-16-be")):
        path = write(tmp_path, {name: ""}) / name
        path.write_bytes((("\ufeff" if encoding == "utf-16-be" else "") + prose("é")).encode(encoding))
    assert len({documents.load(tmp_path / one).documents[0].id for one in "abc"}) == 1


def test_nothing_heavy_is_imported_for_plain_files() -> None:
    """The libraries of the extras are imported by nobody but the process that reads their files."""
    script = "import sys, harness.documents; print({'pypdfium2', 'docx', 'lxml'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "set()\n"


def test_a_line_that_is_too_long_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over as a whole, and the lines after it keep their numbers."""
    monkeypatch.setattr("harness.readers.jsonl.MOST_LINE", 1000)
    lines = [json.dumps({"text": prose("a", 5000)}), json.dumps({"text": prose("b")})]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    found = documents.load(tmp_path / "x.jsonl")
    assert [one.name for one in found.documents] == ["x.jsonl:2"]
    assert found.notices == ("skipped 'x.jsonl' line 1: longer than 1,000 bytes",)
