"""However a rollout ends, its processes, descriptors and tasks are gone."""

import asyncio
import ctypes
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import children
from sandboxes import (
    LIMITS,
    Host,
    Make,
    bubblewrap,
    fault,
    gone,
    make,
    opening,
    processes_with,
    run,
    scaffold,
)

from harness.errors import CandidateFault

__all__ = ["make"]  # a fixture
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def subreaper() -> Iterator[None]:
    """Whatever a child of ours leaves behind becomes our own child."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def test_orphans_do_not_outlive(make: Make, tmp_path: Path) -> None:
    """A child the scaffold leaves behind is gone with it, and does not hold up the end."""
    code = """
import os, subprocess, sys, time
def create(document, env):
    subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(1000)", "{mark}"], close_fds=False)
    os._exit(0)
"""
    mark = f"orphan-of-{os.getpid()}-{tmp_path.name}"
    found = fault(make, tmp_path / "s", code.replace("{mark}", mark))
    assert found.kind == "crashed"
    assert gone(mark)


class Boom(Exception):
    """What an answer may raise."""


def test_what_answer_raises_comes_back(make: Make, tmp_path: Path) -> None:
    """An error of the host's own work is raised unchanged, once the process is gone."""

    async def boom(request: dict[str, Any]) -> dict[str, Any]:
        assert processes_with(str(tmp_path / "s"))
        raise Boom(request["ask"])

    with pytest.raises(Boom, match=r"^a$"):
        run(make(LIMITS), tmp_path / "s", "def create(document, env): env.ask('a')\n", boom)
    assert gone(str(tmp_path / "s"))


@pytest.mark.parametrize("where", ["in the answer", "in the scaffold", "at the start"])
def test_cancellation(make: Make, tmp_path: Path, where: str) -> None:
    """Cancelling a run at any point ends the process and leaves neither task nor zombie."""

    async def cancel_it() -> None:
        reached = asyncio.Event()

        async def answer(request: dict[str, Any]) -> dict[str, Any]:
            reached.set()
            if where == "in the answer":
                await asyncio.Event().wait()
            return {"text": ""}

        code = "import time\ndef create(document, env):\n    env.ask('a')\n    time.sleep(1000)\n"
        running = asyncio.create_task(sandbox.run(scaffold(tmp_path / "s", code), opening(), answer))
        await (asyncio.sleep(0) if where == "at the start" else reached.wait())
        running.cancel()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert asyncio.all_tasks() == {asyncio.current_task()}

    sandbox, before = make(LIMITS), children()
    asyncio.run(cancel_it())
    assert gone(str(tmp_path / "s"))
    assert children() <= before


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_nothing_leaks(make: Make, tmp_path: Path) -> None:
    """Many runs, good and bad, leave no descriptor, task, child or temporary folder."""

    async def many() -> int:
        for code in ("x = 1", "def create(document, env): env.ask('a')", "import os; os._exit(0)"):
            folder = scaffold(tmp_path / "s", code)
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(one(folder))
        return sum(1 for fd in range(256) if _is_open(fd))

    async def one(folder: Path) -> None:
        try:
            await sandbox.run(folder, opening(), Host())
        except CandidateFault as error:
            faults.append(error.kind)

    async def all_of_it() -> None:
        first = await many()
        assert await many() == first
        assert asyncio.all_tasks() == {asyncio.current_task()}

    faults: list[str] = []
    sandbox = make(LIMITS)
    asyncio.run(all_of_it())
    gc.collect()
    assert faults == 12 * ["crashed"]


@pytest.mark.usefixtures("subreaper")
@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("def create(document, env): pass", None),
        ("x = 1", CandidateFault),
        ("def create(document, env): env.ask('a')", Boom),
    ],
)
def test_nothing_is_left_to_process_1(
    make: Make, tmp_path: Path, code: str, end: type[Exception] | None
) -> None:
    """No zombie is handed to process 1, which in many containers would keep it."""

    async def boom(request: dict[str, Any]) -> dict[str, Any]:
        raise Boom

    before = children()  # what tests before this one have left, such as a pool's resource tracker
    try:
        run(make(LIMITS), tmp_path / "s", code, boom)
        ended: type[Exception] | None = None
    except (Boom, CandidateFault) as error:
        ended = type(error)
    assert ended is end
    assert children() <= before


def test_host_killed(tmp_path: Path) -> None:
    """When the host is killed, a confined scaffold dies with it, asleep or not."""
    bubblewrap(LIMITS)
    folder = scaffold(
        tmp_path / "s", "import time\ndef create(document, env): env.ask('a'); time.sleep(1000)\n"
    )
    code = """
import asyncio, sys
from pathlib import Path
from harness.sandbox import Limits
from harness.sandbox.bubblewrap import prepare
async def answer(request):
    print("asked", flush=True)
    return {"text": ""}
async def main():
    sandbox = await prepare(Limits())
    opening = {"document": {"name": "n", "text": "t"}, "seed": 1, "submissions": 1}
    await sandbox.run(Path(sys.argv[1]), opening, answer)
asyncio.run(main())
"""
    host = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
    assert host.stdout is not None
    with host, host.stdout:
        assert host.stdout.readline() == b"asked\n"
        assert len(processes_with(str(folder))) > 1
        os.kill(host.pid, signal.SIGKILL)
    assert gone(str(folder))
