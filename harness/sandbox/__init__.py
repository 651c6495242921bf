"""How untrusted code is confined: what every mechanism promises. One file a mechanism; `choose` lives in `choose.py`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Level = Literal["full", "kernel-only", "namespaces-only", "seatbelt", "external", "process"]
Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Limits:
    """What one scaffold process may use.

    cpu_seconds decides what is a hang; wall_seconds counts only the time the host waits for the scaffold, never the
    time the scaffold waits for models. memory and scratch are in bytes; line_bytes caps one request.
    """

    cpu_seconds: int = 10
    wall_seconds: float = 60.0
    memory: int = 512 * 2**20
    scratch: int = 16 * 2**20
    line_bytes: int = 1 * 2**20


class Sandbox(Protocol):
    """A place where one scaffold runs on one document, and is gone afterwards."""

    @property
    def level(self) -> Level: ...

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        """Run `agent.py` of the folder `scaffold` once: send `opening`, answer each request, until it is done.

        opening: one JSON object: {"document": {"name", "text"}, "seed": int, "submissions": int}.
        answer: called with each request object of the scaffold, one at a time, in order; its result is sent back.

        Raises:
            CandidateFault: it `crashed`, `hung` (CPU limit), sent a `bad_request`, or went `over_limit`.
            Stalled: the wall-clock limit fired without the CPU limit; the caller measures again.
            SandboxError: the process could not be started at all.
        Whatever `answer` raises is raised again, after the process is gone.
        """
        ...
