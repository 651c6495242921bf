"""The process that reads files: what it may use, and that one which hangs does not hang the program."""

import os
import resource
from pathlib import Path

import pytest

from harness.readers import apart
from harness.readers.apart import MOST_MEMORY, Apart


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux tells the limits of another process")
def test_it_has_its_limits_and_a_session_of_its_own(tmp_path: Path) -> None:
    """Its memory and its time are bounded by the kernel, and no Ctrl-C of the terminal reaches it."""
    with Apart(most_cpu=7) as reader:
        assert reader.extract("docx", tmp_path / "gone.docx").problem == "No such file or directory"
        assert reader._process is not None
        pid = reader._process.pid
        assert resource.prlimit(pid, resource.RLIMIT_AS) == (MOST_MEMORY, MOST_MEMORY)
        assert 7 <= resource.prlimit(pid, resource.RLIMIT_CPU)[0] <= 17
        assert os.getsid(pid) == pid


def test_a_file_that_never_comes_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits without computing is ended by the clock; the next file gets a process of its own."""
    monkeypatch.setattr(apart, "MOST_TIME", 0.2)
    os.mkfifo(tmp_path / "pipe.docx")
    with Apart() as reader:
        assert "takes more than" in reader.extract("docx", tmp_path / "pipe.docx").problem
        monkeypatch.setattr(apart, "MOST_TIME", 60.0)
        assert reader.extract("docx", tmp_path / "gone.docx").problem == "No such file or directory"
