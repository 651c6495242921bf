"""The simulated roles without requests: what a prompt orders is read once, then drawn as often as wanted.

Everything goes through the functions that answer real requests; only the reading of the same text is not repeated. Of
research questions alone (the world of `challenger.py`).
"""

import random
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from harness.models.simulated import challenger, judge, solvers, sources, verifier
from harness.models.simulated.completion import complete
from harness.models.simulated.concepts import Brief, brief
from harness.models.simulated.reading import Parts, take_apart
from harness.types import Reply, Request

EDGE = "===== answer ====="


@dataclass(frozen=True)
class Order:
    """All that decides what the challenger writes, apart from chance: equal orders get equally distributed replies.

    source: the document as it stood in the prompt. `task`: False where the prompt asked for no task.
    """

    source: str
    slips: frozenset[str]
    task: bool
    positive_only: bool
    policy: Literal["signed", "positive-only", "both"]
    heaviest: int
    tampers: bool


def ordered(parts: Parts, chance: float) -> Order:
    """What a prompt that was taken apart orders; chance in [0, 1) decides on the slips."""
    wishes = brief(parts.instructions)
    found = challenger.risks(wishes, parts)
    return Order(
        parts.document,
        challenger.happening(chance, found) if wishes.wants_task else frozenset(),
        wishes.wants_task,
        wishes.positive_only,
        wishes.policy,
        wishes.heaviest,
        "tamper" in wishes.harms,
    )


def written(order: Order, rng: random.Random) -> str:
    """One reply of the challenger to such an order."""
    source = sources.read(order.source)
    if not order.task:
        return challenger.notes(source, rng)
    harms = frozenset({"tamper"} if order.tampers else ())
    wishes = Brief({}, harms, order.positive_only, order.policy, order.heaviest, 0.0, True)
    task = challenger.write(rng, source, wishes, order.slips)
    return challenger.spoil(rng, task) if "format" in order.slips else challenger.neat(rng, task)


@dataclass(frozen=True)
class Outline:
    """A prompt in which the list of earlier failures changes and nothing else. sample: what stands in `prompt` for it.

    clean: the prompt with the sample taken apart, if the sample is all in the listed failures; else None.
    """

    prompt: str
    sample: str
    clean: Parts | None

    def text(self, failures: str) -> str:
        """The prompt with these failures."""
        return self.prompt.replace(self.sample, failures)

    def length(self, failures: str) -> int:
        """Characters of that prompt."""
        return len(self.prompt) + self.prompt.count(self.sample) * (len(failures) - len(self.sample))

    def parts(self, failures: str) -> Parts:
        """The same taken apart."""
        if self.clean is None:
            return take_apart(self.text(failures))
        return replace(self.clean, failures=self.clean.failures.replace(self.sample, failures))


def outline(prompt: str, sample: str) -> Outline:
    """The outline of a prompt. sample: a label of failures and an entry, as every list of them begins and ends."""
    parts = take_apart(prompt)
    return Outline(prompt, sample, parts if parts.failures.count(sample) == prompt.count(sample) else None)


@dataclass(frozen=True)
class Item:
    """A submission as verifier, solvers and judge see it. prompt: the solvers'. criteria: (POSITIVE or NEGATIVE, text)."""

    document: str
    context: str
    question: str
    question_type: str
    criteria: tuple[tuple[str, str], ...]
    prompt: str


def checks(item: Item, rng: random.Random) -> dict[str, object]:
    """What the verifier returns, as the fields of its answer."""
    task = verifier.Task(item.document, item.context, item.question, item.question_type, item.criteria)
    return verifier.checked(task, rng)


def attempt(
    item: Item, solver: Literal["weak", "strong"], rng: random.Random
) -> tuple[str, tuple[bool, ...]]:
    """A solver's answer, and which criteria the judge finds met. A judge without a usable answer is asked again."""
    text = (solvers.weak if solver == "weak" else solvers.strong)(item.prompt, rng).strip()
    answer = judge.read_answer(
        f"two lines that read {EDGE}. Everything\n## Answer\n\n{EDGE}\n{text}\n{EDGE}\n"
    )
    return text, tuple(rng.random() < judge.probability(kind, one, answer) for kind, one in item.criteria)


class Answering:
    """Answers requests inside the process, without client, journal and budget, as a gateway does for the caller.

    seed: of the world and of whatever is measured. A reply depends on it, on the request and on its place in the rollout.
    Keys are empty: no call was made.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    async def ask(self, request: Request) -> Reply:
        """See `harness.gateway.Models.ask`; raises nothing."""
        draw, name = request.draw, f"simulated-{request.role}"
        body: dict[str, object] = {
            "model": name,
            "messages": [one.model_dump() for one in request.messages],
            "seed": [draw.ordinal, draw.attempt, draw.retry],
        }
        done = complete(body, self.seed)
        choice, usage = done["choices"][0], done["usage"]
        return Reply(
            key="",
            text=choice["message"]["content"],
            finish_reason=choice["finish_reason"],
            model=name,
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
        )


@lru_cache(maxsize=65536)
def digest(text: str) -> bytes:
    """Eight bytes that stand for a text."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()


def seed_of(*parts: object) -> int:
    """A seed of 64 bits that depends on all parts."""
    return int.from_bytes(blake2b(repr(parts).encode("utf-8", "replace"), digest_size=8).digest(), "big")
