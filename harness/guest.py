"""Runs one scaffold inside the sandbox, as a script: `python -s -P -S guest.py FOLDER`. Never imported by the host.

Standard library only. It keeps the pipe to the host to itself, sets the process's own limits before any code of
the scaffold is loaded, then calls `create(document, env)` of the folder's `agent.py`.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import resource
import sys
import threading

TYPE_CHECKING = False  # spares every rollout the import of typing
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, BinaryIO, NoReturn

ENVIRONMENT = "PYTHONHASHSEED"
ERROR_CHARACTERS = 2000
THREAD_STACK = 2 * 2**20  # the usual 8 MiB would use up the address space after a few threads


class AllowanceSpent(Exception):
    """The host refuses: the rollout's submissions, asks or tokens are used up."""


class Document:
    """What the scaffold reads: the name and the text of one source document.

    notes: what the host's extractor found in it, by name, in domains that have one.
    """

    def __init__(self, name: str, text: str, notes: dict[str, Any] | None = None) -> None:
        self.name = name
        self.text = text
        self.notes = notes or {}

    def __repr__(self) -> str:
        """Without an address: a prompt made of it by mistake must be the same prompt in a replay."""
        return f"Document({self.name!r})"


class Wire:
    """The two pipe ends, one JSON object a line; one exchange at a time whatever threads the scaffold starts."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()
        self.line_bytes = 0

    def receive(self) -> dict[str, Any]:
        line = self._reader.readline()
        if not line.endswith(b"\n"):
            os._exit(1)  # the host is gone
        value: dict[str, Any] = json.loads(line)
        return value

    def send(self, value: dict[str, Any]) -> None:
        """Write one line. NaN, lone surrogates, too much text and what JSON does not know raise Type- or ValueError."""
        line = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
        if len(line) > self.line_bytes:
            raise ValueError(f"a request of {len(line)} bytes; one line may have {self.line_bytes}")
        self._writer.write(line)
        self._writer.flush()

    def finish(self, value: dict[str, Any]) -> NoReturn:
        """The last word; then wait to be killed, so that the host ends this process and not the other way round."""
        while True:
            self.exchange(value)

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.send(request)
            return self.receive()


class Env:
    """All a scaffold can do: ask the challenger model, submit an example, see how many submissions are left."""

    AllowanceSpent = AllowanceSpent

    def __init__(self, wire: Wire, submissions: int) -> None:
        self._wire = wire
        self.submissions_left = submissions

    def __repr__(self) -> str:
        return f"Env(submissions_left={self.submissions_left})"

    def ask(self, prompt: str | list[str]) -> str | list[str]:
        """Send `prompt` to the challenger model and return its answer; a list is asked at once, answers in its order.

        Raises AllowanceSpent; nothing of a list is asked if not all of it is allowed.
        """
        for one in prompt if isinstance(prompt, list | tuple) else [prompt]:
            if not isinstance(one, str):
                raise TypeError(f"a prompt is a str, not {type(one).__name__}")
            _refuse_nul(one)
        if isinstance(prompt, str):
            text: str = self._exchange({"ask": prompt})["text"]
            return text
        texts: list[str] = self._exchange({"ask": list(prompt)})["texts"] if prompt else []
        return texts

    def submit(self, example: dict[str, Any] | str) -> dict[str, Any]:
        """Hand in an example, as an object or as the model's own text, and return the report; raises AllowanceSpent."""
        if not isinstance(example, dict | str):
            raise TypeError(f"an example is a dict or a str, not {type(example).__name__}")
        _refuse_nul(example)
        report: dict[str, Any] = self._exchange({"submit": example})["report"]
        self.submissions_left = report.get("submissions_left", self.submissions_left - 1)
        return report

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        reply = self._wire.exchange(request)
        if "spent" not in reply:
            return reply
        if reply["spent"] == "submissions":
            self.submissions_left = 0
        raise AllowanceSpent(reply["spent"])


def _refuse_nul(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a NUL character cannot be sent")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key)
            _refuse_nul(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_nul(item)


def take_pipe() -> Wire:
    """Keep private copies of stdin and stdout; from now on prints go to stderr and reads find nothing."""
    reader, writer = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return Wire(os.fdopen(reader, "rb"), os.fdopen(writer, "wb"))


def limit(limits: dict[str, int]) -> None:
    """Set the limits of this process; `processes` is absent where the kernel would count other people's too."""
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 1)
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _limit(resource.RLIMIT_NOFILE, limits["files"])
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":  # elsewhere the address space cannot be limited dependably
        _limit(resource.RLIMIT_AS, limits["memory"])
    if "processes" in limits:
        _limit(resource.RLIMIT_NPROC, limits["processes"])


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    hard = soft if hard is None else hard
    ceiling = resource.getrlimit(which)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(which, (soft, hard))


def short(error: BaseException, folder: str) -> str:
    """A traceback without this file's own frames and without addresses, which differ in a replay.

    Paths are relative to the scaffold; of a long one its end is kept.
    """
    try:
        import re  # both cost milliseconds, so only here
        import traceback

        error.__traceback__ = _own(error.__traceback__)
        text = "".join(traceback.format_exception(error)).replace(folder + os.sep, "")
        text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    except MemoryError:
        text = type(error).__name__
    sendable = text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
    return sendable.strip()[-ERROR_CHARACTERS:]


def _own(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is neither of this file nor of the import machinery."""
    start = trace
    while start is not None:
        name = start.tb_frame.f_code.co_filename
        if name != __file__ and "importlib" not in name:
            return start
        start = start.tb_next
    return None


def main(folder: str) -> None:
    """One rollout: opening line, limits, `ready`, the scaffold, `done`."""
    for name in set(os.environ) - {ENVIRONMENT}:  # the interpreter's locale coercion and bubblewrap add some
        del os.environ[name]
    sys.dont_write_bytecode = True
    wire = take_pipe()
    opening = wire.receive()
    wire.line_bytes = opening["limits"]["line_bytes"]
    limit(opening["limits"])
    threading.stack_size(THREAD_STACK)
    random.seed(opening["seed"])

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        wire.finish({"error": short(error, folder)})

    sys.excepthook = crashed
    wire.send({"ready": True})
    sys.path.insert(0, folder)
    agent = importlib.import_module("agent")
    try:
        agent.create(Document(**opening["document"]), Env(wire, opening["submissions"]))
    except AllowanceSpent:
        wire.finish({"done": True})
    wire.finish({"done": True})


if __name__ == "__main__":
    main(sys.argv[1])
