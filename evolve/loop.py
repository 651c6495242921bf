"""THE LOOP. Read this first: select a parent, run it, analyse its failures, edit it, measure both, keep the better."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from time import time
from typing import Any

import numpy as np

from evolve.case import Case
from evolve.population import (
    Candidate,
    Choice,
    Diagnosis,
    Evaluation,
    Exchange,
    Iteration,
    Outcome,
    Population,
    Proposal,
)
from evolve.results import Results
from evolve.selection import Survival
from harness.errors import BudgetSpent, EvolveError, first
from harness.types import Document, Draw, Side

Record = Callable[[Iteration], Awaitable[Iteration]]


@dataclass(frozen=True)
class Parts:
    """What the loop is made of; `assemble` in evolve/assembly.py puts it together."""

    select: Callable[[Population, np.random.Generator], Choice]
    minibatch: Callable[[np.random.Generator], tuple[Document, ...]]
    validation: tuple[Document, ...]
    evaluate: Callable[[Candidate, tuple[Document, ...], int, Side], Coroutine[Any, Any, Evaluation]]
    case: Callable[[Candidate, Evaluation, Population, Draw], Awaitable[Case]]
    diagnose: Callable[[Case], Awaitable[tuple[Diagnosis | None, tuple[Exchange, ...]]]]
    implement: Callable[[Case, Diagnosis], Awaitable[Proposal]]
    survives: Callable[[Evaluation, Evaluation], Survival]
    record: Record


@dataclass(frozen=True)
class Plan:
    """How far and how wide. Iteration i sees the results of iterations up to i - lag, whatever finishes first."""

    seed: int
    lag: int
    workers: int
    iterations: int

    def sees(self, number: int) -> int:
        """The last iteration whose result that one sees."""
        return max(0, number - self.lag)


async def evolve(plan: Plan, parts: Parts, results: Results) -> EvolveError | None:
    """Run every unfinished iteration, `workers` at once. Returns what stopped it early: a spent budget, or None."""
    numbers = results.unfinished(plan.iterations)
    stopped: EvolveError | None = None
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(plan.workers):
                workers.create_task(work(plan, parts, results, numbers))
    except* BudgetSpent as spent:
        stopped = first(spent)
    return stopped


async def work(plan: Plan, parts: Parts, results: Results, numbers: Iterator[int]) -> None:
    """One worker: take the next number, wait for what it may see, iterate, record durably, then apply."""
    for number in numbers:
        seen = await results.upto(plan.sees(number))
        iteration = await iterate(plan, parts, number, seen)
        results.add(await parts.record(iteration))


async def iterate(plan: Plan, parts: Parts, number: int, seen: Population) -> Iteration:
    """One step of evolution; its randomness comes from (seed, number) alone."""
    started, rng = time(), np.random.default_rng([plan.seed, number])
    choice = parts.select(seen, rng)
    parent = choice.parent
    minibatch = await parts.evaluate(parent, parts.minibatch(rng), number, "minibatch")

    case = await parts.case(parent, minibatch, seen, Draw(number, "edit"))
    diagnosis, exchanges = await parts.diagnose(case)
    proposal = await parts.implement(case, diagnosis) if diagnosis else unanalysed(exchanges)
    outcome, reason, measured = await compare(parts, number, parent, proposal)
    return Iteration(
        number=number,
        outcome=outcome,
        reason=reason,
        parent=parent.id,
        sees=plan.sees(number),
        child=proposal.child,
        probabilities=choice.probabilities,
        diagnosis=diagnosis,
        summary=proposal.summary,
        exchanges=exchanges + proposal.exchanges,
        evaluations=(minibatch, *measured),
        started=started,
        finished=time(),
    )


async def compare(
    parts: Parts, number: int, parent: Candidate, proposal: Proposal
) -> tuple[Outcome, str, tuple[Evaluation, ...]]:
    """Parent and child on the same held-out documents at the same time; the child survives or is dropped, and why."""
    if proposal.outcome != "proposed":
        return proposal.outcome, proposal.reason, ()
    assert proposal.child is not None
    async with asyncio.TaskGroup() as both:
        old = both.create_task(parts.evaluate(parent, parts.validation, number, "parent"))
        new = both.create_task(parts.evaluate(proposal.child, parts.validation, number, "child"))
    verdict = parts.survives(old.result(), new.result())
    return "survived" if verdict.survived else "dropped", verdict.reason, (old.result(), new.result())


def unanalysed(exchanges: tuple[Exchange, ...]) -> Proposal:
    """No edit is asked for without a usable diagnosis."""
    return Proposal("no_proposal", exchanges[-1].problem if exchanges else "", "", None, ())
