"""The results of a run as they come in, and what each iteration may see of them. One event loop, hence no lock."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator

from evolve.iteration import Iteration
from evolve.population import Population


class Results:
    """Finished iterations by number; whoever needs those up to a number can wait for them."""

    def __init__(self, iterations: Iterable[Iteration]) -> None:
        self.finished = {one.number: one for one in iterations}
        self.outcomes = Counter(one.outcome for one in self.finished.values())
        self.waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.running: dict[int, None] = {}
        self.complete = -1
        self.ahead = set(self.finished)
        self.seen = Population(())
        self.gapless = Population(())
        self.whole = Population(())
        self.advance()

    def add(self, iteration: Iteration) -> None:
        """Apply one recorded iteration and wake whoever waited for it."""
        self.finished[iteration.number] = iteration
        self.outcomes[iteration.outcome] += 1
        self.ahead.add(iteration.number)
        self.running.pop(iteration.number, None)
        self.advance()
        for number, ready in self.waiting:
            if number <= self.complete and not ready.done():
                ready.set_result(None)
        self.waiting = [one for one in self.waiting if not one[1].done()]

    def advance(self) -> None:
        """`complete` is the largest number up to which every iteration is finished; `ahead` are those beyond it."""
        while self.complete + 1 in self.ahead:
            self.complete += 1
            self.ahead.remove(self.complete)

    async def upto(self, number: int) -> Population:
        """The population as iterations 0..number leave it, when all of them are finished."""
        if number > self.complete:
            ready = asyncio.get_running_loop().create_future()
            self.waiting.append((number, ready))
            await ready
        if number + 1 < len(self.seen.iterations):  # somebody who may see more asked before
            return self.seen.upto(number)
        self.seen = self.grown(self.seen, number)
        return self.seen

    def grown(self, gapless: Population, number: int) -> Population:
        """A population of iterations 0, 1, .. with those that it lacks up to `number`."""
        there = len(gapless.iterations)
        if there == number + 1:
            return gapless
        return gapless.extended(self.finished[one] for one in range(there, number + 1))

    def unfinished(self, total: int) -> Iterator[int]:
        """Numbers 1..total that have no result yet, in order; one that is handed out counts as running."""
        for number in range(1, total + 1):
            if number not in self.finished:
                self.running[number] = None
                yield number

    @property
    def population(self) -> Population:
        """Everything that is finished, whatever anybody may see; built again only when something was added."""
        if len(self.whole.iterations) != len(self.finished):
            self.gapless = self.grown(self.gapless, self.complete)
            self.whole = self.gapless.extended(self.finished[one] for one in self.ahead)
        return self.whole
