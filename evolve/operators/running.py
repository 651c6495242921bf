"""One run of an external command from start to end: bounded in time and output, gone with its children after it."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import Protocol

from evolve.operators.confining import Start
from harness.errors import SandboxError, UsageError

HEAD_BYTES = 2**16
TAIL_BYTES = 2**17
EXIT_SECONDS = 2.0


@dataclass(frozen=True)
class Ran:
    """How a command ended. status: its exit code; None if it was ended when its time was up. seconds: it took."""

    status: int | None
    output: str
    seconds: float


class Confinement(Protocol):
    """Where a command runs."""

    def start(self, checkout: Path, task: Path, status: int) -> Start:
        """The process for this checkout and task. status: descriptor on which a wrapper reports how it went."""
        ...


@dataclass
class _Output:
    """The beginning and the end of what a command prints; `sink` is for the command."""

    sink: int
    reader: asyncio.StreamReader
    head: bytes = b""
    tail: bytes = b""
    dropped: int = 0

    async def listen(self) -> None:
        while chunk := await self.reader.read(2**16):
            room = HEAD_BYTES - len(self.head)
            self.head += chunk[:room]
            rest = self.tail + chunk[room:]
            self.tail = rest[-TAIL_BYTES:]
            self.dropped += len(rest) - len(self.tail)

    def close(self) -> None:
        """Give up our own hold of the sink; again is fine."""
        if self.sink >= 0:
            os.close(self.sink)
            self.sink = -1

    @property
    def text(self) -> str:
        gap = f"\n[... {self.dropped} bytes left out ...]\n" if self.dropped else ""
        return self.head.decode("utf-8", "replace") + gap + self.tail.decode("utf-8", "replace")


async def run(confinement: Confinement, checkout: Path, task: Path, seconds: float) -> Ran:
    """Run the command to its end, or end it with all its children after `seconds`.

    When this returns or raises nothing of it is left running; of an unconfined command, nothing of its process group.

    Raises:
        UsageError: it could not be started.
        SandboxError: its sandbox failed.
    """
    with TemporaryFile() as report:
        status = report.fileno()
        async with _output() as output:
            start, begun = confinement.start(checkout, task, status), monotonic()
            process = await _started(start, output.sink, status)
            output.close()
            listening = asyncio.create_task(output.listen())
            try:
                code = await _within(process, seconds)
            finally:
                await _end(process, status, start.wrapped)
                await asyncio.wait((listening,), timeout=EXIT_SECONDS)
                listening.cancel()
            if start.wrapped and code is not None:
                code = _inner(start, status, code, output.text)
            return Ran(code, output.text, monotonic() - begun)


@asynccontextmanager
async def _output() -> AsyncIterator[_Output]:
    """A pipe of our own: asyncio's would be waited for as long as anybody holds its other end."""
    source, sink = os.pipe()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb", 0)
    )
    output = _Output(sink, reader)
    try:
        yield output
    finally:
        transport.close()
        output.close()


async def _started(start: Start, sink: int, status: int) -> asyncio.subprocess.Process:
    """Start it from this loop's own thread: when its creator thread ends, bubblewrap kills it."""
    try:
        return await asyncio.create_subprocess_exec(
            *start.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=dict(start.environment),
            cwd=start.folder,
            pass_fds=(status,) if start.wrapped else (),
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(
            f"agent.command: {start.argv[0]!r} cannot be executed: {error}; correct the command"
        ) from error


async def _within(process: asyncio.subprocess.Process, seconds: float) -> int | None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await process.wait()
    return None


async def _end(process: asyncio.subprocess.Process, status: int, wrapped: bool) -> None:
    """Kill what is left and reap. With the first process of its namespace everything inside dies, and the wrapper ends."""
    if wrapped and process.returncode is None and (inner := _report(status).get("child-pid")):
        with suppress(ProcessLookupError):
            os.kill(inner, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_SECONDS):
                await process.wait()
    if process.returncode is None or not wrapped:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _report(status: int) -> dict[str, int]:
    """What bubblewrap has told so far: the process it started, and how that ended."""
    lines = os.pread(status, 2**16, 0).decode().splitlines()
    return {key: value for one in lines for key, value in json.loads(one).items()}


def _inner(start: Start, status: int, code: int, output: str) -> int:
    """The command's own exit code; bubblewrap reports none if the command was never executed."""
    report = _report(status)
    if "exit-code" in report:
        return report["exit-code"]
    said = output.strip()[-1000:] or f"bwrap ended with {code}"
    if "execvp" in said:
        program = start.argv[start.argv.index("--") + 1]
        raise UsageError(
            f"agent.command: {program!r} does not start in its sandbox: {said}. It sees the system's programs and the "
            "folder it is installed in; name what else it needs in agent.visible"
        )
    raise SandboxError(f"the agent's sandbox failed: {said}; see docs/operators.md")
