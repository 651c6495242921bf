"""The disk: room that has to stay, the reserve, scratch folders, and remedies by the number of the error."""

import errno
import shutil
from pathlib import Path

import pytest

from evolve.disk import MEGABYTE, RESERVE, RESERVED, held, refuse_full, release, remedy, reserved, scratch
from harness.errors import StorageError


def test_too_little_room_is_refused_with_the_figures(tmp_path: Path) -> None:
    """How much is free, where, how much is wanted; for a folder that is not there yet too. Zero asks for nothing."""
    free = shutil.disk_usage(tmp_path).free // MEGABYTE
    with pytest.raises(StorageError, match=rf"only [\d,]+ MB are free .*{tmp_path}.*free_space"):
        refuse_full(tmp_path / "runs" / "run-001", 2 * free + 1000)
    refuse_full(tmp_path / "runs", free // 2)
    refuse_full(tmp_path, 0)


def test_the_reserve_is_there_until_it_is_released(tmp_path: Path) -> None:
    """It takes its bytes, is given up once, and is gone afterwards in any case."""
    (tmp_path / RESERVE).write_bytes(b"left by a killed process")
    with reserved(tmp_path):
        assert held(tmp_path) == RESERVED
        release(tmp_path)
        assert held(tmp_path) == 0
        release(tmp_path)
    with reserved(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_reserve_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """With the folder and the remedy."""
    with (
        pytest.raises(StorageError, match=r"reserve 4 MB in .*nowhere.*nothing that was recorded is lost"),
        reserved(tmp_path / "nowhere"),
    ):
        pass


def test_a_scratch_folder_is_gone_afterwards(tmp_path: Path) -> None:
    """With all that is in it, also after an error; one that cannot be made is named."""
    with pytest.raises(ZeroDivisionError), scratch(tmp_path, "x-") as folder:
        (folder / "deep" / "er").mkdir(parents=True)
        assert folder.name.startswith("x-")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(StorageError, match=r"cannot make a folder in .*nowhere"),
        scratch(tmp_path / "nowhere", "x"),
    ):
        pass


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EROFS, "permissions"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EIO, "dmesg"),
        (errno.ENOTDIR, "move that away"),
        (errno.EXDEV, "Mend that"),
    ],
)
def test_each_kind_of_trouble_has_its_remedy(number: int, words: str) -> None:
    """Whatever it is, it is said that nothing is lost."""
    told = remedy(OSError(number, "x"))
    assert words in told
    assert "nothing that was recorded is lost" in told
