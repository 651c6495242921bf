"""The pool of processes that compare answers. Host side: it sends lines, keeps the clock, and kills what is late.

The texts come from models. Their processes (worker.py) load no other code of ours and read no text as code; should one
hang or die all the same, that comparison is unknown and the next one gets a new process.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.answers.verdicts import Comparison
from harness.errors import SandboxError
from harness.types import AnswerKind

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; sys.path.append(sys.argv[1]); from harness.answers.worker import main; main(float(sys.argv[2]))"
FLAGS = ("-s", "-P")
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"}
START_SECONDS = 60.0  # for the interpreter and its imports on a busy machine; no text is read in that time
LONGEST = 20_000
LINE_BYTES = 2**16


class Checker:
    """At most `workers` processes, started at need, each with `seconds` of wall clock for one comparison.

    For one event loop; `close` before that ends.
    """

    def __init__(self, workers: int = 2, seconds: float = 5.0) -> None:
        self.seconds = seconds
        self._slots = asyncio.Semaphore(workers)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that live at this moment, as far as the event loop knows."""
        return tuple(sorted(one.process.pid for one in self._all if one.process.returncode is None))

    async def compare(self, reference: str, answer: str, kind: AnswerKind) -> Comparison:
        """Whether the answer, read as this kind, is the reference. The order of the two does not matter.

        Raises:
            SandboxError: no process could be started.
        """
        if max(len(reference), len(answer)) > LONGEST:
            return Comparison("unknown", "too_long")
        reply = await self._ask({"reference": reference, "answer": answer, "kind": kind})
        return Comparison(reply["verdict"], reply["how"]) if "verdict" in reply else _lost(reply)

    async def problem(self, reference: str, kind: AnswerKind) -> str:
        """What is wrong with a reference answer of this kind, in a sentence for its author; "" if it can be read.

        Raises:
            SandboxError: no process could be started.
        """
        if len(reference) > LONGEST:
            return f"the answer has {len(reference):,} characters; at most {LONGEST:,} are read"
        reply = await self._ask({"problem": reference, "kind": kind})
        return (
            str(reply["problem"])
            if "problem" in reply
            else f"the answer {reference[:80]!r} is too hard to read"
        )

    async def close(self) -> None:
        """Kill every process; what is still being compared is unknown."""
        self._idle.clear()
        for worker in tuple(self._all):
            await self._discard(worker)

    async def __aenter__(self) -> "Checker":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        """The reply, or {"lost": why} if there is none."""
        async with self._slots, self._borrowed() as worker:
            try:
                async with asyncio.timeout(self.seconds):
                    return await worker.ask(request)
            except TimeoutError:
                worker.sound = False
                return {"lost": "timeout"}
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                worker.sound = False
                return {"lost": "crash"}

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator["_Worker"]:
        """A process of our own; it goes back only if it has answered, so nothing late is taken for a later reply."""
        worker = await self._waiting() or await self._started()
        try:
            yield worker
        except BaseException:
            worker.sound = False
            raise
        finally:
            if worker.sound and worker in self._all:
                self._idle.append(worker)
            else:
                await self._discard(worker)

    async def _waiting(self) -> "_Worker | None":
        """An idle process that still lives."""
        while self._idle:
            worker = self._idle.pop()
            if worker.process.returncode is None:
                return worker
            await self._discard(worker)
        return None

    async def _started(self) -> "_Worker":
        worker = await _start(self.seconds)
        self._all.add(worker)
        try:
            async with asyncio.timeout(START_SECONDS):
                await worker.ready()
        except BaseException as error:
            await self._discard(worker)
            if isinstance(error, (TimeoutError, ConnectionError, asyncio.IncompleteReadError, ValueError)):
                code = worker.process.returncode
                raise SandboxError(f"a process to compare answers did not start, exit code {code}") from error
            raise
        return worker

    async def _discard(self, worker: "_Worker") -> None:
        self._all.discard(worker)
        await worker.end()


@dataclass(eq=False)
class _Worker:
    """One process that compares answers. sound: it waits for a request."""

    process: asyncio.subprocess.Process
    sound: bool = True

    async def ask(self, request: dict[str, str]) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        await self.process.stdin.drain()
        return await self._reply()

    async def ready(self) -> None:
        await self._reply()

    async def _reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        reply = json.loads(await self.process.stdout.readuntil(b"\n"))
        if not isinstance(reply, dict):
            raise ValueError(f"{reply!r} is no reply")
        return reply

    async def end(self) -> None:
        """Kill and reap it, to the end even if we are cancelled meanwhile."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        ending = asyncio.ensure_future(self.process.wait())
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as error:
                cancelled = error
        if self.process.stdin is not None:
            self.process.stdin.close()
        if cancelled is not None:
            raise cancelled


async def _start(seconds: float) -> _Worker:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *FLAGS, "-c", START, str(ROOT), str(seconds)),
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            limit=LINE_BYTES,
        )
    except OSError as error:
        raise SandboxError(f"cannot start {sys.executable!r} to compare answers: {error}") from error
    return _Worker(process)


def _lost(reply: dict[str, Any]) -> Comparison:
    return Comparison("unknown", str(reply.get("lost", "crash")))
