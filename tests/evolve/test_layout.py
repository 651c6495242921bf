"""Where things lie, and which scaffold is taken."""

from pathlib import Path

import pytest

from evolve.layout import Layout, baseline_folder, scaffold_files
from harness.errors import StorageError, UsageError


def test_everything_of_a_run_lies_in_its_folder(tmp_path: Path) -> None:
    """All paths but the database follow from folder and name; making them twice is fine."""
    layout = Layout(tmp_path, tmp_path / "population.db", "run-001")
    home = tmp_path / "runs" / "run-001"
    for path in (layout.candidates, layout.traces, layout.work, layout.calls, layout.lock):
        assert path.parent == home
    layout.make()
    layout.make()
    assert sorted(one.name for one in home.iterdir()) == ["traces", "work"]


def test_a_place_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where a folder should be is a storage error with the path and a remedy."""
    (tmp_path / "runs").write_text("")
    with pytest.raises(
        StorageError, match=r"runs/r.*Not a directory. Something else is in its place: move that away"
    ):
        Layout(tmp_path, tmp_path / "population.db", "r").make()


def test_the_embedded_scaffold_is_complete(tmp_path: Path) -> None:
    """Without one of the user's own there is a baseline with an agent and its prompts, and a line that says so."""
    folder, notice = baseline_folder(tmp_path)
    assert notice == "scaffold: the embedded baseline of domain cs"
    files = scaffold_files(folder)
    assert {"README.md", "agent.py", "prompts/challenger.md"} <= set(files)
    assert not [name for name in files if "__pycache__" in name]


def test_the_users_own_scaffold_wins(tmp_path: Path) -> None:
    """baseline_repo/ of the folder is taken as it is: caches, git's own folder and links are left out."""
    own = tmp_path / "baseline_repo"
    (own / "prompts").mkdir(parents=True)
    (own / "agent.py").write_bytes(b"x = 1\r\n")
    (own / "prompts" / "a.md").write_text("text")
    for skipped in ("__pycache__", ".git"):
        (own / skipped).mkdir()
        (own / skipped / "x").write_text("x")
    (own / "prompts" / "link.md").symlink_to("/etc/hostname")
    folder, notice = baseline_folder(tmp_path)
    assert notice == "scaffold: baseline_repo/ of this folder"
    assert scaffold_files(folder) == {"agent.py": b"x = 1\r\n", "prompts/a.md": b"text"}


def test_a_scaffold_without_an_agent_is_refused(tmp_path: Path) -> None:
    """An empty baseline_repo/ is an error, not a reason to take the embedded one."""
    (tmp_path / "baseline_repo").mkdir()
    with pytest.raises(UsageError, match=r"baseline_repo' has no agent.py; .*create\(document, env\)"):
        baseline_folder(tmp_path)
