"""Rollouts on this machine: order, bounds, priorities, and whose errors stop them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from evolve.executors.local import LocalExecutor
from harness.errors import BudgetSpent, CandidateFault, InvalidMeasurement, ProviderError
from harness.instrument import Instrument
from harness.rollout import Place
from harness.sandbox import Answer, Level
from harness.trajectory import Allowance
from harness.types import Document, Draw, Reply, Request

DOCUMENTS = tuple(Document(f"d{n}", f"document {n}", "text") for n in range(6))
INSTRUMENT = Instrument("meta", Allowance(), {})
Scaffold = Callable[[str, Answer], Awaitable[None]]


class Nobody:
    """A model that is never asked."""

    async def ask(self, request: Request) -> Reply:
        raise AssertionError(request)


class Box:
    """A sandbox that runs a coroutine in the place of a scaffold, and counts who is inside."""

    level: Level = "process"

    def __init__(self, scaffold: Scaffold) -> None:
        self.scaffold = scaffold
        self.started: list[str] = []
        self.ended: list[str] = []
        self.most = 0

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        name = opening["document"]["name"]
        self.started.append(name)
        self.most = max(self.most, len(self.started) - len(self.ended))
        try:
            await self.scaffold(name, answer)
        finally:
            self.ended.append(name)


def executor(scaffold: Scaffold, live: int = 4) -> tuple[LocalExecutor, Box]:
    box = Box(scaffold)
    return LocalExecutor(Place(Nobody(), box, INSTRUMENT), live), box


def test_rollouts_come_in_the_order_of_the_documents() -> None:
    """Whatever ends first; and no more are under way at once than there are places."""

    async def scaffold(name: str, _: Answer) -> None:
        for _turn in range(20 - 3 * int(name[-1])):
            await asyncio.sleep(0)

    local, box = executor(scaffold, live=3)
    found = asyncio.run(local.run(Path("s"), DOCUMENTS, Draw(1, "child")))
    assert [one.document for one in found] == [one.id for one in DOCUMENTS]
    assert {one.outcome for one in found} == {"stopped"}
    assert box.most == 3
    assert box.ended != box.started


def test_a_bad_rollout_is_data() -> None:
    """A crash scores 0, a failed instrument is missing; the other rollouts go on."""

    async def scaffold(name: str, _: Answer) -> None:
        if name.endswith("1"):
            raise CandidateFault("crashed", "NameError")
        if name.endswith("2"):
            raise InvalidMeasurement("judge: nonsense")

    local, _ = executor(scaffold)
    found = asyncio.run(local.run(Path("s"), DOCUMENTS[:4], Draw(1, "child")))
    assert [(one.outcome, one.score) for one in found] == [
        ("stopped", 0.0),
        ("crashed", 0.0),
        ("missing", None),
        ("stopped", 0.0),
    ]
    assert (found[1].detail, found[2].detail) == ("NameError", "judge: nonsense")


@pytest.mark.parametrize("error", [ProviderError("down"), BudgetSpent("calls limit 3")])
def test_our_errors_come_out_bare_and_end_the_rest(error: Exception) -> None:
    """Not in a group; rollouts under way are cancelled, waiting ones never start, and all places are free again."""

    async def scaffold(name: str, _: Answer) -> None:
        if name.endswith("1"):
            raise error
        await asyncio.get_running_loop().create_future()

    local, box = executor(scaffold, live=2)
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(local.run(Path("s"), DOCUMENTS, Draw(1, "child")))
    assert set(box.started) == set(box.ended)
    assert len(box.started) < len(DOCUMENTS)
    assert local.slots.free == 2


def test_older_iterations_go_first() -> None:
    """When places are scarce, waiting rollouts of iteration 2 start before those of iteration 9 that came earlier."""
    turns: list[str] = []

    async def scaffold(name: str, _: Answer) -> None:
        turns.append(name)
        for _turn in range(20):
            await asyncio.sleep(0)

    async def scene() -> None:
        local, _ = executor(scaffold, live=1)
        young = asyncio.create_task(local.run(Path("s"), DOCUMENTS[:3], Draw(9, "child")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        old = asyncio.create_task(local.run(Path("s"), DOCUMENTS[3:], Draw(2, "parent")))
        await young
        await old

    asyncio.run(scene())
    assert turns == ["document 0", "document 3", "document 4", "document 5", "document 1", "document 2"]
