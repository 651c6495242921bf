"""The one door to models: replay -> budget -> slot -> client -> journal; counts every token."""

import asyncio
import json
import random
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from time import monotonic
from typing import Protocol

from harness.budget import Budget, Spent
from harness.errors import ProviderError
from harness.journal import Entry, Failure, Journal
from harness.models.openai import Completion, Endpoint, Question, Transient
from harness.slots import Slots
from harness.types import Model, Reply, Request, Role

PATIENCE = 300.0
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0


class Models(Protocol):
    """Whoever can answer a request: the gateway, or a fake in a test."""

    async def ask(self, request: Request) -> Reply:
        """Answer one request, durably recorded before it is returned.

        A reply that is cut off, refused or empty is returned (see Reply.whole); the caller decides what it means.

        Raises:
            ProviderError: the endpoint failed for good. BudgetSpent: the answer may not be bought any more.
        """
        ...


@dataclass(frozen=True)
class Call:
    """A request with everything that identifies it. `seed` goes to the model: distinct for every draw."""

    request: Request
    model: Model
    key: str
    question: Question


class Gateway:
    """Answers requests of all iterations and rollouts; see the module's first line for the order of things."""

    def __init__(
        self,
        models: Mapping[Role, Model],
        endpoints: Mapping[str, Endpoint],
        journal: Journal,
        budget: Budget,
        seed: int,
    ) -> None:
        """`endpoints` by `Model.account`. `seed`: of the run; it makes the seeds that go to the models."""
        self.models = models
        self.endpoints = endpoints
        self.journal = journal
        self.budget = budget
        self.seed = seed
        self.slots = {
            account: Slots(max(one.slots for one in models.values() if one.account == account))
            for account in endpoints
        }
        self.flying: dict[str, asyncio.Task[Reply]] = {}
        self.under_way: set[str] = set()
        self.closing = False
        self.trouble: dict[str, str] = {}
        self.spent: dict[Role, Spent] = {}
        self.replayed = 0

    async def ask(self, request: Request) -> Reply:
        """See `Models.ask`. The same call in flight twice is made once; a cancelled caller does not lose its reply."""
        call = self.identify(request)
        if recorded := await self.journal.get(call.key):
            self.replayed += 1
            return recorded
        task = self.flying.get(call.key)
        if task is None:
            task = asyncio.create_task(self.buy(call))
            self.flying[call.key] = task
            task.add_done_callback(lambda done: self.land(call.key, done))
        return await asyncio.shield(task)

    def identify(self, request: Request) -> Call:
        """Key = the run's seed, role, model, sampling, messages and the draw. Never a counter: a resumed run makes the
        same keys."""
        model = self.models[request.role]
        most = max(request.max_tokens or 0, model.sampling.max_tokens)  # a retry never has less room
        parts = {
            "run": self.seed,
            "role": request.role,
            "model": model.name,
            "sampling": model.sampling.model_dump() | {"max_tokens": most},
            "messages": [(one.role, one.content) for one in request.messages],
            "draw": asdict(request.draw),
        }
        key = sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
        seed = int.from_bytes(sha256(key.encode()).digest()[:4], "big") >> 1
        return Call(request, model, key, Question(request.messages, seed, most))

    async def buy(self, call: Call) -> Reply:
        """Reserve, ask, record, settle. What is returned is on disk."""
        role, worst = call.request.role, worst_case(call)
        await self.budget.reserve(role, worst)
        actual = Spent()
        try:
            completion = await self.persist(call)
            self.trouble.pop(call.key, None)
            reply = price(call, completion)
            actual = Spent(1, reply.tokens, reply.cost, reply.seconds)
            await self.journal.record(Entry(role, call.request.draw, reply))
        finally:
            self.budget.settle(role, worst, actual)
        self.spent.setdefault(role, Spent()).add(actual)
        return reply

    async def persist(self, call: Call) -> Completion:
        """Try until an answer comes or patience ends; slots are held only while a call is really under way.

        Raises:
            ProviderError: a refusal, or no answer within `PATIENCE` seconds of trying, twice at least.
            BudgetSpent: the run's time is over.
        """
        endpoint, slots = self.endpoints[call.model.account], self.slots[call.model.account]
        number, waited = 0, 0.0
        while True:
            number += 1
            if self.closing:
                raise asyncio.CancelledError
            self.budget.check_time()
            started = monotonic()
            try:
                async with slots.hold(call.request.draw.iteration):
                    started = monotonic()
                    return await self.under_watch(call.key, endpoint.complete(call.model, call.question))
            except (Transient, ProviderError) as problem:
                await self.journal.record_failure(
                    Failure(call.key, call.request.role, call.model.name, number, str(problem)[:500])
                )
                if isinstance(problem, ProviderError):
                    raise
                pause = backoff(number, problem.after)
                waited += monotonic() - started
                self.trouble[call.key] = (
                    f"{call.request.role}: {str(problem)[:160]} (attempt {number}, {waited:.0f} s)"
                )
                if number > 1 and waited + pause > PATIENCE:
                    raise ProviderError(
                        f"{call.model.base_url!r} gave no answer for {call.request.role} in {number} attempts over "
                        f"{waited:.0f} s; the last problem: {problem}. Run the same command when it is back: "
                        "nothing is lost."
                    ) from None
            await self.pause(pause)
            waited += pause

    async def under_watch(self, key: str, asking: Awaitable[Completion]) -> Completion:
        """Mark a call as under way while it is: only then does closing wait for it."""
        self.under_way.add(key)
        try:
            return await asking
        finally:
            self.under_way.discard(key)

    async def pause(self, seconds: float) -> None:
        """Wait between two attempts at a call."""
        await asyncio.sleep(seconds)

    def land(self, key: str, done: asyncio.Task[Reply]) -> None:
        """Forget a finished call; fetch its error, so that one nobody waits for any more is not reported as lost."""
        self.flying.pop(key, None)
        if not done.cancelled():
            done.exception()

    async def close(self) -> None:
        """Buy nothing more; let calls that are under way end (each has its deadline) and be recorded; disconnect."""
        self.closing = True
        flying = dict(self.flying)
        for key, task in flying.items():
            if key not in self.under_way:
                task.cancel()
        await asyncio.gather(*flying.values(), return_exceptions=True)
        for endpoint in self.endpoints.values():
            await endpoint.close()


def backoff(number: int, after: float | None) -> float:
    """Seconds to wait after attempt `number`: full jitter, doubling from 0.5 s; a server's own wish up to the cap."""
    if after is not None:
        return min(LONGEST_WAIT, after) + random.uniform(0, FIRST_WAIT)
    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**number))


def worst_case(call: Call) -> Spent:
    """What a call may cost at most: a token for every two bytes asked, and the whole reply limit. Time unknown."""
    asked = sum(len(one.content.encode("utf-8", "replace")) for one in call.question.messages) // 2 + 64
    said = call.question.max_tokens
    return Spent(1, asked + said, dollars(call.model, asked, said), 0.0)


def price(call: Call, completion: Completion) -> Reply:
    """The reply with its price; without a usage block tokens are estimated at four characters each, and marked so."""
    asked = sum(len(one.content) for one in call.question.messages) // 4 + 1
    usage = completion.usage or (asked, len(completion.text) // 4 + 1)
    return Reply(
        key=call.key,
        text=completion.text,
        finish_reason=completion.finish_reason,
        model=completion.model or call.model.name,
        prompt_tokens=usage[0],
        completion_tokens=usage[1],
        estimated=completion.usage is None,
        cost=dollars(call.model, *usage),
        seconds=completion.seconds,
    )


def dollars(model: Model, asked: int, said: int) -> float:
    """Price of so many prompt and completion tokens, in US dollars."""
    return (asked * model.input_price + said * model.output_price) / 1_000_000
