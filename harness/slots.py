"""A bounded pool with priorities: who is more urgent goes first. Used for call slots and for live rollouts."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic

from harness.types import Draw, Side

FIRST: frozenset[Side] = frozenset({"baseline", "minibatch", "edit", "rerun"})
AHEAD = 10**9
CUT = 0.8
COOLDOWN = 15.0
CLEAN_ROUNDS = 4


def urgency(draw: Draw) -> int:
    """Priority of a draw's calls and rollouts, the lowest number first: older iterations first, but the measuring of
    parents and children after everything else.

    What comes before an iteration's measuring is a long chain of few calls at a time. Made early it costs no slot
    much; left to the end of a run it leaves them empty.
    """
    return draw.iteration - AHEAD if draw.side in FIRST else draw.iteration


class Slots:
    """`size` places; of those who wait, the one with the lowest priority number is served first, then first come."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.held = 0
        self.waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.order = count()

    @property
    def free(self) -> int:
        """Places nobody holds; negative for as long as more are held than a reduced size allows."""
        return self.size - self.held

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
            self.held += 1
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
        self.held -= 1
        self.serve()

    def resize(self, size: int) -> None:
        """Another number of places from now on; who holds one keeps it."""
        self.size = size
        self.serve()

    def serve(self) -> None:
        """Give free places to those who wait."""
        while self.waiting and self.free > 0:
            _, _, turn = heapq.heappop(self.waiting)
            if not turn.done():
                self.held += 1
                turn.set_result(None)


class Pace:
    """How many calls at once a rate-limited endpoint bears: a fifth fewer after a 429, one more after clean rounds.

    A cut at most every 15 seconds, since the answers to one burst come together; never more than at the start.
    """

    def __init__(self, slots: Slots, clock: Callable[[], float] = monotonic) -> None:
        self.slots = slots
        self.most = slots.size
        self.clock = clock
        self.cut_at = -COOLDOWN
        self.clean = 0

    def limited(self) -> None:
        """The endpoint said that it was asked too often."""
        self.clean = 0
        if self.clock() - self.cut_at >= COOLDOWN:
            self.cut_at = self.clock()
            self.slots.resize(max(1, int(self.slots.size * CUT)))

    def answered(self) -> None:
        """The endpoint answered."""
        self.clean += 1
        if self.slots.size < self.most and self.clean >= CLEAN_ROUNDS * self.slots.size:
            self.clean = 0
            self.slots.resize(self.slots.size + 1)
