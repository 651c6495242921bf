"""The scaffold of the self-test: it tries what a confined scaffold must be able to do and what it must not.

Each finding says whether the attempt worked. For every thing refused there is one of the same kind that works.
"""

import json
import os
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def create(document: Any, env: Any) -> None:
    """Try everything and submit {"findings": {name: worked}}; the document's text says where to look."""
    target = json.loads(document.text)
    echo = env.ask("echo")
    env.submit({"findings": {name: _works(attempt) for name, attempt in _attempts(target, echo).items()}})


def _attempts(target: dict[str, str], echo: str) -> dict[str, Callable[[], object]]:
    return {
        "talk to the host": lambda: _must(echo == "echo"),
        "have a clean environment": lambda: _must(dict(os.environ) == {"PYTHONHASHSEED": "0"}),
        "draw the same random numbers": lambda: _must(random.random() == random.Random(7).random()),
        "read its own files": lambda: Path(__file__).read_bytes(),
        "write to its scratch folder": lambda: _write(Path.cwd()),
        "start a thread": _start_thread,
        "make a socket pair": _make_pair,
        "read a file of the host": lambda: Path(target["canary"]).read_bytes(),
        "read the environment of the host": lambda: Path(target["environment"]).read_bytes(),
        "write beside its own files": lambda: _write(Path(__file__).parent),
        "write to the root folder": lambda: _write(Path("/")),
        "open a network socket": lambda: socket.socket(socket.AF_INET).close(),
        "open a local socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "start a process": _fork,
        "execute a shell": lambda: _must(os.access("/bin/sh", os.X_OK)),
    }


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def _must(condition: bool) -> None:
    if not condition:
        raise ValueError


def _write(folder: Path) -> None:
    path = folder / "written-by-the-probe"
    path.write_bytes(b"x")
    path.unlink()


def _start_thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _make_pair() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.send(b"x")
        _must(other.recv(1) == b"x")


def _fork() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
