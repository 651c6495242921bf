"""Ending in order: a first Ctrl-C, SIGTERM or SIGHUP cancels what runs, which records what is in flight; a second is now."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from types import FrameType
from typing import Any, TypeVar

from harness.errors import EvolveError

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130
REPEATED = 0.1  # seconds; a wrapper that passes a signal on makes two of one, people are slower
SHOW_CURSOR = b"\x1b[?25h"


def run_until_signal(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, but a signal cancels `main` so that it can end in order, and a second one ends the process at once.

    Signals that are ignored (`nohup`, a script's background job) stay ignored. Outside the main thread, where no
    handler can be set, it is `asyncio.run`.

    Raises:
        asyncio.CancelledError: a signal ended it. KeyboardInterrupt: one came before it began. EvolveError: it failed, even
            if a signal then cut short how it closed.
    """
    ending = Ending(die)

    async def cancellable() -> T:
        ending.task = asyncio.current_task()
        try:
            return await main
        except asyncio.CancelledError as cancelled:
            raise (failed(cancelled) or cancelled) from None

    try:
        with handled(ending):
            return asyncio.run(cancellable())
    finally:
        main.close()


def failed(cancelled: BaseException) -> EvolveError | None:
    """The error during whose handling something was cancelled, if there was one: it is what people have to hear."""
    before = cancelled.__context__
    return before if before is None or isinstance(before, EvolveError) else failed(before)


class Ending:
    """What one program does about signals. `now` ends the process and does not return."""

    def __init__(self, now: Callable[[], object], clock: Callable[[], float] = monotonic) -> None:
        self.now = now
        self.clock = clock
        self.task: asyncio.Task[Any] | None = None
        self.began: float | None = None

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """The handler; it runs in the main thread between two instructions, also while the event loop is busy."""
        if self.began is None:
            self.began = self.clock()
            if self.task is None:
                raise KeyboardInterrupt
            with suppress(RuntimeError):  # the loop is closed: there is nothing left to cancel
                self.task.get_loop().call_soon_threadsafe(self.task.cancel)
        elif number != signal.SIGHUP and self.clock() - self.began > REPEATED:
            self.now()  # a terminal that goes may say so several times; that is no wish for haste


@contextmanager
def handled(ending: Ending) -> Iterator[None]:
    """Let `ending` handle the signals for as long as the block lasts; nothing happens outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = [one for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, ending) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def die() -> None:
    """End this process without waiting for anything. What is recorded is on disk: no harm is done that a kill would not."""
    with suppress(OSError):  # the terminal may be gone
        if os.isatty(2):
            os.write(2, SHOW_CURSOR + b"\r\n")  # a live display hides it
        os.write(2, b"stopped at once; everything recorded stands, the same command goes on\n")
    os._exit(INTERRUPTED)
