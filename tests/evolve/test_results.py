"""Waiting for what an iteration may see."""

import asyncio

from evolve_fakes import baseline, compared
from hypothesis import given
from hypothesis import strategies as st

from evolve.iteration import Iteration
from evolve.population import Population
from evolve.results import Results


def one(number: int) -> Iteration:
    return baseline() if number == 0 else compared(number, [0.0], [1.0])


def numbers(population: Population) -> list[int]:
    return [iteration.number for iteration in population.iterations]


def test_numbers_without_a_result_are_handed_out_in_order() -> None:
    """What is finished is skipped, what is handed out counts as running until it is added."""
    results = Results([one(0), one(1), one(3)])
    open_numbers = results.unfinished(5)
    assert [next(open_numbers), next(open_numbers)] == [2, 4]
    assert list(results.running) == [2, 4]
    results.add(one(4))
    assert list(results.running) == [2]
    assert list(open_numbers) == [5]
    assert list(Results([one(0), one(1)]).unfinished(1)) == []


def test_a_smaller_total_hands_out_nothing() -> None:
    """A run that is further than the total asked for is done."""
    results = Results([one(n) for n in range(4)])
    assert list(results.unfinished(2)) == []
    assert results.running == {}


async def waits(results: Results, number: int) -> "asyncio.Task[Population]":
    task = asyncio.create_task(results.upto(number))
    await asyncio.sleep(0)
    return task


def test_whoever_waits_sees_exactly_what_was_asked_for() -> None:
    """A later result does not end the wait for an earlier one, and does not show in what is seen."""

    async def scene() -> None:
        results = Results([one(0)])
        zero = await results.upto(0)
        two, one_ = await waits(results, 2), await waits(results, 1)
        results.add(one(2))
        results.add(one(3))
        await asyncio.sleep(0)
        assert not two.done()
        assert not one_.done()
        results.add(one(1))
        assert [numbers(zero), numbers(await one_), numbers(await two)] == [[0], [0, 1], [0, 1, 2]]
        assert numbers(results.population) == [0, 1, 2, 3]
        assert results.waiting == []

    asyncio.run(scene())


def test_a_waiter_that_was_cancelled_is_forgotten() -> None:
    """A cancelled wait neither breaks the next result nor stays in the list."""

    async def scene() -> None:
        results = Results([one(0)])
        task = await waits(results, 1)
        task.cancel()
        await asyncio.sleep(0)
        results.add(one(1))
        assert results.waiting == []
        assert numbers(await results.upto(1)) == [0, 1]

    asyncio.run(scene())


@given(st.permutations(range(1, 9)))
def test_any_order_of_arrival_completes(order: list[int]) -> None:
    """`complete` is the length of the gapless beginning after every single arrival."""
    results, there = Results([one(0)]), {0}
    for number in order:
        results.add(one(number))
        there.add(number)
        assert results.complete == min(set(range(10)) - there) - 1
