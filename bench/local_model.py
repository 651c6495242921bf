"""What docs/local-model.md says of the small real model: load, tokens a second, memory, and what repeats itself.

Needs the extra `local` and the weights (`evolve models fetch`). On a busy machine only the figures per second of processor
time mean something. `python bench/local_model.py [smollm2|FILE.gguf]`
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from harness.models.local.supervisor import Service, served
from harness.models.local.weights import find
from harness.models.openai import Completion, Endpoint, Question
from harness.types import Message, Model, Sampling

PASSAGE = (
    "A least-recently-used cache keeps the entries that were asked for last. When it is full, the entry that was unused "
    "for longest is dropped. A scan over more keys than the cache has places drops every entry before it is asked for "
    "again, so that each lookup misses although the cache is full."
)
ASKED = ("What is dropped?", "When does each lookup miss?", "Why is it so?", "What helps?")
QUESTIONS = tuple(f"{PASSAGE}\n\nQuestion {number}: {text}" for number, text in enumerate(ASKED * 3))
WRITING = tuple(f"Tell me a story about the number {number}." for number in range(8))
READING = tuple(f"{number}. {PASSAGE * 6}\n\nIs that true?" for number in range(8))
CALLERS = (1, 4, 8)
TICKS = os.sysconf("SC_CLK_TCK")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def in_turn(endpoint: Endpoint, model: Model, callers: int, texts: Sequence[str]) -> list[Completion]:
    """All answers in order, asked by so many at the same time, each with a seed of its own."""
    places = asyncio.Semaphore(callers)

    async def one(seed: int, text: str) -> Completion:
        async with places:
            messages = (Message(role="user", content=text),)
            return await endpoint.complete(model, Question(messages, seed, model.sampling.max_tokens))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(*pair)) for pair in enumerate(texts)]
    return [task.result() for task in tasks]


def child() -> Path:
    """The server's place in /proc."""
    lines = (path.read_text() for path in Path("/proc/self/task").glob("*/children"))
    (found,) = " ".join(lines).split()
    return Path("/proc") / found


def processor(process: Path) -> float:
    """Seconds of processor time that it has used."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process: Path) -> tuple[int, int]:
    """MiB that it holds, and held at most."""
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) >> 10, int(lines["VmHWM"].split()[0]) >> 10


def model_at(name: str, base_url: str, sampling: Sampling) -> Model:
    return Model(name=name, base_url=base_url, sampling=sampling, slots=8, deadline=3600)


async def speed(wanted: str) -> None:
    """Load, tokens a second and memory with four slots."""
    weights, began = find(wanted), monotonic()
    async with served(Service(weights)) as base_url:
        cpu = processor(child())
        say(f"{weights.name}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
        say(f"load: {monotonic() - began:.1f} s, of them {cpu:.1f} s of processor time")
        writing = Sampling(temperature=0.7, max_tokens=64, extra={"ignore_eos": True})
        await measure(model_at(weights.name, base_url, writing), "writing", WRITING)
        await measure(model_at(weights.name, base_url, Sampling(max_tokens=1)), "reading", READING)
        held, peak = memory(child())
        say(f"memory: {held} MiB, at most {peak} MiB")


async def measure(model: Model, what: str, texts: Sequence[str]) -> None:
    """Tokens a second of answers or of prompts, for some numbers of callers."""
    endpoint = Endpoint(model)
    await in_turn(endpoint, model, 1, texts[:1])
    for callers in CALLERS:
        began, cpu = monotonic(), processor(child())
        usages = [one.usage for one in await in_turn(endpoint, model, callers, texts) if one.usage]
        seconds, used = monotonic() - began, processor(child()) - cpu
        tokens = sum(one.completion if what == "writing" else one.prompt for one in usages)
        say(
            f"{what}, {callers} at once: {tokens / seconds:.1f} tokens/s in all, {tokens / used:.0f} tokens a second of "
            f"processor time, load average {os.getloadavg()[0]:.1f}"
        )
    await endpoint.close()


async def repeats(wanted: str, slots: int) -> None:
    """How many answers are the same when they are asked for again."""
    weights = find(wanted)
    async with served(Service(weights, slots)) as base_url:
        for temperature in (0.0, 0.7):
            model = model_at(weights.name, base_url, Sampling(temperature=temperature, max_tokens=32))
            endpoint = Endpoint(model)
            first = await in_turn(endpoint, model, 1, QUESTIONS)
            for callers in (1, 4):
                again = await in_turn(endpoint, model, callers, QUESTIONS)
                same = sum(a.text == b.text for a, b in zip(first, again, strict=True))
                say(
                    f"slots {slots}, temperature {temperature}, {callers} at once: {same} of {len(first)} the same"
                )
            await endpoint.close()


async def main(wanted: str) -> None:
    await speed(wanted)
    for slots in (4, 1):
        await repeats(wanted, slots)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "smollm2"))
