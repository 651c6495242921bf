"""THE LOOP. Read this first: select a parent, run it, analyse its failures, edit it, race the child, keep the better."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from time import time

import numpy as np

from evolve.case import Case
from evolve.iteration import Arm, Candidate, Choice, Evaluation, Iteration, Operator, Outcome, Prediction
from evolve.operators import Attempt
from evolve.population import Population
from evolve.predictions import checked, improved, predicted, taken_up
from evolve.race import Raced, Track, once, race
from evolve.results import Results
from harness.errors import BudgetSpent, EvolveError, first
from harness.types import Document, Draw

Record = Callable[[Iteration], Awaitable[Iteration]]


@dataclass(frozen=True)
class Task:
    """What an iteration sets out to do. partner: the second parent of a merge."""

    arm: Arm
    operator: Operator
    choice: Choice
    partner: Candidate | None = None


@dataclass(frozen=True)
class Parts:
    """What the loop is made of; `assemble` in evolve/assembly.py puts it together.

    rerun: whether a child is run on its parent's minibatch. screen: whether it has to improve something there.
    """

    task: Callable[[int, Population, np.random.Generator], Task]
    minibatch: Callable[[np.random.Generator], tuple[Document, ...]]
    case: Callable[[Task, Evaluation, Population, Draw], Awaitable[Case]]
    make: Callable[[Task, Case], Awaitable[Attempt]]
    track: Track
    record: Record
    rerun: bool = True
    screen: bool = True


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


@dataclass(frozen=True)
class Turn:
    """One iteration at work: what it sees, the training documents it looks at (none for a merge), its random numbers."""

    number: int
    seen: Population
    minibatch: tuple[Document, ...]
    rng: np.random.Generator


async def iterate(plan: Plan, parts: Parts, number: int, seen: Population) -> Iteration:
    """One step of evolution; its randomness comes from (seed, number) alone."""
    started, rng = time(), np.random.default_rng([plan.seed, number])
    task = parts.task(number, seen, rng)
    parent = task.choice.parent
    turn = Turn(number, seen, () if task.partner else parts.minibatch(rng), rng)
    minibatch = await parts.track.evaluate(parent, once(turn.minibatch), number, "minibatch")

    case = await parts.case(task, minibatch, seen, Draw(number, "edit"))
    attempt = await parts.make(task, case)
    measured = await compare(parts, turn, case, attempt)
    proposal, diagnosis = attempt.proposal, attempt.diagnosis
    return Iteration(
        number=number,
        outcome=measured.outcome,
        reason=measured.reason,
        parent=parent.id,
        sees=plan.sees(number),
        child=proposal.child,
        probabilities=task.choice.probabilities,
        diagnosis=diagnosis,
        summary=proposal.summary,
        exchanges=attempt.exchanges + proposal.exchanges,
        evaluations=tuple(one for one in (minibatch, *measured.evaluations) if one.rollouts),
        started=started,
        finished=time(),
        arm=task.arm,
        operator=task.operator,
        partner=task.partner.id if task.partner else None,
        edit_hash=proposal.edit_hash,
        decision=measured.race.decision if measured.race else None,
        predictions=measured.predictions,
    )


@dataclass(frozen=True)
class Compared:
    """What became of a proposal, how the child did on its parent's minibatch, and the race if it came so far."""

    outcome: Outcome
    reason: str
    predictions: tuple[Prediction, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    race: Raced | None = None


async def compare(parts: Parts, turn: Turn, case: Case, attempt: Attempt) -> Compared:
    """The cheap check first: the child on the minibatch that its parent failed on. Then both on held-out documents."""
    proposal, number = attempt.proposal, turn.number
    said = predicted(attempt.diagnosis, case.minibatch) if attempt.diagnosis else ()
    if proposal.outcome != "proposed" or proposal.child is None:
        return Compared(
            "no_proposal" if proposal.outcome == "proposed" else proposal.outcome, proposal.reason, said
        )
    rerun: tuple[Evaluation, ...] = ()
    if turn.minibatch and parts.rerun:
        again = await parts.track.evaluate(proposal.child, once(turn.minibatch), number, "rerun")
        rerun, said = (again,), checked(said, case.minibatch, again, taken_up(proposal))
        if parts.screen and not improved(case.minibatch, again):
            return Compared(
                "not_improved", "not one of the parent's failures on the minibatch got better", said, rerun
            )
    raced = await race(parts.track, number, (case.parent, proposal.child), turn.seen, turn.rng)
    return Compared(raced.survival.outcome, raced.survival.reason, said, rerun + raced.evaluations, raced)
