"""The real small model in its real runtime: `make test-local`, which installs it and fetches the weights before."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from harness.models.answers import Completion, Question, Transient
from harness.models.local.supervisor import Care, Service, served
from harness.models.local.weights import find
from harness.models.openai import Endpoint
from harness.types import Message, Model, Sampling

pytestmark = pytest.mark.local
Scene = Callable[[Endpoint, Model], Awaitable[None]]
MARKET = (
    "The village of Torvik lies on the river Sel. On Thursdays there is a fish market at the old bridge.\n\n"
    "On which day is the fish market?"
)


class Answer(BaseModel):
    city: str


def child() -> int:
    """The one process that this one has started."""
    (found,) = [
        int(one) for path in Path("/proc/self/task").glob("*/children") for one in path.read_text().split()
    ]
    return found


def play(scene: Scene, slots: int = 4, context: int = 2048, said: list[str] | None = None) -> None:
    """A scene with the model at temperature 0.7, unless it changes that."""

    async def whole() -> None:
        weights = find("smollm2")
        notices = [] if said is None else said
        async with served(Service(weights, slots, context), notices.append, Care(seconds=120)) as base_url:
            sampling = Sampling(temperature=0.7, max_tokens=48)
            model = Model(name=weights.name, base_url=base_url, sampling=sampling, deadline=120)
            endpoint = Endpoint(model)
            try:
                await scene(endpoint, model)
            finally:
                await endpoint.close()

    asyncio.run(whole())


def question(text: str, seed: int = 1, schema: type[BaseModel] | None = None) -> Question:
    return Question((Message(role="user", content=text),), seed, 48, schema)


def test_it_answers_from_a_passage() -> None:
    """As any endpoint does, under its own name, with the tokens counted."""

    async def scene(endpoint: Endpoint, model: Model) -> None:
        cold = model.model_copy(update={"sampling": Sampling(temperature=0.0)})
        found = await endpoint.complete(cold, question(MARKET))
        assert "Thursday" in found.text
        assert found.model == "SmolLM2-135M-Instruct-Q4_1"
        assert found.usage is not None
        assert found.usage.prompt > 40 and found.usage.completion > 3

    play(scene)


def test_a_schema_is_enforced() -> None:
    """The form is right, whatever the content."""

    async def scene(endpoint: Endpoint, model: Model) -> None:
        found = await endpoint.complete(model, question("Name the capital of France.", schema=Answer))
        assert found.form == "json_schema"
        if found.finish_reason == "stop":
            Answer.model_validate_json(found.text)

    play(scene)


def test_a_prompt_that_is_too_long_is_refused() -> None:
    """It ends the call and nothing else."""

    async def scene(endpoint: Endpoint, model: Model) -> None:
        found = await endpoint.complete(model, question("word " * 3000))
        assert found.finish_reason.startswith("refused")
        assert (await endpoint.complete(model, question(MARKET))).text

    play(scene, slots=1)


def test_one_slot_repeats_every_draw() -> None:
    """The same seed gives the same text, whatever was asked between, and another seed another text."""

    async def scene(endpoint: Endpoint, model: Model) -> None:
        async def texts(seeds: range) -> list[str]:
            found: list[Completion] = []
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(endpoint.complete(model, question(MARKET, seed))) for seed in seeds
                ]
            found = [task.result() for task in tasks]
            return [one.text for one in found]

        first, second = await texts(range(6)), await texts(range(6))
        assert first == second
        assert len(set(first)) > 1

    play(scene, slots=1)


def test_a_crash_is_survived() -> None:
    """Killed while it answers, it is back at the same address, and the same question gets its answer."""
    said: list[str] = []

    async def scene(endpoint: Endpoint, model: Model) -> None:
        await endpoint.complete(model, question(MARKET))
        before = child()
        asking = asyncio.create_task(endpoint.complete(model, question("Tell a long story.")))
        await asyncio.sleep(0.2)
        os.kill(before, signal.SIGKILL)
        with pytest.raises(Transient):
            await asking
        async with asyncio.timeout(120):
            while True:
                try:
                    assert (await endpoint.complete(model, question(MARKET))).text
                    break
                except Transient:
                    await asyncio.sleep(0.1)
        assert child() != before

    play(scene, said=said)
    assert "ended (SIGKILL) and is started again" in said[0]
