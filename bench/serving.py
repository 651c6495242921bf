"""A model server in a process of its own, the bare client that calls are compared with, and what the server saw."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import perf_counter, process_time

import httpx2

from harness.models.openai import Endpoint
from harness.types import Model

SERVER = Path(__file__).resolve().parent.parent / "tests" / "openai_server.py"
PROMPT = (
    "A cache keeps recent answers and drops the entry unused for longest. What does a cyclic scan do to it? "
    * 40
)


@dataclass(frozen=True)
class Load:
    """How the server answers. latency: seconds of an answer; slow: share of them that take two seconds instead."""

    slots: int
    latency: float
    slow: float = 0.0


@contextmanager
def served(load: Load, log: Path) -> Iterator[str]:
    """The server's URL. It computes the simulated models' answers before it sleeps no longer than the latency."""
    options = ["--latency", str(load.latency), "--slow", str(load.slow), "--log", str(log)]
    with subprocess.Popen(
        [sys.executable, str(SERVER), *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@dataclass(frozen=True)
class Bare:
    """What the client alone does. cpu: seconds of this process's time a call."""

    calls_per_second: float
    cpu: float


async def bare(url: str, load: Load, seconds: float) -> Bare:
    """As many calls as fit: each slot is a loop that posts, reads the body and posts again. No gateway, no journal."""
    endpoint = Endpoint(Model(name="simulated-weak", base_url=url))
    numbers, done = count(), 0

    async def slot() -> None:
        nonlocal done
        while perf_counter() < end:
            body = {
                "model": "simulated-weak",
                "messages": [{"role": "user", "content": PROMPT}],
                "seed": next(numbers),
                "max_tokens": 4096,
                "temperature": 1.0,
            }
            response = await endpoint.client.post("/chat/completions", cast_to=httpx2.Response, body=body)
            assert response.status_code == 200, response.content
            done += 1

    began, cpu = perf_counter(), process_time()
    end = began + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(load.slots):
            group.create_task(slot())
    took, used = perf_counter() - began, process_time() - cpu
    await endpoint.close()
    return Bare(done / took, used / done)


def busy(spans: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """Seconds of calls under way between two moments, added up over all slots."""
    return sum(max(0.0, min(end, done) - max(start, came)) for came, done in spans)


def spans(log: Path) -> list[tuple[float, float]]:
    """When each request came and was answered, as the server saw it."""
    rows = (line.split()[:2] for line in log.read_text().splitlines())
    return [(float(came), float(done)) for came, done in rows]
