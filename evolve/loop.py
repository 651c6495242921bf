"""THE LOOP. Read this first: select a parent, run it, analyse its failures, edit it, measure both, keep the better."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from time import time
from typing import Protocol

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


class Evaluate(Protocol):
    """Measures a candidate on documents, one rollout each."""

    async def __call__(
        self, candidate: Candidate, documents: tuple[Document, ...], iteration: int, side: Side
    ) -> Evaluation: ...


Record = Callable[[Iteration], Awaitable[Iteration]]


@dataclass(frozen=True)
class Parts:
    """What the loop is made of; `evolve/session.py` puts it together."""

    select: Callable[[Population, np.random.Generator], Choice]
    minibatch: Callable[[np.random.Generator], tuple[Document, ...]]
    validation: tuple[Document, ...]
    evaluate: Evaluate
    case: Callable[[Candidate, Evaluation, Population, Draw], Awaitable[Case]]
    diagnose: Callable[[Case], Awaitable[tuple[Diagnosis | None, tuple[Exchange, ...]]]]
    implement: Callable[[Case, Diagnosis], Awaitable[Proposal]]
    survives: Callable[[Evaluation, Evaluation], Survival]
    record: Record


@dataclass(frozen=True)
class Plan:
    """How far and how wide: iteration i sees the results of iterations up to i - lag, whatever finishes first."""

    seed: int
    lag: int
    workers: int
    iterations: int


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
        seen = await results.upto(max(0, number - plan.lag))
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
    iteration = Iteration(
        number=number,
        outcome="no_proposal" if proposal.outcome == "proposed" else proposal.outcome,
        reason=proposal.reason,
        parent=parent.id,
        sees=max(0, number - plan.lag),
        child=proposal.child,
        probabilities=choice.probabilities,
        diagnosis=diagnosis,
        summary=proposal.summary,
        exchanges=exchanges + proposal.exchanges if diagnosis else exchanges,
        evaluations=(minibatch,),
        started=started,
    )
    if proposal.outcome == "proposed" and proposal.child is not None:
        iteration = await compare(parts, iteration, parent, proposal.child)
    return replace(iteration, finished=time())


async def compare(parts: Parts, iteration: Iteration, parent: Candidate, child: Candidate) -> Iteration:
    """Parent and child on the same held-out documents at the same time; the child survives or is dropped."""
    async with asyncio.TaskGroup() as both:
        old = both.create_task(parts.evaluate(parent, parts.validation, iteration.number, "parent"))
        new = both.create_task(parts.evaluate(child, parts.validation, iteration.number, "child"))
    evaluations = (*iteration.evaluations, old.result(), new.result())
    verdict = parts.survives(old.result(), new.result())
    outcome: Outcome = "survived" if verdict.survived else "dropped"
    return replace(iteration, outcome=outcome, reason=verdict.reason, evaluations=evaluations)


def unanalysed(exchanges: tuple[Exchange, ...]) -> Proposal:
    """No edit is asked for without a usable diagnosis."""
    return Proposal("no_proposal", exchanges[-1].problem if exchanges else "", "", None, ())
