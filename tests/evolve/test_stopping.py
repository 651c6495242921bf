"""Signals: the first cancels, a later one ends at once, and repeats, other threads and old handlers are left in peace."""

import asyncio
import os
import signal
import threading
from contextlib import AsyncExitStack

import pytest

from evolve.stopping import Ending, handled, run_until_signal
from harness.errors import OurFault


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_signal_cancels_and_the_block_ends_in_order() -> None:
    """What the coroutine does on its way out is done, also if it takes some turns of the loop."""
    done: list[str] = []

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("recorded")

    with pytest.raises(asyncio.CancelledError):
        run_until_signal(main())
    assert done == ["recorded"]


def test_a_signal_while_a_failure_is_tidied_up_does_not_hide_it() -> None:
    """What went wrong is raised, not the interruption, and the rest of the tidying is done."""
    done: list[str] = []

    async def close() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            done.append("closed")

    async def main() -> None:
        async with AsyncExitStack() as stack:
            stack.callback(done.append, "unlocked")
            stack.push_async_callback(close)
            try:
                raise OurFault("the disk failed")
            finally:
                await asyncio.sleep(0)

    with pytest.raises(OurFault, match="the disk failed"):
        run_until_signal(main())
    assert done == ["closed", "unlocked"]


def test_a_second_signal_ends_at_once_unless_it_is_an_echo() -> None:
    """Within a tenth of a second it is the same key press, passed on by a wrapper; a hangup is never a second one."""
    ended: list[bool] = []
    clock = Clock()
    ending = Ending(lambda: ended.append(True), clock)

    async def main() -> None:
        ending.task = asyncio.create_task(asyncio.Event().wait())
        ending(signal.SIGINT)
        ending(signal.SIGINT)
        clock.now = 5.0
        ending(signal.SIGHUP)
        assert ended == []
        ending(signal.SIGTERM)
        with pytest.raises(asyncio.CancelledError):
            await ending.task

    asyncio.run(main())
    assert ended == [True]


def test_a_signal_before_anything_runs_is_an_interruption() -> None:
    """There is nothing to cancel yet."""
    with pytest.raises(KeyboardInterrupt):
        Ending(lambda: None)(signal.SIGINT)


def test_handlers_are_put_back_and_ignored_signals_stay_ignored() -> None:
    """As they were before, whatever they were."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interrupt = signal.getsignal(signal.SIGINT)
        with handled(Ending(lambda: None)):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert isinstance(signal.getsignal(signal.SIGINT), Ending)
        assert signal.getsignal(signal.SIGINT) is interrupt
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_needs_no_signals() -> None:
    """A library user may run it anywhere: it is asyncio.run there."""
    found: list[int] = []

    async def main() -> int:
        return 7

    thread = threading.Thread(target=lambda: found.append(run_until_signal(main())))
    thread.start()
    thread.join()
    assert found == [7]
