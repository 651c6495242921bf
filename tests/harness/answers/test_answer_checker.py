"""The processes that compare answers: killed when they hang, replaced when they die, gone when nobody needs them."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.answers import AnswerKind, Checker, Comparison

ROOT = Path(harness.__file__).parent.parent
EQUAL = Comparison("equal", "numeric")
NEXT: tuple[str, str, AnswerKind] = ("sqrt(2) * sqrt(8)", "4", "number")


def gone(pid: int, seconds: float = 20.0) -> bool:
    """True as soon as the process has ended, False after `seconds`."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


async def until_noticed(checker: Checker) -> None:
    """Let the event loop notice that the processes have ended."""
    async with asyncio.timeout(20):
        for _ in iter(lambda: checker.pids, ()):
            await asyncio.sleep(0)


def test_a_checker_starts_nothing_before_its_first_use() -> None:
    """Making and closing one is free."""

    async def main() -> None:
        checker = Checker()
        assert checker.pids == ()
        await checker.close()

    asyncio.run(main())


def test_a_process_is_used_again_and_gone_after_close() -> None:
    """Comparisons one after the other need one process; closing leaves none, not even a zombie."""

    async def main() -> tuple[int, ...]:
        async with Checker(seconds=60.0) as checker:
            assert await checker.compare(*NEXT) == EQUAL
            first = checker.pids
            assert await checker.compare(*NEXT) == EQUAL
            assert checker.pids == first
            return first

    (pid,) = asyncio.run(main())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_hung_process_is_replaced() -> None:
    """What does not answer in time is unknown, and the next comparison works."""

    async def main() -> None:
        async with Checker(workers=1, seconds=60.0) as checker:
            assert await checker.compare(*NEXT) == EQUAL
            checker.seconds = 0.2
            (pid,) = checker.pids
            os.kill(pid, signal.SIGSTOP)
            assert await checker.compare(*NEXT) == Comparison("unknown", "timeout")
            assert pid not in checker.pids and gone(pid)
            checker.seconds = 60.0
            assert await checker.compare(*NEXT) == EQUAL

    asyncio.run(main())


def test_a_process_that_dies_at_work_is_replaced() -> None:
    """Its comparison is unknown, and the next one works."""

    async def main() -> None:
        async with Checker(workers=1, seconds=60.0) as checker:
            assert await checker.compare(*NEXT) == EQUAL
            (pid,) = checker.pids
            os.kill(pid, signal.SIGSTOP)
            asked = asyncio.create_task(checker.compare(*NEXT))
            await asyncio.sleep(0)
            os.kill(pid, signal.SIGKILL)
            assert await asked == Comparison("unknown", "crash")
            assert await checker.compare(*NEXT) == EQUAL

    asyncio.run(main())


def test_a_process_that_died_idle_costs_no_verdict() -> None:
    """It is noticed before it is asked."""

    async def main() -> None:
        async with Checker(workers=1, seconds=60.0) as checker:
            assert await checker.compare(*NEXT) == EQUAL
            (pid,) = checker.pids
            os.kill(pid, signal.SIGKILL)
            await until_noticed(checker)
            assert await checker.compare(*NEXT) == EQUAL

    asyncio.run(main())


def test_cancelling_leaves_no_process_at_work() -> None:
    """A cancelled comparison's process is killed, and the checker goes on."""

    async def main() -> None:
        async with Checker(workers=1, seconds=60.0) as checker:
            assert await checker.compare(*NEXT) == EQUAL
            (pid,) = checker.pids
            os.kill(pid, signal.SIGSTOP)
            asked = asyncio.create_task(checker.compare(*NEXT))
            await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert pid not in checker.pids and gone(pid)
            assert await checker.compare(*NEXT) == EQUAL

    asyncio.run(main())


def test_closing_ends_what_is_being_compared() -> None:
    """A comparison under way is unknown."""

    async def main() -> None:
        checker = Checker(workers=1, seconds=60.0)
        assert await checker.compare(*NEXT) == EQUAL
        (pid,) = checker.pids
        os.kill(pid, signal.SIGSTOP)
        asked = asyncio.create_task(checker.compare(*NEXT))
        await asyncio.sleep(0)
        await checker.close()
        assert await asked == Comparison("unknown", "crash")
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


HOST = """
import asyncio
from harness.answers import Checker

async def main():
    checker = Checker(workers=1, seconds=60.0)
    await checker.compare("1", "1.0", "number")
    print(*checker.pids, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_processes_die_with_a_killed_parent() -> None:
    """Nothing is left behind, even by a host that could not clean up."""
    with subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, cwd=ROOT) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        os.kill(pid, 0)
        host.kill()
    assert gone(pid)


def test_the_package_loads_no_library_for_numbers() -> None:
    """Importing it is cheap: what computes is loaded by the processes alone."""
    code = "import sys, harness.answers; sys.exit('mpmath' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_problem_is_told_to_the_author() -> None:
    """A reference that can be read has none; one that cannot gets a sentence with its text."""

    async def main() -> None:
        async with Checker(workers=1, seconds=60.0) as checker:
            assert await checker.problem("x<3", "inequality") == ""
            assert "cannot be read as matrix" in await checker.problem("x<3", "matrix")
            assert "at most" in await checker.problem("x" * 30_000, "number")

    asyncio.run(main())
