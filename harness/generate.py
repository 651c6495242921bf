"""Production: scaffold + documents -> accepted examples, one JSON line each, in the order of the documents."""

import asyncio
import json
import os
import re
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any, TextIO

from harness.advice import Mix
from harness.errors import StorageError, UsageError
from harness.trajectory import Example, Posterior, Rollout, Step
from harness.types import Document, Draw, Wire

Roll = Callable[[Document, Draw], Awaitable[Rollout]]
BEGINNING = b'{"id": "0123456789abcdef", "document": "'  # of every line, but for the digits
HEX = re.compile(rb"[0-9a-f]")


class Provenance(Wire):
    """Where every example of a file comes from; a file holds examples of one provenance only."""

    run: str
    candidate: str
    commit: str
    instrument: str
    domain: str
    preset: str
    sandbox: str
    simulated: bool


class Measured(Wire):
    """The scores an example was accepted with.

    fresh: these attempts were made after others had selected it, so they do not flatter it. Else they are those that
    selected it: expect fresh ones to lie closer together. posterior: what the fresh ones say of the true gap.
    """

    weak: tuple[float, ...]
    strong: tuple[float, ...]
    gap: float
    fresh: bool = False
    posterior: Posterior | None = None


class Record(Wire):
    """One line of a dataset. `id` is the first 16 hex digits of the SHA-256 of question, context and document id."""

    id: str
    document: str
    document_name: str
    trial: int
    example: Example
    measured: Measured
    provenance: Provenance


@dataclass(frozen=True)
class Order:
    """What is wanted: how many examples, how often a document may be tried, how many rollouts at once."""

    wanted: int
    passes: int
    live: int
    iteration: int
    provenance: Provenance


@dataclass
class Tally:
    """How a production went. outcomes: rollouts by outcome, those of earlier starts included as far as replayed.

    mix: why the first of them failed.
    """

    accepted: int = 0
    rollouts: int = 0
    mix: Mix = field(default_factory=Mix)
    outcomes: dict[str, int] = field(default_factory=dict)


async def generate(
    roll: Roll, documents: Sequence[Document], order: Order, out: Path, tally: Tally | None = None
) -> Tally:
    """Run documents until `order.wanted` examples are in the file; what it holds already counts and is kept.

    Each line is on disk before the next document counts. Documents are taken in their order, pass after pass, so
    the same command gives the same file, whenever it was interrupted. tally: counted in while it goes, for a display.

    Raises:
        UsageError: the file holds something else, or examples of another provenance.
        StorageError: it cannot be written. ProviderError, BudgetSpent, SandboxError: as rollouts raise them.
    """
    held = read(out, order.provenance)
    tally = tally or Tally()
    tally.accepted = len(held)
    done = {(record.document, record.trial) for record in held}
    places = [
        (one, trial) for trial, one in product(range(order.passes), documents) if (one.id, trial) not in done
    ]
    try:
        with out.open("a", encoding="utf-8") as file:
            async with aclosing(rollouts(roll, places, order)) as results:
                while tally.accepted < order.wanted and (result := await anext(results, None)) is not None:
                    count(tally, result[1])
                    if record := record_of(result, order.provenance):
                        write(file, record)
                        tally.accepted += 1
    except OSError as error:
        raise StorageError(
            f"{str(out)!r} cannot be written: {error.strerror}; mend that and run it again"
        ) from None
    return tally


async def rollouts(
    roll: Roll, places: Sequence[tuple[Document, int]], order: Order
) -> AsyncGenerator[tuple[int, Rollout], None]:
    """Trial and rollout of each place, in order, while up to `order.live` of those ahead are under way."""
    waiting: deque[tuple[int, asyncio.Task[Rollout]]] = deque()
    coming = iter(places)
    try:
        while True:
            for document, trial in take(coming, order.live - len(waiting)):
                draw = Draw(order.iteration, "production", document.id, trial)
                waiting.append((trial, asyncio.create_task(attempt(roll, document, draw))))
            if not waiting:
                return
            trial, task = waiting.popleft()
            yield trial, await task
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)


async def attempt(roll: Roll, document: Document, draw: Draw) -> Rollout:
    """One rollout (a coroutine of its own, as a task needs)."""
    return await roll(document, draw)


def take(coming: Iterator[tuple[Document, int]], number: int) -> Iterator[tuple[Document, int]]:
    """The next `number` places, or as many as there are."""
    for _ in range(number):
        place = next(coming, None)
        if place is None:
            return
        yield place


def record_of(result: tuple[int, Rollout], provenance: Provenance) -> Record | None:
    """The line of an accepted example; None for any other rollout."""
    trial, rollout = result
    example, step = rollout.example, deciding_step(rollout)
    if example is None or step is None:
        return None
    weak, strong = step.reported
    posterior = step.confirmation.posterior if step.confirmation else None
    text = "\0".join((example.question, example.context, rollout.document))
    return Record(
        id=sha256(text.encode()).hexdigest()[:16],
        document=rollout.document,
        document_name=rollout.name,
        trial=trial,
        example=example,
        measured=Measured(
            weak=tuple(weak),
            strong=tuple(strong),
            gap=sum(strong) / len(strong) - sum(weak) / len(weak),
            fresh=step.confirmation is not None,
            posterior=posterior,
        ),
        provenance=provenance,
    )


def deciding_step(rollout: Rollout) -> Step | None:
    """The submission that was accepted."""
    return next((one for one in rollout.steps if one.report is not None and one.report.accepted), None)


def read(out: Path, provenance: Provenance) -> list[Record]:
    """The examples a file holds; a last line that a kill left unfinished is cut off.

    Raises:
        UsageError: it holds something else.
    """
    if not out.exists():
        return []
    data = out.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    records = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            records.append(Record.model_validate_json(line))
        except ValueError:
            raise UsageError(
                f"{str(out)!r} line {number} is no example of ours; choose another file"
            ) from None
        if records[-1].provenance != provenance:
            before: dict[str, Any] = records[-1].provenance.model_dump()
            differs = [key for key, value in provenance.model_dump().items() if before[key] != value]
            raise UsageError(
                f"{str(out)!r} holds examples with another {', '.join(differs)}; choose another file"
            )
    if rest := data[len(whole) :]:
        if not begun(rest):
            raise UsageError(
                f"{str(out)!r} line {len(records) + 1} is no example of ours; choose another file"
            )
        os.truncate(out, len(whole))
    return records


def begun(rest: bytes) -> bool:
    """Whether a line without its end is one of ours that a kill cut off, and not somebody's file of a single line."""
    start = HEX.sub(b"0", BEGINNING)
    return HEX.sub(b"0", rest[: len(start)]) == start[: len(rest)]


def write(file: TextIO, record: Record) -> None:
    """Append one line, and return when it is on disk."""
    file.write(json.dumps(record.model_dump(mode="json"), ensure_ascii=False) + "\n")
    file.flush()
    os.fsync(file.fileno())


def count(tally: Tally, rollout: Rollout) -> None:
    """One more rollout of that outcome."""
    tally.rollouts += 1
    tally.mix.add(rollout)
    tally.outcomes[rollout.outcome] = tally.outcomes.get(rollout.outcome, 0) + 1
