"""Real sandboxes for tests, and the ways to run a scaffold's code in one and to see what is left of it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import CandidateFault, SandboxError
from harness.sandbox import Answer, Limits, Sandbox
from harness.sandbox.bubblewrap import Bubblewrap, prepare
from harness.sandbox.choose import self_test
from harness.sandbox.process import Process

LIMITS = Limits(cpu_seconds=5, wall_seconds=30.0, memory=256 * 2**20, scratch=2**20, line_bytes=2**18)
Make = Callable[[Limits], Sandbox]
_reason: list[str | None] = []


def why_no_bubblewrap() -> str | None:
    """What is wrong with bubblewrap on this machine, looked at once."""
    if not _reason:
        try:
            _reason.append(asyncio.run(_try_bubblewrap()))
        except SandboxError as error:
            _reason.append(str(error))
    return _reason[0]


async def _try_bubblewrap() -> str | None:
    return await self_test(await prepare(Limits()))


def bubblewrap(limits: Limits = LIMITS) -> Bubblewrap:
    """A bubblewrap sandbox, or the test is skipped with the reason."""
    if (reason := why_no_bubblewrap()) is not None:
        pytest.skip(f"bubblewrap does not work here: {reason}")
    return asyncio.run(prepare(limits))


MECHANISMS: dict[str, Make] = {"process": Process, "bubblewrap": bubblewrap}


@pytest.fixture(params=sorted(MECHANISMS))
def make(request: pytest.FixtureRequest) -> Make:
    """Each mechanism in turn."""
    return MECHANISMS[request.param]


def scaffold(folder: Path, code: str) -> Path:
    """A scaffold whose agent.py is `code`."""
    folder.mkdir(exist_ok=True)
    (folder / "agent.py").write_text(code, encoding="utf-8")
    return folder


def opening(text: str = "text") -> dict[str, Any]:
    return {"document": {"name": "name", "text": text}, "seed": 1, "submissions": 3}


class Host:
    """Answers like a rollout would, and keeps what was asked and submitted."""

    def __init__(self, left: int = 2) -> None:
        self.requests: list[dict[str, Any]] = []
        self.left = left

    async def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        if "ask" in request:
            return {"text": request["ask"].upper()}
        return {"report": {"accepted": False, "submissions_left": self.left}}

    @property
    def submitted(self) -> list[Any]:
        return [request["submit"] for request in self.requests if "submit" in request]


def run(sandbox: Sandbox, folder: Path, code: str, answer: Answer | None = None) -> None:
    """One rollout of `code` in `sandbox`, in a loop of its own."""
    asyncio.run(sandbox.run(scaffold(folder, code), opening(), answer or Host()))


def fault(make: Make, folder: Path, code: str, **limits: Any) -> CandidateFault:
    """The fault that `code` ends with."""
    with pytest.raises(CandidateFault) as caught:
        run(make(replace(LIMITS, **limits)), folder, code)
    return caught.value


def told(sandbox: Sandbox, folder: Path, code: str) -> Any:
    """What the function `tell()` of `code` returns inside `sandbox`."""
    host = Host()
    run(sandbox, folder, f"{code}\ndef create(document, env):\n    env.submit({{'told': tell()}})\n", host)
    return host.submitted[0]["told"]


def processes_with(text: str) -> list[int]:
    """Processes whose command line has `text`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def gone(text: str, seconds: float = 5.0) -> bool:
    """True as soon as no process has `text` in its command line, False after `seconds`."""
    deadline = time.monotonic() + seconds
    while processes_with(text):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
