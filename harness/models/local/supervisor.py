"""Keeps a server of local weights alive in a child process for as long as a block lasts, always at the same address.

The child has a pipe of ours as its stdin and ends with it, so it does not outlive us, however we end.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile

from harness.errors import ProviderError, bare
from harness.models.local.server import MISSING
from harness.models.local.weights import Weights

SLOTS = 4
CONTEXT = 4096
PROGRAM = (sys.executable, "-P", "-m", "harness.models.local.server")
TAIL = 600
Say = Callable[[str], object]


@dataclass(frozen=True)
class Service:
    """What to serve. slots: answers at the same time. context: tokens of each, prompt and answer together.

    port: on the loopback; 0 for any that is free.
    """

    weights: Weights
    slots: int = SLOTS
    context: int = CONTEXT
    port: int = 0


@dataclass(frozen=True)
class Care:
    """How a server is looked after.

    seconds: that loading the model may take. restarts: after how many crashes in all it is given up. end: seconds that
    it has to end by itself. program: the command that is started, with the arguments of server.py behind it.
    """

    seconds: float = 300.0
    restarts: int = 10
    end: float = 5.0
    program: Sequence[str] = PROGRAM


@asynccontextmanager
async def served(service: Service, say: Say = lambda _: None, care: Care = Care()) -> AsyncIterator[str]:
    """The base URL, up to and with /v1, of a server that answers; when it crashes it is started again at that address.

    say: is told of each crash, in a line.

    Raises:
        ProviderError: it does not start in time; or it crashed too often, then the block is cancelled.
    """
    with TemporaryFile() as log:
        child = Child(service, care, log.fileno())
        try:
            base_url = await child.start(service.port)
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(child.keep(base_url, say))
                yield base_url
                keeper.cancel()
        except BaseExceptionGroup as failed:
            (first, *others) = failed.exceptions
            raise (bare(failed) if others else first) from None
        finally:
            await child.end()


class Child:
    """The process, or the one that took its place."""

    def __init__(self, service: Service, care: Care, log: int) -> None:
        """log: the file descriptor that the processes write their complaints to."""
        self.service = service
        self.care = care
        self.log = log
        self.process: Process | None = None

    async def start(self, port: int) -> str:
        """Start it and wait until it has loaded the model; its base URL.

        Raises:
            ProviderError: it ended, or took too long.
        """
        wanted = self.service
        arguments = (wanted.weights.path, wanted.weights.name, wanted.slots, wanted.context, port)
        self.process = process = await asyncio.create_subprocess_exec(
            *self.care.program,
            *map(str, arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C is for us: calls in flight are still to be answered
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self.care.seconds):
                line = await process.stdout.readline()
        except TimeoutError:
            raise ProviderError(
                f"{self.subject} was not loaded within {self.care.seconds:g} s.{self.tail()}"
            ) from None
        if line:
            return line.decode().strip()
        raise ProviderError(self.refusal(await process.wait(), port))

    async def keep(self, base_url: str, say: Say) -> None:
        """Start it again whenever it has ended, at the same address.

        Raises:
            ProviderError: too often, or it does not start any more.
        """
        port = int(base_url.removesuffix("/v1").rpartition(":")[2])
        for crash in range(1, self.care.restarts + 1):
            assert self.process is not None
            why = ending(await self.process.wait())
            say(
                f"{self.subject} ended ({why}) and is started again, {crash} of at most {self.care.restarts} times"
            )
            await self.start(port)
        why = ending(await self.process.wait()) if self.process is not None else ""
        raise ProviderError(
            f"{self.subject} ended {self.care.restarts + 1} times, the last time with {why}.{self.tail()} The same command "
            "goes on; another GGUF file may do better."
        )

    async def end(self) -> None:
        """Let it end, and see to it that it does."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(self.care.end):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def subject(self) -> str:
        return f"the server of the local model {self.service.weights.name!r}"

    def refusal(self, code: int, port: int) -> str:
        """Why it did not start, and what to do."""
        if code == MISSING:
            return (
                f"{self.subject} needs the package xllamacpp: `pip install 'evolve-scaffold[local]'`, in a checkout "
                f"`pip install '.[local]'`.{self.tail()}"
            )
        file, place = str(self.service.weights.path), f" Is port {port} taken?" if port else ""
        return (
            f"{self.subject} does not start ({ending(code)}); is {file!r} a whole GGUF file, and is there memory for it?"
            f"{place}{self.tail()}"
        )

    def tail(self) -> str:
        """The last that the processes said."""
        size = os.fstat(self.log).st_size
        text = os.pread(self.log, TAIL, max(0, size - TAIL)).decode("utf-8", "replace")
        return f" It said: {' '.join(text.split())!r}." if text.strip() else ""


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
