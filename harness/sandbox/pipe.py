"""The host's side of the pipe to one scaffold process, shared by all mechanisms. It confines nothing itself.

Nothing that comes over the pipe is trusted: every line is capped and checked (`requests.py`), and the end of the
stream is never waited for. The process is gone, whatever happened, before `converse` returns or raises.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import CandidateFault, SandboxError, Stalled
from harness.sandbox import Answer, Limits
from harness.sandbox.requests import parse

GUEST = Path(__file__).resolve().parent.parent / "guest.py"
FLAGS = ("-s", "-P", "-S")
ENVIRONMENT = {"PYTHONHASHSEED": "0"}
READY = b'{"ready": true}\n'
START_SECONDS = 60.0  # for the interpreter on a busy machine; no code of the scaffold runs in that time
EXIT_SECONDS = 2.0
OPEN_FILES = 128
TAIL_BYTES = 4096
NOISE_BYTES = 16 * 2**20

T = TypeVar("T")


@dataclass(frozen=True)
class Command:
    """How a mechanism starts the guest.

    folder: working folder of the started process. fds: descriptors it needs besides the pipe, not for the guest.
    processes: limit on the guest's threads and processes; None where the kernel cannot count them apart.
    wrapped: the started process is not the guest but reports how it ended as 128 + signal.
    """

    argv: tuple[str, ...]
    folder: Path
    fds: tuple[int, ...] = ()
    processes: int | None = None
    wrapped: bool = False


def interpreter() -> Path:
    """The real executable of the Python that runs us, outside any virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


async def converse(command: Command, opening: dict[str, Any], answer: Answer, limits: Limits) -> None:
    """Run one guest from its start to its end; the contract is that of `Sandbox.run`."""
    async with _connected(limits.line_bytes) as pipe, _connected(TAIL_BYTES) as noise:
        process = await _start(command, pipe.theirs, noise.theirs)
        guest = _Guest(process, pipe, noise, limits, command.wrapped)
        try:
            await guest.open(opening, command.processes)
            while (request := await guest.request()) is not None:
                await guest.reply(await answer(request))
        finally:
            await guest.end()


@dataclass(frozen=True)
class _Stream:
    """Our end of a socket pair, and the end that the process inherits."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    theirs: socket.socket

    def no_more(self, _: object = None) -> None:
        """Everything that will ever arrive is here: whoever else still holds their end, reading ends with it."""
        with suppress(OSError):
            self.writer.get_extra_info("socket").shutdown(socket.SHUT_RD)


@asynccontextmanager
async def _connected(limit: int) -> AsyncIterator[_Stream]:
    try:
        ours, theirs = socket.socketpair()
    except OSError as error:
        raise SandboxError(f"no pipe to a scaffold: {error}; raise `ulimit -n`") from error
    with theirs:
        reader, writer = await asyncio.open_connection(sock=ours, limit=limit)
        try:
            yield _Stream(reader, writer, theirs)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


async def _start(command: Command, pipe: socket.socket, noise: socket.socket) -> asyncio.subprocess.Process:
    """Start the process, from this loop's own thread: when its creator thread ends, bubblewrap kills it."""
    try:
        with pipe, noise:
            return await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=pipe.fileno(),
                stdout=pipe.fileno(),
                stderr=noise.fileno(),
                env=ENVIRONMENT,
                cwd=command.folder,
                pass_fds=command.fds,
                start_new_session=True,
            )
    except OSError as error:
        raise SandboxError(f"cannot start {command.argv[0]!r}: {error}") from error


@dataclass
class _Guest:
    """A started process: what it may still use, what it has said, and how it ended."""

    process: asyncio.subprocess.Process
    pipe: _Stream
    noise: _Stream
    limits: Limits
    wrapped: bool
    noise_bytes: int = 0
    tail: bytes = b""
    patience: float = field(init=False)
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.patience = self.limits.wall_seconds
        self.begun = asyncio.get_running_loop().time()
        self.exited = asyncio.create_task(self.process.wait())
        self.exited.add_done_callback(self.pipe.no_more)
        self.exited.add_done_callback(self.noise.no_more)
        self.listening = asyncio.create_task(self._listen())

    async def open(self, opening: dict[str, Any], processes: int | None) -> None:
        """Send the opening line and wait until the guest has limited itself; a failure here is never the scaffold's."""
        limits = {
            "cpu_seconds": self.limits.cpu_seconds,
            "memory": self.limits.memory,
            "file_bytes": self.limits.scratch,
            "line_bytes": self.limits.line_bytes,
            "files": OPEN_FILES,
        }
        if processes is not None:
            limits["processes"] = processes
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._write({**opening, "limits": limits})
                line = await self._line()
        except TimeoutError as error:
            raise SandboxError(f"a scaffold's process did not start within {START_SECONDS:g} s") from error
        if line != READY:
            code = await self._code()
            raise SandboxError(
                f"a scaffold's process did not start, exit code {code}: {self._last_words()!r}"
            )

    async def request(self) -> dict[str, Any] | None:
        """The next request, None when the scaffold is done; raises CandidateFault however else it went on."""
        line = await self._within(self._line())
        if line is None:
            raise await self._death()
        request = parse(line)
        if "error" in request:
            raise _crash(request["error"])
        return None if "done" in request else request

    async def reply(self, value: dict[str, Any]) -> None:
        await self._within(self._write(value))

    async def end(self) -> None:
        """Kill and reap, to the end even if we are cancelled meanwhile."""
        ending = asyncio.create_task(self._end())
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _end(self) -> None:
        if self.wrapped and _kill_children(self.process.pid):
            await asyncio.wait((self.exited,), timeout=EXIT_SECONDS)
        self._kill()
        await self.exited
        self._kill()  # the rest of its group, if it forked
        self.listening.cancel()
        with suppress(asyncio.CancelledError):
            await self.listening

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def _write(self, value: dict[str, Any]) -> None:
        self.pipe.writer.write(json.dumps(value).encode() + b"\n")
        with suppress(ConnectionError):  # it is dead; the next line is not there and says how it died
            await self.pipe.writer.drain()

    async def _line(self) -> bytes | None:
        try:
            return await self.pipe.reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            detail = f"a line of more than {self.limits.line_bytes} bytes"
            raise CandidateFault("bad_request", detail) from error
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def _listen(self) -> None:
        """Read what it prints, keep the end; too much of it ends the process."""
        with suppress(ConnectionError):
            while chunk := await self.noise.reader.read(2**16):
                self.noise_bytes += len(chunk)
                self.tail = (self.tail + chunk)[-TAIL_BYTES:]
                if self.noise_bytes > NOISE_BYTES:
                    self._kill()
                    return

    async def _within(self, waiting: Awaitable[T]) -> T:
        """Wait for the guest, at the expense of its patience."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(self.patience):
                return await waiting
        except TimeoutError as error:
            raise Stalled(f"kept the host waiting for {self.limits.wall_seconds:g} s") from error
        finally:
            self.patience = max(0.0, self.patience - (loop.time() - begun))

    async def _code(self) -> int | None:
        """The exit code, None if it closed its pipe and still runs."""
        await asyncio.wait((self.exited,), timeout=EXIT_SECONDS)
        if not self.exited.done():
            return None
        await asyncio.wait((self.listening,))
        return self.exited.result()

    async def _death(self) -> CandidateFault:
        """Why the pipe ended before `done`."""
        code = await self._code()
        if code is None:
            return CandidateFault("bad_request", "closed its pipe and went on running")
        if self.noise_bytes > NOISE_BYTES:
            return CandidateFault("over_limit", f"printed more than {NOISE_BYTES} bytes")
        if self.wrapped and code < 0:
            raise SandboxError(f"the sandbox itself was killed by signal {-code}; is memory short?")
        number = -code if code < 0 else code - 128
        if number == signal.SIGXCPU or (number == signal.SIGKILL and self._could_have_used_its_cpu()):
            return CandidateFault("hung", f"used more than {self.limits.cpu_seconds} s of CPU time")
        words = self._last_words()
        if words.splitlines()[-1:] == ["MemoryError"]:
            return CandidateFault("over_limit", words)
        return CandidateFault("crashed", f"ended early, exit code {code}; {words}".rstrip("; "))

    def _could_have_used_its_cpu(self) -> bool:
        """A kill by the CPU limit needs that much time on every core; one by lack of memory mostly comes earlier."""
        elapsed = asyncio.get_running_loop().time() - self.begun
        return elapsed * (os.cpu_count() or 1) >= self.limits.cpu_seconds

    def _last_words(self) -> str:
        return self.tail.decode("utf-8", "replace").strip()


def _kill_children(pid: int) -> bool:
    """Kill what the wrapper has started, so that it can reap and exit. If the wrapper is killed instead, its child
    dies as well, but is left to process 1, which in many containers reaps nobody."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
    except OSError:  # it is gone already, or the kernel does not tell
        return False
    return bool(children)


def _crash(error: str) -> CandidateFault:
    last = error.splitlines()[-1:] or [""]
    kind = "over_limit" if last[0].startswith("MemoryError") else "crashed"
    return CandidateFault(kind, error[-TAIL_BYTES:])
