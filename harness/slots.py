"""A bounded pool with priorities: who is older goes first. Used for call slots and for live rollouts."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Slots:
    """`size` places; of those who wait, the one with the lowest priority number is served first, then first come."""

    def __init__(self, size: int) -> None:
        self.free = size
        self.waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.order = count()

    @asynccontextmanager
    async def hold(self, priority: int) -> AsyncIterator[None]:
        """A place, for as long as the block lasts."""
        await self.take(priority)
        try:
            yield
        finally:
            self.give()

    async def take(self, priority: int) -> None:
        """Wait for a place. A waiter that is cancelled passes on a place it was just given."""
        if self.free > 0 and not self.waiting:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self.waiting, (priority, next(self.order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Hand the place to the next waiter, or back to the pool."""
        while self.waiting:
            _, _, turn = heapq.heappop(self.waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1
