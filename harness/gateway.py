"""The one door to models: replay -> budget -> slot -> circuit -> client -> journal; counts every token."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Literal, Protocol

from harness.budget import Budget, Spent, refuse_unpriced
from harness.calls import Call, identify, price, worst_case
from harness.circuit import Circuit, Passage, Patience, backoff
from harness.errors import ProviderError
from harness.journal import Entry, Failure, Journal
from harness.models.openai import Completion, Endpoint, Objection, Question, Transient
from harness.slots import Pace, Slots, urgency
from harness.trying import Trying, control
from harness.types import Model, Reply, Request, Role


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
class Terms:
    """What a gateway holds itself to. seed: of the run; it makes the seeds that go to the models."""

    seed: int
    patience: Patience = field(default_factory=Patience)
    model_change: Literal["warn", "stop"] = "warn"


@dataclass(frozen=True)
class Line:
    """The way to one account: its client, its call slots, and whether it is up."""

    endpoint: Endpoint
    slots: Slots
    pace: Pace
    circuit: Circuit


class Gateway:
    """Answers requests of all iterations and rollouts; see the module's first line for the order of things."""

    def __init__(
        self,
        models: Mapping[Role, Model],
        endpoints: Mapping[str, Endpoint],
        journal: Journal,
        budget: Budget,
        terms: Terms,
    ) -> None:
        """`endpoints` by `Model.account`.

        Raises:
            UsageError: a budget in money, and a model whose price is unknown.
        """
        refuse_unpriced(budget.limits, models)
        self.models = models
        self.journal = journal
        self.budget = budget
        self.terms = terms
        self.lines = {account: self.line(account, endpoint) for account, endpoint in endpoints.items()}
        self.flying: dict[str, asyncio.Task[Reply]] = {}
        self.under_way: set[str] = set()
        self.closing = False
        self.trouble: dict[str, str] = {}
        self.renamed: list[str] = []
        self.told: list[str] = []  # what whoever runs an endpoint of ours has to say of it
        self.heard: dict[Role, list[str]] = {}
        self.spent: dict[Role, Spent] = {}
        self.replayed = 0

    def line(self, account: str, endpoint: Endpoint) -> Line:
        """A closed circuit and free slots: the largest number that a role of the account asks for."""
        models = [one for one in self.models.values() if one.account == account]
        slots = Slots(max(one.slots for one in models))
        patience = self.terms.patience
        burst = replace(patience, burst=patience.burst + 2 * slots.size)
        circuit = Circuit(models[0].base_url, burst, self.clock)
        return Line(endpoint, slots, Pace(slots, self.clock), circuit)

    def clock(self) -> float:
        """Seconds, by which pauses and patience are measured."""
        return monotonic()

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
        """The call that a request is in this run."""
        return identify(request, self.models[request.role], self.terms.seed)

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
        if completion.text:
            await self.compare_name(role, completion.model)
        return reply

    async def persist(self, call: Call) -> Completion:
        """Try until an answer comes or the endpoint is given up.

        A prompt that the endpoint cannot or will not answer, although it answers another, ends with no text and a
        finish reason that begins `failed` or `refused`: one prompt must not stop a run.

        Raises:
            ProviderError: a refusal, or an endpoint that is down for longer than the terms allow.
            BudgetSpent: the run's time is over.
        """
        line, trying = self.lines[call.model.account], Trying(self.clock())
        while True:
            trying.number += 1
            trial = trying.doubtful(self.clock())
            question = control(call.question) if trial else call.question
            async with line.slots.hold(urgency(call.request.draw)):
                outcome = await self.attempt(call, question, line, trying)
            if isinstance(outcome, Completion):
                if not trial:
                    return trying.charged(outcome)
                trying.clear(outcome)
            elif isinstance(outcome, Objection):
                if trial:
                    raise outcome
                trying.objection = str(outcome)
            if ended := trying.ended(call.model):
                return ended
            if isinstance(outcome, Transient):
                self.trouble[call.key] = f"{call.request.role}: {trying.last[:160]} (attempt {trying.number})"
                if line.circuit.pause:  # all calls wait together
                    continue
                silent = self.clock() - trying.began
                if trial and not outcome.limited and silent > self.terms.patience.seconds:
                    raise ProviderError(trying.silence(call.model, silent))
                await self.wait(backoff(trying.number, outcome.after))

    async def attempt(
        self, call: Call, question: Question, line: Line, trying: Trying
    ) -> Completion | Transient | Objection:
        """One attempt, reported to the endpoint's circuit and, where it failed, to the journal."""
        if trying.retrying:
            line.circuit.retry()
        passage = await line.circuit.admit(self.wait)
        try:
            self.check()
            completion = await self.under_watch(call.key, line.endpoint.complete(call.model, question))
        except Transient as problem:
            trying.failed(problem)
            self.report(line, passage, problem)
            await self.record_failure(call, trying.number, trying.last)
            return problem
        except BaseException as ended:
            line.circuit.released(passage)
            if isinstance(ended, ProviderError):
                await self.record_failure(call, trying.number, str(ended))
            if isinstance(ended, Objection):
                return ended
            raise
        line.pace.answered()
        line.circuit.answered()
        return completion

    def report(self, line: Line, passage: Passage, problem: Transient) -> None:
        """Tell circuit and pace of a failed attempt."""
        if problem.limited:
            line.pace.limited()
            line.circuit.limited(passage, str(problem), problem.after)
        else:
            line.circuit.failed(passage, str(problem), there=problem.busy)

    async def record_failure(self, call: Call, number: int, problem: str) -> None:
        """Write down an attempt that brought no reply."""
        role = call.request.role
        await self.journal.record_failure(Failure(call.key, role, call.model.name, number, problem[:500]))

    async def compare_name(self, role: Role, reported: str) -> None:
        """Notice when an endpoint reports a model for a role that it did not before, be it in an earlier start.

        Raises:
            ProviderError: it does, and the terms say stop. The reply is recorded.
        """
        if not reported:
            return
        if role not in self.heard:
            first = await self.journal.reported(role) or reported
            self.heard.setdefault(role, [first])
        names = self.heard[role]
        if reported in names:
            return
        names.append(reported)
        warning = (
            f"the endpoint of {role} answers as {reported!r}, before as {names[-2]!r}: scores before and after are of "
            "different models"
        )
        self.renamed.append(warning)
        if self.terms.model_change == "stop":
            raise ProviderError(
                f"{warning}. Pin the model's name, or go on with provider.model_change = 'warn'."
            )

    def check(self) -> None:
        """Whether anything may still be bought.

        Raises:
            BudgetSpent: the run's time is over.
        """
        if self.closing:
            raise asyncio.CancelledError
        self.budget.check_time()

    async def wait(self, seconds: float) -> None:
        """Wait between two attempts, or for an endpoint to be back; not beyond the end of the run's time.

        Raises:
            BudgetSpent: the run's time is over.
        """
        self.check()
        await self.pause(min(seconds, self.budget.time_left))
        self.check()

    async def pause(self, seconds: float) -> None:
        """Really wait."""
        await asyncio.sleep(seconds)

    async def under_watch(self, key: str, asking: Awaitable[Completion]) -> Completion:
        """Mark a call as under way while it is: only then does closing wait for it."""
        self.under_way.add(key)
        try:
            return await asking
        finally:
            self.under_way.discard(key)

    def land(self, key: str, done: asyncio.Task[Reply]) -> None:
        """Forget a finished call; fetch its error, so that one nobody waits for any more is not reported as lost."""
        self.flying.pop(key, None)
        self.trouble.pop(key, None)
        if not done.cancelled():
            done.exception()

    @property
    def notice(self) -> str:
        """Why calls wait just now, in one line; empty if none does."""
        down = (line.circuit.notice for line in self.lines.values())
        return next(filter(None, down), "") or next(iter(self.trouble.values()), "")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people have to know about how endpoints answered; it only grows at the end of each kind."""
        said = (notice for line in self.lines.values() for notice in line.endpoint.notices)
        return (*self.renamed, *said, *self.told)

    async def close(self) -> None:
        """Buy nothing more; let calls that are under way end (each has its deadline) and be recorded; disconnect."""
        self.closing = True
        flying = dict(self.flying)
        for key, task in flying.items():
            if key not in self.under_way:
                task.cancel()
        await asyncio.gather(*flying.values(), return_exceptions=True)
        for line in self.lines.values():
            await line.endpoint.close()
