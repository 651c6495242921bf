"""The pool of places: order of service, cancellation, and that no place is ever lost or made up."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st

from harness.slots import Pace, Slots, urgency
from harness.types import Draw


async def settle() -> None:
    """Let everything that can run now run."""
    for _ in range(5):
        await asyncio.sleep(0)


def played(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(main())  # type: ignore[arg-type]  # a coroutine function's result


def test_older_first_then_first_come() -> None:
    """Waiters are served by the lowest priority number, equals in the order of their coming."""
    served: list[str] = []

    async def main() -> None:
        slots = Slots(1)

        async def hold(name: str, priority: int) -> None:
            async with slots.hold(priority):
                served.append(name)
                await asyncio.sleep(0)

        await slots.take(0)
        async with asyncio.TaskGroup() as group:
            for name, priority in [("9a", 9), ("2a", 2), ("9b", 9), ("2b", 2), ("1", 1)]:
                group.create_task(hold(name, priority))
            await settle()
            slots.give()
        assert slots.free == 1

    played(main)
    assert served == ["1", "2a", "2b", "9a", "9b"]


def test_long_chains_go_before_wide_measuring() -> None:
    """Minibatch and edit of any iteration before validation of any other; of equals the older."""
    order = [
        Draw(0, "baseline"),
        Draw(3, "edit"),
        Draw(7, "minibatch"),
        Draw(2, "parent"),
        Draw(5, "child"),
        Draw(6, "parent"),
    ]
    numbers = [urgency(one) for one in order]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(order)


def test_newcomer_does_not_overtake() -> None:
    """A place that is given back while somebody waits goes to the waiter, never to who asks next."""

    async def main() -> None:
        slots = Slots(1)
        await slots.take(0)
        waiter = asyncio.create_task(slots.take(5))
        await settle()
        slots.give()
        newcomer = asyncio.create_task(slots.take(0))
        await settle()
        assert waiter.done() and not newcomer.done()
        slots.give()
        await newcomer

    played(main)


def test_cancelled_waiter_is_skipped() -> None:
    """Who gives up waiting gets no place, and the next one does."""

    async def main() -> None:
        slots = Slots(1)
        await slots.take(0)
        first, second = asyncio.create_task(slots.take(1)), asyncio.create_task(slots.take(2))
        await settle()
        first.cancel()
        await settle()
        slots.give()
        await second
        slots.give()
        assert slots.free == 1

    played(main)


def test_place_given_to_a_cancelled_waiter_is_handed_on() -> None:
    """A waiter that is cancelled after its turn came, but before it ran, passes the place on."""

    async def main() -> None:
        slots = Slots(1)
        await slots.take(0)
        first, second = asyncio.create_task(slots.take(1)), asyncio.create_task(slots.take(2))
        await settle()
        slots.give()
        first.cancel()
        await asyncio.wait_for(second, 5)
        assert first.cancelled()
        slots.give()
        assert slots.free == 1

    played(main)


def test_error_in_the_block_gives_the_place_back() -> None:
    """Whatever ends the block, its place is free again."""

    async def main() -> None:
        slots = Slots(1)
        for error in (ValueError(), asyncio.CancelledError()):
            try:
                async with slots.hold(0):
                    raise error
            except (ValueError, asyncio.CancelledError):
                pass
        assert slots.free == 1

    played(main)


@given(
    st.integers(1, 3), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.booleans()), max_size=12)
)
def test_no_place_is_lost_or_made_up(size: int, holders: list[tuple[int, int, bool]]) -> None:
    """Under any mix of holding and cancelling at most `size` hold, and in the end all places are free."""

    async def main() -> None:
        slots, held, most = Slots(size), 0, 0

        async def hold(priority: int, steps: int) -> None:
            nonlocal held, most
            async with slots.hold(priority):
                held += 1
                most = max(most, held)
                try:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                finally:
                    held -= 1

        tasks = []
        for priority, steps, cancelled in holders:
            tasks.append(asyncio.create_task(hold(priority, steps)))
            await asyncio.sleep(0)
            if cancelled:
                tasks[len(tasks) // 2].cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert most <= size and slots.free == size

    played(main)


def test_pace_cuts_once_a_burst_and_grows_back() -> None:
    """Many 429s of one burst cut one fifth, a later burst another; clean rounds give places back, never more than all."""
    now = 0.0
    slots = Slots(10)
    pace = Pace(slots, lambda: now)
    for _ in range(10):
        pace.limited()
    assert slots.size == 8
    now = 20.0
    pace.limited()
    assert slots.size == 6
    for _ in range(1000):
        pace.answered()
    assert slots.size == 10
    for step in range(40):
        now += 20.0 * (step + 1)
        pace.limited()
    assert slots.size == 1


def test_fewer_places_while_more_are_held() -> None:
    """After a cut nobody is served until enough places were given back."""

    async def main() -> None:
        slots = Slots(3)
        for _ in range(3):
            await slots.take(0)
        slots.resize(1)
        waiter = asyncio.create_task(slots.take(0))
        for _ in range(2):
            slots.give()
            await settle()
            assert not waiter.done()
        slots.give()
        await waiter
        assert slots.free == 0

    played(main)
