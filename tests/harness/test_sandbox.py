"""The contract of `Sandbox.run`, with real processes of every mechanism."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sandboxes import LIMITS, Host, Make, bubblewrap, fault, gone, make, opening, run, scaffold

from harness.errors import CandidateFault, SandboxError, Stalled
from harness.sandbox import pipe
from harness.sandbox.process import Process

__all__ = ["make"]  # a fixture

RAW = """
import os, time
def create(document, env):
    wire = env._wire._writer.fileno()
    os.write(wire, {line!r})
    {then}
"""


def test_conversation(make: Make, tmp_path: Path) -> None:
    """A scaffold reads its document, asks and submits in order, and hears how many submissions are left."""
    host = Host(left=1)
    code = """
from lib import part
def create(document, env):
    print("noise on stdout", document.name)
    assert env.submissions_left == 3
    reply = env.ask(document.text)
    report = env.submit({"reply": reply, "part": part.NAME})
    assert env.submissions_left == 1 and report["accepted"] is False
    env.submit("as text")
"""
    (tmp_path / "s" / "lib").mkdir(parents=True)
    (tmp_path / "s" / "lib" / "part.py").write_text("NAME = 'part'")
    run(make(LIMITS), tmp_path / "s", code, host)
    assert host.requests == [
        {"ask": "text"},
        {"submit": {"reply": "TEXT", "part": "part"}},
        {"submit": "as text"},
    ]
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.mark.parametrize("what", ["submissions", "asks", "tokens"])
def test_spent_allowance_ends_quietly(make: Make, tmp_path: Path, what: str) -> None:
    """A spent allowance is an exception a scaffold may catch, and no fault if it does not."""

    async def spent(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request)
        return {"spent": what}

    seen: list[dict[str, Any]] = []
    code = """
def create(document, env):
    try:
        env.ask("a")
    except env.AllowanceSpent as spent:
        env.ask(str(spent))
    raise RuntimeError("not reached")
"""
    run(make(LIMITS), tmp_path / "s", code, spent)
    assert seen == [{"ask": "a"}, {"ask": what}]


def test_crash_is_told_with_its_own_frames_only(make: Make, tmp_path: Path) -> None:
    """A crash carries the traceback of the scaffold, without a path of the host."""
    found = fault(make, tmp_path / "s", "def create(document, env):\n    raise KeyError('lost')\n")
    assert found.kind == "crashed"
    assert 'File "agent.py", line 2, in create' in found.detail
    assert found.detail.endswith("KeyError: 'lost'")
    assert "guest.py" not in found.detail and str(tmp_path) not in found.detail


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def create(document, env):\n    return (\n", "SyntaxError"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("x = 1", "has no attribute 'create'"),
        ("import sys\ndef create(document, env): sys.exit(0)", "exit code 0"),
        ("import os\ndef create(document, env): os._exit(3)", "exit code 3"),
        ("import os\ndef create(document, env): print('bye', flush=True); os.abort()", "bye"),
        ("def create(document, env): create(document, env)", "RecursionError"),
        ("def create(document, env): raise BaseException('odd')", "odd"),
        ("def create(document, env): raise ValueError('\\ud800')", "ValueError"),
        ("def create(document, env): env.ask(7)", "TypeError: a prompt is a str, not int"),
        ("def create(document, env): env.ask('\\ud800')", "UnicodeEncodeError"),
        ("def create(document, env): env.ask('a\\0b')", "NUL"),
        ("def create(document, env): env.ask('a' * 10**6)", "ValueError: a request of 1000"),
        ("def create(document, env): env.submit({'a': float('nan')})", "ValueError"),
        ("def create(document, env): env.submit({'a': {1, 2}})", "TypeError"),
        ("def create(document, env): env.submit([1])", "TypeError"),
    ],
)
def test_crashes(make: Make, tmp_path: Path, code: str, words: str) -> None:
    """Whatever ends a scaffold before create() returns is a crash, and says why."""
    found = fault(make, tmp_path / "s", code)
    assert found.kind == "crashed"
    assert words in found.detail


def test_own_errors_can_be_caught(make: Make, tmp_path: Path) -> None:
    """A refused prompt leaves the pipe in order for the next one."""
    host = Host()
    code = """
def create(document, env):
    for bad in ("\\ud800", 7, "a\\0", "x" * 10**6):
        try:
            env.ask(bad)
        except (TypeError, ValueError):
            continue
        raise RuntimeError("accepted")
    env.ask("good")
"""
    run(make(LIMITS), tmp_path / "s", code, host)
    assert host.requests == [{"ask": "good"}]


def test_cpu_limit_is_a_hang(make: Make, tmp_path: Path) -> None:
    """A scaffold that uses up its CPU time hung."""
    found = fault(make, tmp_path / "s", "def create(document, env):\n    while True: pass\n", cpu_seconds=1)
    assert (found.kind, type(found)) == ("hung", CandidateFault)


def test_ignoring_the_cpu_limit(tmp_path: Path) -> None:
    """A scaffold that ignores the first signal of the CPU limit does not survive the second."""
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass\n"
    found = fault(bubblewrap, tmp_path / "s", code, cpu_seconds=1)
    assert (found.kind, type(found)) == ("hung", CandidateFault)


def test_sleeping_stalls(make: Make, tmp_path: Path) -> None:
    """A scaffold that only lets time pass stalled, which is to be measured again."""
    code = "import time\ndef create(document, env): time.sleep(1000)\n"
    assert isinstance(fault(make, tmp_path / "s", code, wall_seconds=0.2), Stalled)


def test_waiting_for_a_model_is_not_stalling(tmp_path: Path) -> None:
    """The clock stands still while the host works on an answer."""

    async def slow(request: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(1.2)
        return {"text": "late"}

    sandbox = Process(replace(LIMITS, wall_seconds=1.0))
    run(sandbox, tmp_path / "s", "def create(document, env): assert env.ask('a') == 'late'\n", slow)


def test_a_reply_nobody_reads_stalls(make: Make, tmp_path: Path) -> None:
    """A scaffold that sends and never reads cannot make the host wait for ever."""

    async def big(request: dict[str, Any]) -> dict[str, Any]:
        return {"text": "x" * 2**20}

    code = RAW.format(line=b'{"ask": "a"}\n' * 50, then="time.sleep(1000)")
    with pytest.raises(Stalled):
        run(make(replace(LIMITS, wall_seconds=0.3)), tmp_path / "s", code, big)


@pytest.mark.parametrize("bomb", ["bytearray(2**30)", "[bytearray(2**20) for _ in range(2**12)]"])
def test_memory_bomb(make: Make, tmp_path: Path, bomb: str) -> None:
    """More memory than allowed is over the limit, fast or slow; the bomb does not hurt the host."""
    found = fault(make, tmp_path / "s", f"def create(document, env): return {bomb}\n")
    assert found.kind == "over_limit"
    run(make(LIMITS), tmp_path / "s", "def create(document, env): return bytearray(2**24)\n")


def test_flood_of_prints(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prints are read and forgotten, up to a cap."""
    monkeypatch.setattr(pipe, "NOISE_BYTES", 2**20)
    run(make(LIMITS), tmp_path / "s", "def create(document, env): print('x' * 2**19)\n")
    found = fault(make, tmp_path / "s", "def create(document, env):\n    while True: print('x' * 2**16)\n")
    assert found.kind == "over_limit" and "printed more than" in found.detail


@pytest.mark.parametrize(
    ("line", "then", "kind"),
    [
        (b"no json\n", "env.ask('a')", "bad_request"),
        (b'{"ask": "a", "submit": {}}\n', "env.ask('a')", "bad_request"),
        (b'{"exec": "a"}\n', "env.ask('a')", "bad_request"),
        (b"x" * 2**19, "time.sleep(1000)", "bad_request"),
        (b'{"ask": "half', "os._exit(0)", "crashed"),
    ],
)
def test_broken_protocol(make: Make, tmp_path: Path, line: bytes, then: str, kind: str) -> None:
    """Bytes that are no request end the rollout, and nothing waits for more of them."""
    assert fault(make, tmp_path / "s", RAW.format(line=line, then=then)).kind == kind


def test_a_closed_pipe_does_not_last(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scaffold that closes its pipe and stays is ended; bubblewrap's own copy of the pipe makes it a stall."""
    monkeypatch.setattr(pipe, "EXIT_SECONDS", 0.3)
    code = RAW.format(line=b"", then="os.close(wire); os.close(env._wire._reader.fileno()); time.sleep(1000)")
    assert fault(make, tmp_path / "s", code, wall_seconds=0.5).kind in ("bad_request", "hung")


def test_a_huge_line_is_not_kept(make: Make, tmp_path: Path) -> None:
    """A line without an end is refused at its cap, long before it is all there."""
    code = RAW.format(line=b"", then="[os.write(wire, b'x' * 2**16) for _ in range(160)]")
    assert fault(make, tmp_path / "s", code).detail == f"a line of more than {LIMITS.line_bytes} bytes"


def test_forged_end(make: Make, tmp_path: Path) -> None:
    """A scaffold may say that it is done; nothing it does afterwards is listened to, and it is gone."""
    host = Host()
    line = b'{"done": true}\n{"ask": "a"}\n'
    run(make(LIMITS), tmp_path / "s", RAW.format(line=line, then="time.sleep(1000)"), host)
    assert host.requests == []
    assert gone(str(tmp_path / "s"))


def test_threads_do_not_mix_their_requests(make: Make, tmp_path: Path) -> None:
    """Every thread gets the answer to its own question."""
    code = """
import asyncio
async def all_of_them(env):
    return await asyncio.gather(*(asyncio.to_thread(env.ask, f"q{i}") for i in range(20)))
def create(document, env):
    assert asyncio.run(all_of_them(env)) == [f"Q{i}" for i in range(20)]
"""
    run(make(LIMITS), tmp_path / "s", code)


def test_many_at_once_are_kept_apart(make: Make, tmp_path: Path) -> None:
    """Scaffolds that run at the same time each talk to their own host."""

    async def all_of_them() -> list[Host]:
        hosts = [Host() for _ in range(8)]
        async with asyncio.TaskGroup() as group:
            for number, host in enumerate(hosts):
                group.create_task(sandbox.run(folder, opening(f"t{number}"), host))
        return hosts

    folder = scaffold(tmp_path / "s", "def create(document, env): env.submit(env.ask(document.text))\n")
    sandbox = make(LIMITS)
    for number, host in enumerate(asyncio.run(all_of_them())):
        assert host.requests == [{"ask": f"t{number}"}, {"submit": f"T{number}"}]


def test_no_such_interpreter(tmp_path: Path) -> None:
    """A program that cannot be started is our fault, not a scaffold's."""
    command = pipe.Command(("/no/such/python",), tmp_path)
    with pytest.raises(SandboxError, match="'/no/such/python'"):
        asyncio.run(pipe.converse(command, opening(), Host(), LIMITS))


def test_a_program_that_is_not_the_guest(tmp_path: Path) -> None:
    """A program that ends before the guest is ready is our fault; its last words are in the message."""
    command = pipe.Command((sys.executable, "-c", "import sys; sys.exit('no luck')"), tmp_path)
    with pytest.raises(SandboxError, match="exit code 1: 'no luck'"):
        asyncio.run(pipe.converse(command, opening(), Host(), LIMITS))
