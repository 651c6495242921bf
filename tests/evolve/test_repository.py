"""Candidates in git: exact bytes, the same hashes everywhere, and recovery from a kill."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from evolve.iteration import Candidate
from evolve.repository import Repository, create
from evolve.scope import check, check_files
from harness.errors import StorageError

T = TypeVar("T")
FILES = {
    "README.md": "About.\r\nSecond line, no newline at the end",
    "agent.py": "def create(document, env):\n    return None\n",
    "prompts/.gitattributes": "* text eol=crlf export-ignore ident filter=x diff=x\n",
    "prompts/first.md": "Ünïcode – $Id$\n\n\ttabs \n",
    "prompts/deep/er/empty.txt": "",
    "lib/dos.py": "a = 1\r\nb = 2\r\n",
}
BASELINE = "019edbb558a4bef142bd392dc68fafa98fd5fe39"
CHILD = "ca6bf78413f17b0b81b1ea97ce62f0734afca720"

WORK = """
import asyncio, sys
from pathlib import Path
from evolve.repository import Repository, create

async def main():
    create(Path(sys.argv[1]))
    repository = Repository(Path(sys.argv[1]))
    parent = await repository.plant({"agent.py": b"0\\n"})
    for number in range(1, 10_000):
        tree = await repository.write_tree({"agent.py": f"{number}\\n", "lib/a.py": "x\\n"})
        parent = await repository.commit(tree, parent, number, "more")
        await repository.publish(parent)
        print(number, parent.commit, flush=True)

asyncio.run(main())
"""


def encoded(files: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def within(path: Path, work: Callable[[Repository], Awaitable[T]]) -> T:
    async def whole() -> T:
        create(path)
        repository = Repository(path)
        try:
            return await work(repository)
        finally:
            repository.close()

    return asyncio.run(whole())


async def grow(repository: Repository, count: int) -> list[Candidate]:
    """A baseline and a chain of `count` children, all published."""
    line = [await repository.plant(encoded(FILES))]
    for number in range(1, count + 1):
        files = {**FILES, "agent.py": FILES["agent.py"] + f"# change {number}\n"}
        child = await repository.commit(
            await repository.write_tree(files), line[-1], number, f"Change {number}"
        )
        await repository.publish(child)
        line.append(child)
    return line


def git(path: Path, *command: str, data: str = "") -> str:
    whole = ["git", "-C", str(path), *command]
    return subprocess.run(whole, input=data.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user whose git settings, variables, home, umask and current folder are all in the way."""
    home = tmp_path / "home"
    (home / "git").mkdir(parents=True)
    (home / "git" / "attributes").write_text("* eol=crlf diff=x\n")
    (home / "hooks").mkdir()
    hook = home / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        "[user]\n name = Mallory\n email = m@x\n[core]\n autocrlf = true\n quotePath = false\n"
        f" hooksPath = {home}/hooks\n[commit]\n gpgSign = true\n[i18n]\n commitEncoding = latin1\n"
        "[diff]\n external = false\n noprefix = true\n renames = copies\n[safe]\n bareRepository = explicit\n"
    )
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_DIR": "/nowhere",
        "GIT_WORK_TREE": "/nowhere",
        "GIT_INDEX_FILE": "/nowhere/index",
        "GIT_OBJECT_DIRECTORY": "/nowhere/objects",
        "GIT_NAMESPACE": "other",
        "GIT_AUTHOR_NAME": "Mallory",
        "GIT_COMMITTER_DATE": "1999-01-01T00:00:00",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_DEFAULT_HASH": "sha256",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare",
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_PAGER": "false",
    }.items():
        monkeypatch.setenv(name, value)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    before = os.umask(0o077)
    yield
    os.umask(before)
    os.chdir(tmp_path)


def test_hashes_are_the_same_everywhere(tmp_path: Path) -> None:
    """The same files, parents and iterations give known hashes; author and date follow from the iteration."""
    _, child = within(tmp_path / "a.git", lambda repository: grow(repository, 1))
    assert (child.id, child.iteration, child.parent) == ("c1", 1, "c0")
    assert git(tmp_path / "a.git", "rev-parse", "c0", "c1").split() == [BASELINE, CHILD]
    shown = git(tmp_path / "a.git", "log", "-1", "--format=%an <%ae> %cn %aI %cI %s", "c1").strip()
    assert (
        shown
        == "evolve <evolve@localhost> evolve 2000-01-01T00:01:00+00:00 2000-01-01T00:01:00+00:00 Change 1"
    )


@pytest.mark.usefixtures("hostile")
def test_the_users_git_does_not_matter(tmp_path: Path) -> None:
    """With hostile settings, variables, home, umask and a deleted current folder everything is as without them."""

    async def work(repository: Repository) -> tuple[list[Candidate], dict[str, str], list[str]]:
        line = await grow(repository, 1)
        await repository.checkout(line[1].commit, tmp_path / "out")
        return line, await repository.refs(), await repository.fsck()

    line, refs, faults = within(tmp_path / "a.git", work)
    assert refs == {"c0": BASELINE, "c1": CHILD}
    assert faults == []
    assert "+# change 1\n" in line[1].diff and line[1].diff.startswith("diff --git a/agent.py b/agent.py\n")
    assert files_below(tmp_path / "out") == encoded({**FILES, "agent.py": FILES["agent.py"] + "# change 1\n"})


def test_bytes_are_exact(tmp_path: Path) -> None:
    """CRLF, attributes, empty files and a missing last newline come back as stored, as text and on disk."""

    async def work(repository: Repository) -> dict[str, str]:
        zero = await repository.plant(encoded(FILES))
        await repository.checkout(zero.commit, tmp_path / "new" / "out")
        with pytest.raises(StorageError, match="File exists"):
            await repository.checkout(zero.commit, tmp_path / "new" / "out")
        assert await repository.write_tree(FILES) == zero.tree
        return await repository.files(zero.tree)

    assert within(tmp_path / "a.git", work) == FILES
    assert files_below(tmp_path / "new" / "out") == encoded(FILES)


def test_a_baseline_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A file that is not UTF-8 is named; another baseline under the same name is refused, the same one is fine."""

    async def work(repository: Repository) -> None:
        with pytest.raises(ValueError, match=r"'lib/a\.py' of the baseline is no UTF-8"):
            await repository.plant({"agent.py": b"", "lib/a.py": b"\xff\xfe"})
        zero = await repository.plant({"agent.py": b"1"})
        assert await repository.plant({"agent.py": b"1"}) == zero
        with pytest.raises(StorageError, match="'c0' is published already"):
            await repository.plant({"agent.py": b"2"})

    within(tmp_path / "a.git", work)


def test_entries_are_what_the_scope_check_reads(tmp_path: Path) -> None:
    """The listing carries modes, sizes, kinds and hashes that pass the scope check, folders included."""
    files = {name: text for name, text in FILES.items() if name != "prompts/.gitattributes"}

    async def work(repository: Repository) -> None:
        zero = await repository.plant(encoded(files))
        entries = await repository.entries(zero.tree)
        assert {one.path: one.size for one in entries if one.kind == "blob"} == {
            name: len(data) for name, data in encoded(files).items()
        }
        assert {one.path for one in entries if one.kind == "tree"} == {
            "lib",
            "prompts",
            "prompts/deep",
            "prompts/deep/er",
        }
        frozen = {one.path: one.id for one in entries if one.path == "README.md"}
        assert check(entries, frozen) is None
        odd = await repository.entries(await repository.write_tree({**files, "lib/.gitattributes": "*"}))
        assert "'lib/.gitattributes' may not be there" in str(check(odd, frozen))

    within(tmp_path / "a.git", work)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a//b", "lib/./x", ".git/hooks/x", "lib/.GIT/x", "a\nb", "", "agent.py/x"]
)
def test_paths_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """Neither git nor the disk is reached with a path that climbs, is absolute, hides or is both file and folder."""

    async def work(repository: Repository) -> None:
        with pytest.raises(ValueError, match="git cannot hold"):
            await repository.write_tree({"agent.py": "", name: "x"})
        with pytest.raises(ValueError, match="UTF-8"):
            await repository.write_tree({"agent.py": "\ud800"})

    within(tmp_path / "a.git", work)
    assert check_files({**FILES, name: "x"}, FILES) is not None


def test_links_and_submodules_are_not_checked_out(tmp_path: Path) -> None:
    """A tree with a symbolic link is listed, and neither read nor checked out."""

    async def work(repository: Repository) -> None:
        zero = await repository.plant(encoded(FILES))
        blob = next(one.id for one in await repository.entries(zero.tree) if one.path == "agent.py")
        path = tmp_path / "a.git"
        tree = git(path, "mktree", data=f"120000 blob {blob}\tlink\n").strip()
        assert [(one.mode, one.path) for one in await repository.entries(tree)] == [("120000", "link")]
        with pytest.raises(StorageError, match="regular files only"):
            await repository.checkout(tree, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    within(tmp_path / "a.git", work)


def test_the_diff_is_plain_or_coloured_and_shows_everything(tmp_path: Path) -> None:
    """A diff names full hashes, hides nothing behind attributes, applies as a patch, and can have colours."""

    async def work(repository: Repository) -> None:
        zero, one, two = await grow(repository, 2)
        assert two.diff == await repository.diff(zero.commit, two.commit)
        moved = {("lib/unix.py" if name == "lib/dos.py" else name): text for name, text in FILES.items()}
        moved["prompts/first.md"] += "more\n"
        nul = await repository.write_tree({**FILES, "agent.py": "a\0b\n"})
        assert "+a\0b\n" in await repository.diff(zero.commit, nul)
        tree = await repository.write_tree(moved)
        shown = await repository.diff(zero.commit, tree)
        assert (
            "deleted file" in shown and "new file" in shown and "+more\n" in shown and "rename" not in shown
        )
        assert "\x1b[" not in shown
        assert "\x1b[32m" in await repository.diff(one.commit, two.commit, colour=True)
        await repository.checkout(zero.commit, tmp_path / "out")
        git(tmp_path / "out", "apply", data=shown)

    within(tmp_path / "a.git", work)
    assert "more" in (tmp_path / "out" / "prompts" / "first.md").read_text()


def test_what_users_do_with_git_works(tmp_path: Path) -> None:
    """log --graph, diff and bisect work on the bare repository."""
    path = tmp_path / "a.git"
    line = within(path, lambda repository: grow(repository, 4))
    graph = git(path, "log", "--graph", "--oneline", "--all")
    assert [row.split()[-1] for row in graph.splitlines()] == ["4", "3", "2", "1", "baseline"]
    assert "+# change 2" in git(path, "diff", "c1", "c2")
    git(path, "bisect", "start", "c4", "c0")
    found = git(
        path, "bisect", "run", "sh", "-c", "! git show BISECT_HEAD:agent.py | grep -q -e 'change [34]'"
    )
    assert f"{line[3].commit} is the first bad commit" in found


def test_publishing_is_idempotent_and_compares(tmp_path: Path) -> None:
    """Publishing again changes nothing; another commit under a name is refused, as are odd names and hashes."""

    async def work(repository: Repository) -> None:
        zero, one = await grow(repository, 1)
        await repository.publish(one)
        other = await repository.commit(zero.tree, zero, 1, "another child")
        with pytest.raises(StorageError, match="'c1' is published already"):
            await repository.publish(other)
        assert await repository.refs() == {"c0": zero.commit, "c1": one.commit}
        with pytest.raises(ValueError, match="no candidate id"):
            await repository.publish(Candidate("../x", 1, "c0", one.commit, one.tree))
        with pytest.raises(ValueError, match="no full git hash"):
            await repository.files("--help")
        with pytest.raises(StorageError, match="not a tree object"):
            await repository.files("1" * 40)
        with pytest.raises(StorageError, match="git update-ref failed"):
            await repository.publish(Candidate("c5", 5, "c0", "1" * 40, one.tree))

    within(tmp_path / "a.git", work)


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """A stale lock blocks its ref until tidied; scratch files and refs that nobody recorded go too, the rest stays."""
    path = tmp_path / "a.git"

    async def work(repository: Repository) -> None:
        line = await grow(repository, 2)
        (path / "refs/heads/c3.lock").touch()
        (path / "packed-refs.lock").touch()
        (path / "evolve-x").mkdir()
        (path / "evolve-x" / "0").touch()
        (path / "objects" / line[0].tree[:2] / "tmp_obj_x").touch()
        third = await repository.commit(line[0].tree, line[2], 3, "third")
        with pytest.raises(StorageError, match=r"c3\.lock"):
            await repository.publish(third)
        removed = await repository.tidy({"c0", "c1"})
        assert sorted(Path(one).name for one in removed) == [
            "c2",
            "c3.lock",
            "evolve-x",
            "packed-refs.lock",
            "tmp_obj_x",
        ]
        assert list(await repository.refs()) == ["c0", "c1"]
        await repository.publish(third)
        assert await repository.tidy({"c0", "c1", "c3"}) == []
        assert await repository.fsck() == []

    within(path, work)


@pytest.mark.parametrize("moment", [1, 3])
def test_a_killed_run_makes_the_same_commits_again(tmp_path: Path, moment: int) -> None:
    """After kill -9 of a process and its git the repository is sound once tidied, and the same work gives its hashes."""
    path = tmp_path / "a.git"
    command = [sys.executable, "-c", WORK, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as first:
        assert first.stdout is not None
        lines = [first.stdout.readline() for _ in range(moment)]
        os.killpg(first.pid, signal.SIGKILL)

    async def check_it(repository: Repository) -> None:
        await repository.tidy(["c0", *(f"c{line.split()[0]}" for line in lines)])
        assert await repository.fsck() == []

    within(path, check_it)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as second:
        assert second.stdout is not None
        assert [second.stdout.readline() for _ in range(moment)] == lines
        assert len(second.stdout.readline().split()) == 2
        os.killpg(second.pid, signal.SIGKILL)


def test_damage_is_reported(tmp_path: Path) -> None:
    """A lost object is found by fsck and named when its file is read."""
    path = tmp_path / "a.git"

    async def work(repository: Repository) -> None:
        zero = await repository.plant(encoded(FILES))
        blob = next(one.id for one in await repository.entries(zero.tree) if one.path == "agent.py")
        (path / "objects" / blob[:2] / blob[2:]).unlink()
        assert any(blob in line for line in await repository.fsck())
        with pytest.raises(StorageError, match=r"'agent\.py' .* is missing"):
            await repository.files(zero.commit)

    within(path, work)


def test_a_repository_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """Making it again changes nothing, something else in its place is refused, and no scratch folder stays."""
    path = tmp_path / "run" / "a.git"
    within(path, lambda repository: grow(repository, 1))
    create(path)
    assert git(path, "rev-parse", "c1").strip() == CHILD
    assert [one.name for one in path.parent.iterdir()] == ["a.git"]
    (tmp_path / "other.git").write_text("")
    with pytest.raises(StorageError, match="no git repository; move it away"):
        create(tmp_path / "other.git")


def test_nothing_keeps_running(tmp_path: Path) -> None:
    """After many operations no git process and no descriptor is left."""
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0

    async def work(repository: Repository) -> None:
        for candidate in await grow(repository, 3):
            await repository.files(candidate.commit)

    within(tmp_path / "a.git", work)
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_merge_is_gits_own_whatever_the_user_set(tmp_path: Path, hostile: None) -> None:
    """Both changes are taken, bytes kept, a clash shown with its base; settings and attributes of the user do nothing."""

    async def merged(repository: Repository) -> tuple[str, str]:
        clean = await repository.merge(("A\r\nb\nc\nd", "a\r\nb\nc\nd", "a\r\nb\nc\nD"), 9)
        return clean, await repository.merge(("x\n", "a\n", "y\n"), 9)

    clean, clash = within(tmp_path / "r", merged)
    assert clean == "A\r\nb\nc\nD"
    lines = [one.partition(" ")[0] for one in clash.splitlines()]
    assert lines == ["<" * 9, "x", "|" * 9, "a", "=" * 9, "y", ">" * 9]
    assert not [one for one in (tmp_path / "r").iterdir() if one.name.startswith("evolve-")]


def test_what_git_cannot_merge_is_our_fault(tmp_path: Path) -> None:
    """Bytes that git takes for binary are refused with what it said, never merged halfway."""
    with pytest.raises(StorageError, match=r"git merge-file failed .*See `evolve verify`"):
        within(tmp_path / "r", lambda repository: repository.merge(("a\0\n", "b\n", "c\n"), 9))
