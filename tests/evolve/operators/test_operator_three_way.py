"""A three-way merge of two sets of files."""

import asyncio

import pytest
from shop import within

from evolve.operators.three_way import Clash, Merge, read, three_way

BASE = {"agent.py": "one\ntwo\nthree\nfour\nfive\n", "prompts/a.md": "Ask.\n"}


def merged(folder, ours, theirs, base=BASE) -> Merge:
    return within(folder, lambda shop: three_way(base, ours, theirs, shop.repository.merge))


def test_what_one_side_changed_is_taken(tmp_path):
    """Changed, new and deleted files of either side come together without a clash and without asking git."""

    async def never(texts, signs):
        raise AssertionError(texts)

    ours = {**BASE, "prompts/a.md": "Ask well.\n", "lib/new.py": "x = 1\n"}
    theirs = {"agent.py": "1\n", "prompts/a.md": "Ask.\n", "prompts/b.md": "Refine.\n"}
    found = asyncio.run(
        three_way({**BASE, "prompts/old.md": "o\n"}, {**ours, "prompts/old.md": "o\n"}, theirs, never)
    )
    assert found == Merge({**ours, "agent.py": "1\n", "prompts/b.md": "Refine.\n"})


def test_lines_of_one_file_are_merged(tmp_path):
    """Two changes in different places of a file are both taken."""
    ours = {**BASE, "agent.py": BASE["agent.py"].replace("one", "ONE")}
    theirs = {**BASE, "agent.py": BASE["agent.py"].replace("five", "FIVE")}
    found = merged(tmp_path, ours, theirs)
    assert found == Merge({**BASE, "agent.py": "ONE\ntwo\nthree\nfour\nFIVE\n"})


def test_a_clash_shows_all_three_and_keeps_ours(tmp_path):
    """Where both changed a passage there is one clash; the rest of the file is merged."""
    ours = {**BASE, "agent.py": "one\ntwo\nTHREE\nfour\nfive\n"}
    theirs = {**BASE, "agent.py": "one\ntwo\n3\nfour\nfive\nsix\n"}
    found = merged(tmp_path, ours, theirs)
    assert found.clashes == (Clash("agent.py", "three\n", "THREE\n", "3\n"),)
    assert found.files["agent.py"] == "one\ntwo\nTHREE\nfour\nfive\nsix\n"


def test_marker_lines_in_a_text_are_text(tmp_path):
    """A prompt that shows merge markers itself is taken apart at git's markers only."""
    noise = "<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n" + "=" * 40 + "\n"
    ours, theirs = ({"agent.py": noise + text} for text in ("mine\n", "other\n"))
    found = merged(tmp_path, ours, theirs, {"agent.py": noise + "old\n"})
    assert found.clashes == (Clash("agent.py", "old\n", "mine\n", "other\n"),)
    assert found.files == ours


@pytest.mark.parametrize("swapped", [False, True])
def test_deleted_here_and_changed_there_is_a_clash(tmp_path, swapped):
    """The changed file stays until somebody decides."""
    sides = [{"agent.py": BASE["agent.py"]}, {**BASE, "prompts/a.md": "Ask more.\n"}]
    ours, theirs = reversed(sides) if swapped else sides
    found = merged(tmp_path, ours, theirs)
    assert found.files["prompts/a.md"] == "Ask more.\n"
    texts = ("Ask more.\n", None) if swapped else (None, "Ask more.\n")
    assert found.clashes == (Clash("prompts/a.md", "Ask.\n", *texts),)


def test_two_new_files_of_one_name_clash(tmp_path):
    """Without a common base the whole texts stand against each other."""
    found = merged(tmp_path, {**BASE, "lib/a.py": "a\n"}, {**BASE, "lib/a.py": "b\n"})
    assert found.clashes == (Clash("lib/a.py", "", "a\n", "b\n"),)


def test_line_ends_of_other_systems_survive(tmp_path):
    """Files with carriage returns merge, and clash, with them."""
    base = {"agent.py": "a\r\nb\r\nc\r\nd\r\n"}
    ours = {"agent.py": "A\r\nb\r\nc\r\nd\r\n"}
    assert merged(tmp_path, ours, {"agent.py": "a\r\nb\r\nc\r\nD\r\n"}, base).files == {
        "agent.py": "A\r\nb\r\nc\r\nD\r\n"
    }
    found = merged(tmp_path, ours, {"agent.py": "x\r\nb\r\nc\r\nd\r\n"}, base)
    assert found.clashes == (Clash("agent.py", "a\r\n", "A\r\n", "x\r\n"),) and found.files == ours


def test_a_merge_that_breaks_off_is_refused():
    """Git's output is never taken for text when a clash has no end."""
    with pytest.raises(ValueError, match="never closed"):
        list(read("a", "<<<<<<<\nx\n|||||||\ny\n", 7))
