"""What a candidate's tree may hold."""

import pytest

from evolve.scope import Entry, check, check_files

FROZEN = {"README.md": "r1"}
GOOD = (
    Entry("100644", "README.md", 10, "blob", "r1"),
    Entry("100644", "agent.py", 10, "blob", "a1"),
    Entry("100644", "prompts/challenger.md", 10, "blob", "p1"),
)
FILES = {"README.md": "read\n", "agent.py": "x = 1\n", "prompts/a.md": "a\n"}


def blob(path: str, size: int = 10, mode: str = "100644") -> Entry:
    return Entry(mode, path, size, "blob", "b1")


@pytest.mark.parametrize(
    "entry",
    [
        blob("prompts/b.md"),
        blob("prompts/b.txt", mode="100755"),
        blob("prompts/deep/er/b.md"),
        blob("lib/checks.py"),
        blob("lib/a_b/c-d.v2.py"),
        blob("prompts/big.md", 64 * 1024),
        Entry("040000", "prompts", 0, "tree"),
        Entry("040000", "lib/deep", 0, "tree"),
    ],
)
def test_regular_files_of_the_three_places_are_in_scope(entry):
    """Prompts, library modules and their folders are allowed."""
    assert check((*GOOD, entry), FROZEN) is None


@pytest.mark.parametrize(
    "entry",
    [
        blob("harness/gate.py"),
        blob("tests/test_x.py"),
        blob("conftest.py"),
        blob("agent.pyc"),
        blob("Agent.py"),
        blob("agent.py/x.py"),
        blob(".gitattributes"),
        blob("prompts/.gitattributes"),
        blob(".git/config"),
        blob("lib/.hidden.py"),
        blob("../agent.py"),
        blob("prompts/../../etc/passwd.md"),
        blob("/etc/prompts/x.md"),
        blob("prompts//x.md"),
        blob("prompts/x.md/"),
        blob("prompts"),
        blob("prompts/x.py"),
        blob("prompts/x"),
        blob("prompts/.md"),
        blob("lib/x.so"),
        blob("lib/x.md"),
        blob("prompts/x.md\n"),
        blob("prompts/a\nb.md"),
        blob("prompts/a b.md"),
        blob("prompts/-rf.md"),
        blob("prompts/a\\b.md"),
        blob("prompts/a\0.md"),
        blob("prompts/\udcff.md"),
        blob("prompts/é.md"),
        blob("prompts/\u0430.md"),
        blob("prompts/x..md"),
        blob("prompts/a.b/c.md"),
        blob("prompts/a/b/c/d.md"),
        blob("prompts/" + "x" * 130 + ".md"),
        blob("prompts/x.md", 64 * 1024 + 1),
        blob("prompts/x.md", 1024 * 1024),
        blob("prompts/x.md", -1),
        blob("prompts/x.md", mode="120000"),
        blob("prompts/x.md", mode="160000"),
        blob("prompts/x.md", mode="100664"),
        blob("prompts/x.md", mode=""),
        Entry("160000", "lib/sub.py", 0, "commit"),
        Entry("160000", "prompts", 0, "commit"),
        Entry("040000", "tests", 0, "tree"),
        Entry("040000", "lib/..", 0, "tree"),
        Entry("100644", "lib/x.py", 0, "tree"),
        Entry("100644", "lib/x.py", 0, "odd"),  # type: ignore[arg-type]
    ],
)
def test_everything_else_is_out_of_scope(entry):
    """Other places, odd names, links, submodules, odd modes and big files are refused by name."""
    reason = check((*GOOD, entry), FROZEN)
    assert reason is not None and repr(entry.path) in reason


@pytest.mark.parametrize(
    "pair",
    [
        ("prompts/a.md", "prompts/A.md"),
        ("lib/Deep/x.py", "lib/deep/y.py"),
        ("prompts/a.md", "prompts/a.md"),
        ("prompts/k.md", "prompts/K.MD"),
    ],
)
def test_case_twins_are_refused(pair):
    """Names that differ only in case, in file or folder, are refused."""
    assert check((*GOOD, *map(blob, pair)), FROZEN) is not None


def test_a_file_that_is_also_a_folder_is_refused():
    """A listing in which one path lies under another file is no tree."""
    assert check((*GOOD, blob("lib/a.py"), blob("lib/a.py/x.py")), FROZEN) is not None


def test_the_entry_point_must_stay():
    """A tree without agent.py is refused."""
    assert "agent.py" in str(check(GOOD[:1], FROZEN))


@pytest.mark.parametrize("frozen", [{"README.md": "other"}, {}])
def test_the_readme_must_be_the_known_one(frozen):
    """A changed README, or one with nothing to compare it to, is refused."""
    assert "README.md" in str(check(GOOD, frozen))


def test_the_readme_may_not_go():
    """Deleting the frozen README is refused."""
    assert "README.md" in str(check(GOOD[1:], FROZEN))


def test_count_and_total_are_capped():
    """One file or one byte over the cap is refused, the cap itself is not."""
    many = tuple(blob(f"prompts/p{n}.md") for n in range(97))
    assert check((*GOOD, *many), FROZEN) is None
    assert "101 files" in str(check((*GOOD, *many, blob("lib/x.py")), FROZEN))
    full = tuple(blob(f"prompts/p{n}.md", 65536) for n in range(3))
    assert check((*GOOD, *full, blob("lib/x.py", 65536 - 30)), FROZEN) is None
    assert "262145 bytes" in str(check((*GOOD, *full, blob("lib/x.py", 65536 - 29)), FROZEN))


@pytest.mark.parametrize("character", ["\0", "\x1b", "\r", "\u202e", "\u200b", "\udcff", "\U000e0041"])
def test_unseen_characters_in_texts_are_refused(character):
    """Control characters, hidden and direction marks, and surrogates are named with their line."""
    assert "'prompts/a.md' line 2" in str(check_files({**FILES, "prompts/a.md": f"a\nb{character}"}, FILES))


def test_texts_are_checked_like_a_tree():
    """The text check knows sizes in bytes, places and the frozen file."""
    assert check_files(FILES, FILES) is None
    assert check_files({**FILES, "prompts/b.md": "é\tx\n" * 10}, FILES) is None
    assert "131072 bytes" in str(check_files({**FILES, "prompts/b.md": "é" * 65536}, FILES))
    assert "README.md" in str(check_files({**FILES, "README.md": "mine\n"}, FILES))
    assert "harness/gate.py" in str(check_files({**FILES, "harness/gate.py": "x"}, FILES))
