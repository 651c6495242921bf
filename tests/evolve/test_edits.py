"""The edit language, read and applied."""

import pytest

from evolve.edits import BadEdit, Delete, Edits, Replace, Write, apply_edits, parse_edits

FILES = {"prompts/a.md": "one\ntwo\nthree\n", "agent.py": "x = 1\ny = 1\n"}
REPLY = """I thought about it.

SUMMARY: say two more clearly

FILE: prompts/a.md
<<<<<<< SEARCH
two
=======
2
>>>>>>> REPLACE

WRITE: prompts/b.md
<<<<<<< CONTENT
# B

SUMMARY: not a directive
DELETE: agent.py
>>>>>>> END

DELETE: agent.py
"""


def replacing(search: str, replacement: str, path: str = "prompts/a.md") -> Edits:
    return Edits("s", (Replace(path, search, replacement),))


def block(search: str, replacement: str, signs: int = 7) -> str:
    return f"{'<' * signs} SEARCH\n{search}\n{'=' * signs}\n{replacement}\n{'>' * signs} REPLACE\n"


def test_all_three_forms_are_read():
    """A reply may replace, write and delete; directives inside a block are text."""
    edits = parse_edits(REPLY)
    assert edits.summary == "say two more clearly"
    assert edits.changes == (
        Replace("prompts/a.md", "two", "2"),
        Write("prompts/b.md", "# B\n\nSUMMARY: not a directive\nDELETE: agent.py\n"),
        Delete("agent.py"),
    )


def test_all_three_forms_are_applied():
    """Applying gives the new files and leaves the old mapping alone."""
    before = dict(FILES)
    assert apply_edits(FILES, parse_edits(REPLY)) == {
        "prompts/a.md": "one\n2\nthree\n",
        "prompts/b.md": "# B\n\nSUMMARY: not a directive\nDELETE: agent.py\n",
    }
    assert before == FILES


@pytest.mark.parametrize(
    "line",
    [
        "FILE: prompts/a.md",
        "FILE: `prompts/a.md`",
        "**FILE:** prompts/a.md",
        "### FILE: prompts/a.md",
        "FILE: ./prompts/a.md",
        'FILE: "prompts/a.md"',
        "WRITE: prompts/a.md",
    ],
)
def test_decorated_directives_are_read(line):
    """Markdown around a directive, quotes and a leading ./ do not matter; the block decides what is done."""
    changes = parse_edits(f"SUMMARY: s\n{line}\n{block('two', '2')}").changes
    assert changes == (Replace("prompts/a.md", "two", "2"),)


def test_fences_windows_line_ends_and_thoughts_are_ignored():
    """Code fences around blocks, CRLF and a leading thought with edits of its own change nothing."""
    thought = "<think>FILE: x.md\n" + block("no", "way") + "</think>\n"
    text = thought + "SUMMARY: s\n```\nFILE: prompts/a.md\n" + block("two", "2") + "```\n"
    assert parse_edits(text.replace("\n", "\r\n")).changes == (Replace("prompts/a.md", "two", "2"),)


def test_several_blocks_follow_one_file_line():
    """Blocks are applied in order, each to what the one before left."""
    edits = parse_edits("SUMMARY: s\nFILE: prompts/a.md\n" + block("two", "zwei") + block("zwei", "dos"))
    assert apply_edits(FILES, edits)["prompts/a.md"] == "one\ndos\nthree\n"


def test_longer_markers_quote_shorter_ones():
    """A text that holds seven-sign markers is written with eight signs."""
    inner = block("a", "b").rstrip("\n")
    text = f"SUMMARY: s\nFILE: prompts/a.md\n{block('two', inner, 8)}"
    assert parse_edits(text).changes == (Replace("prompts/a.md", "two", inner),)


def test_a_setext_heading_in_a_block_is_named_as_ambiguous():
    """Two separators of the same length are refused with the way out."""
    with pytest.raises(BadEdit, match="one sign longer"):
        parse_edits(f"SUMMARY: s\nFILE: prompts/a.md\n{block('two', 'Title' + chr(10) + '=======')}")


def test_a_fenced_whole_file_may_hold_fences():
    """WRITE with a code fence ends at the last such fence before the next directive."""
    text = "SUMMARY: s\nWRITE: prompts/b.md\n\n```markdown\nlook:\n```json\n{}\n```\nend\n```\n\nDELETE: agent.py\n"
    assert parse_edits(text).changes == (
        Write("prompts/b.md", "look:\n```json\n{}\n```\nend\n"),
        Delete("agent.py"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("I cannot help with that.", "no edit"),
        ("SUMMARY: only words", "no edit"),
        ("FILE: a.md\n" + block("a", "b"), "no line 'SUMMARY"),
        ("SUMMARY: s\n" + block("a", "b"), "before the block"),
        ("SUMMARY: s\nFILE: a.md\nDELETE: b.md", "FILE: a.md is followed by no block"),
        ("SUMMARY: s\nDELETE: b.md\nWRITE: a.md\n", "WRITE: a.md is followed by no block"),
        ("SUMMARY: s\nFILE: a.md\n<<<<<<< SEARCH\na\n=======\nb\n", "never closed by >>>>>>> REPLACE"),
        ("SUMMARY: s\nFILE: a.md\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n", "holds 0 lines"),
        ("SUMMARY: s\nFILE: a.md\n>>>>>>> REPLACE\n", "never opened"),
        ("SUMMARY: s\nFILE: a.md\n" + block(" ", "b"), "empty"),
        ("SUMMARY: s\nFILE:\n" + block("a", "b"), "without a path"),
        ("SUMMARY: s\nWRITE: a.md\n```\nbody\n", "never closed by ```"),
    ],
)
def test_what_cannot_be_read_is_named(text, message):
    """Every unreadable reply is refused with what is wrong."""
    with pytest.raises(BadEdit, match=message):
        parse_edits(text)


def test_a_giant_reply_is_refused():
    """A reply of more than a million characters is not read."""
    with pytest.raises(BadEdit, match="at most 1000000"):
        parse_edits("x" * 1_000_001)


def test_a_missing_passage_is_shown_with_the_nearest_one():
    """The error names the file, the search text, and what stands there instead."""
    with pytest.raises(BadEdit) as caught:
        apply_edits(
            {"a.md": "alpha\nthe quick brown fox\nomega\n"}, replacing("the quick brown fix", "x", "a.md")
        )
    message = str(caught.value)
    assert "'a.md'" in message and "the quick brown fix" in message
    assert "from line 2:\nthe quick brown fox" in message


def test_a_passage_that_stands_twice_is_refused():
    """Uniqueness is counted over the file, and the count is told."""
    with pytest.raises(BadEdit, match="stands there 2 times"):
        apply_edits(FILES, replacing(" = 1", " = 2", "agent.py"))


def test_blanks_at_line_ends_do_not_matter():
    """A search text that differs only in trailing blanks is found."""
    assert apply_edits({"a.md": "one  \ntwo\nthree\n"}, replacing("one\ntwo ", "1", "a.md")) == {
        "a.md": "1\nthree\n"
    }


def test_an_empty_replacement_takes_its_line_away():
    """Deleting whole lines leaves no blank line behind."""
    assert apply_edits(FILES, replacing("two", ""))["prompts/a.md"] == "one\nthree\n"
    assert apply_edits(FILES, replacing("wo", ""))["prompts/a.md"] == "one\nt\nthree\n"


def test_replacement_text_is_literal():
    """Backslashes and group references in a replacement stay as they are."""
    assert (
        apply_edits(FILES, replacing("two", r"\1 \g<0> {x} %s"))["prompts/a.md"]
        == "one\n\\1 \\g<0> {x} %s\nthree\n"
    )


@pytest.mark.parametrize("change", [Replace("no.md", "a", "b"), Delete("no.md")])
def test_a_file_that_is_not_there_is_named(change):
    """Replacing in or deleting a missing file lists the files there are."""
    with pytest.raises(BadEdit, match=r"no file 'no.md'.*prompts/a.md"):
        apply_edits(FILES, Edits("s", (change,)))


def test_a_file_written_twice_is_refused():
    """Two WRITEs of one path contradict each other."""
    with pytest.raises(BadEdit, match="written twice"):
        apply_edits(FILES, Edits("s", (Write("b.md", "1"), Write("b.md", "2"))))
