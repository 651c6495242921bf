"""Writing traces: one JSONL file for every evaluation and every edit, whole or not at all. Reading is traces.py."""

import asyncio
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from evolve.disk import remedy
from evolve.iteration import Evaluation, Iteration
from evolve.rows import Trace
from harness.errors import StorageError
from harness.types import Side

T = TypeVar("T")


class TraceFolder:
    """The `traces` folder of a run. Files are written beside their place, synced and renamed; a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="traces")

    async def save(self, iteration: Iteration) -> dict[Side, Trace]:
        """Write the traces of one iteration, one file a side, and one for the edit."""
        return await self.door(lambda: self.write_iteration(iteration))

    async def save_final(self, evaluation: Evaluation) -> Trace:
        """Write the trace of a measurement on the test split."""
        name = f"{evaluation.candidate}-final.jsonl"
        return await self.door(lambda: self.write(name, rollout_lines(evaluation)))

    def write_iteration(self, iteration: Iteration) -> dict[Side, Trace]:
        """Blocking part of `save`."""
        start = f"{iteration.number:06d}"
        traces: dict[Side, Trace] = {
            one.side: self.write(f"{start}-{one.side}.jsonl", rollout_lines(one))
            for one in iteration.evaluations
        }
        if iteration.exchanges:
            lines = (json.dumps(asdict(one), ensure_ascii=True) for one in iteration.exchanges)
            traces["edit"] = self.write(f"{start}-edit.jsonl", lines)
        return traces

    def write(self, name: str, lines: Iterable[str]) -> Trace:
        """Put one file in its place atomically; the trace's name is relative to the run's folder.

        Raises:
            StorageError: the disk refuses.
        """
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        scratch = self.folder / f"{name}.part"
        try:
            with scratch.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(self.folder / name)
        except OSError as error:
            raise StorageError(
                f"the trace {str(self.folder / name)!r} cannot be written: {error.strerror}. {remedy(error)}"
            ) from None
        return Trace(f"traces/{name}", sha256(data).hexdigest())

    async def door(self, work: Callable[[], T]) -> T:
        """Run blocking work in this folder's thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def close(self) -> None:
        """End the thread when its work is done."""
        self.thread.shutdown()


def rollout_lines(evaluation: Evaluation) -> Iterable[str]:
    """Each rollout with its whole trajectory, as one line of JSON."""
    return (one.model_dump_json() for one in evaluation.rollouts)
