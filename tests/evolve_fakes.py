"""Values and in-memory parts of the outer loop for its tests: candidates with a true pass rate, no model, no disk."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from evolve.case import Case
from evolve.contest import Decision, Look, Terms
from evolve.iteration import (
    KEPT,
    Candidate,
    Cause,
    Diagnosis,
    Evaluation,
    Exchange,
    Iteration,
    Outcome,
    Proposal,
)
from evolve.loop import Parts, Task
from evolve.operators import Attempt
from evolve.operators.making import unanalysed
from evolve.population import Population
from evolve.race import Draws, Rule, Track
from evolve.selection import Pressure, strict
from evolve.selection.boltzmann import select
from harness.trajectory import Rollout
from harness.types import Document, Draw, Side, Split

VALIDATION = tuple(Document(f"v{n}", f"validation {n}", "text") for n in range(6))
TRAINING = tuple(Document(f"t{n}", f"training {n}", "text") for n in range(12))
BASELINE = Candidate("c0", 0, None, "0" * 40, "0" * 40)
DIAGNOSIS = Diagnosis(
    summary="Too easy.",
    causes=(Cause(title="easy", explanation="It is.", evidence=("e",), remedy="Ask more."),),
)
STRICT = Rule("strict", strict.step, 0, Terms())
Score = float | None


def rollout(document: str, score: Score, trial: int = 0) -> Rollout:
    """A rollout with that score; None is a missing measurement."""
    outcome = "missing" if score is None else "accepted" if score else "exhausted"
    return Rollout(document=document, name=document, outcome=outcome, score=score, trial=trial)


def evaluation(
    candidate: str, scores: Sequence[Score] | Mapping[str, Score], side: Side = "parent", **more: Any
) -> Evaluation:
    """A validation measurement; scores by document, or of documents v0, v1, ..."""
    named = scores if isinstance(scores, Mapping) else {f"v{n}": score for n, score in enumerate(scores)}
    split: Split = "training" if side in ("minibatch", "rerun") else "validation"
    made = Evaluation(candidate, 1, side, split, "i", tuple(rollout(*one) for one in named.items()))
    return replace(made, **more)


def child(number: int, parent: str = "c0", tree: str | None = None) -> Candidate:
    return Candidate(f"c{number}", number, parent, f"{number:040x}", tree or f"{number + 1000:040x}")


def baseline(scores: Sequence[Score] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)) -> Iteration:
    measured = evaluation("c0", scores, "baseline", iteration=0)
    return Iteration(0, "baseline", "", "c0", 0, BASELINE, evaluations=(measured,))


def compared(
    number: int,
    old: Sequence[Score],
    new: Sequence[Score],
    outcome: Outcome = "survived",
    parent: str = "c0",
    reference: str | None = None,
) -> Iteration:
    """An iteration that measured parent and child. reference: whom it measured in place of a contender."""
    born = child(number, parent)
    sides = (
        evaluation(reference or parent, old, "parent", iteration=number),
        evaluation(born.id, new, "child", iteration=number),
    )
    gaps = [b - a for a, b in zip(old, new, strict=False) if a is not None and b is not None]
    value = sum(gaps) / len(gaps) if gaps else 0.0
    look = Look(len(gaps), len(gaps), len(gaps), value, -1.0, 1.0)
    decision = Decision("strict", None, (look,)) if outcome in (*KEPT, "dropped") else None
    return Iteration(number, outcome, "", parent, 0, born, evaluations=sides, decision=decision)


@dataclass
class World:
    """Parts whose results depend on the request alone, and which keep every event. `pause` decides what finishes when.

    pause: awaited before every measurement and proposal, with the iteration's number. proposals: iteration -> outcome
    of its proposal, `proposed` by default. fail: (event, iteration) -> error raised there.
    """

    pause: Callable[[int], "asyncio.Future[None]"] | None = None
    proposals: Mapping[int, Any] = field(default_factory=dict)
    undiagnosed: frozenset[int] = frozenset()
    fail: Mapping[tuple[str, int], Exception] = field(default_factory=dict)
    scores: Callable[[str, int, Side, str], Score] | None = None
    events: list[tuple[str, int]] = field(default_factory=list)
    seen: dict[int, tuple[int, ...]] = field(default_factory=dict)
    recorded: list[Iteration] = field(default_factory=list)
    rule: Rule = STRICT
    rerun: bool = False
    screen: bool = False
    partners: Mapping[int, Candidate] = field(default_factory=dict)

    def parts(self) -> Parts:
        return Parts(
            task=self.task,
            minibatch=lambda rng: tuple(
                TRAINING[int(n)] for n in rng.choice(len(TRAINING), 3, replace=False)
            ),
            case=self.case,
            make=self.make,
            track=Track(self.rule, VALIDATION, self.evaluate),
            record=self.record,
            rerun=self.rerun,
            screen=self.screen,
        )

    def note(self, event: str, number: int) -> None:
        self.events.append((event, number))
        if error := self.fail.get((event, number)):
            raise error

    async def wait(self, number: int) -> None:
        if self.pause is not None:
            await self.pause(number)
        else:
            await asyncio.sleep(0)

    def task(self, number: int, seen: Population, rng: np.random.Generator) -> Task:
        choice = select(list(seen.standings.values()), seen.children, Pressure(shrink=False), rng)
        return Task("evolution", "edit", choice, self.partners.get(number))

    async def evaluate(self, candidate: Candidate, draws: Draws, iteration: int, side: Side) -> Evaluation:
        if draws:
            self.note(side, iteration)
            await self.wait(iteration)
            self.note(f"{side} done", iteration)
        score = self.scores or luck
        found = evaluation(candidate.id, {}, side, iteration=iteration)
        rollouts = tuple(
            rollout(
                one.id, score(candidate.id, iteration, side, f"{one.id} {trial}" if trial else one.id), trial
            )
            for one, trial in draws
        )
        return replace(found, rollouts=rollouts)

    async def case(self, task: Task, measured: Evaluation, seen: Population, draw: Draw) -> Case:
        self.note("case", draw.iteration)
        self.seen[draw.iteration] = tuple(one.number for one in seen.iterations)
        return Case(task.choice.parent, {}, measured, seen, draw)

    async def make(self, task: Task, case: Case) -> Attempt:
        diagnosis, exchanges = await self.diagnose(case)
        if diagnosis is None:
            return Attempt(None, unanalysed(exchanges), exchanges)
        return Attempt(diagnosis, await self.implement(case, diagnosis), exchanges)

    async def diagnose(self, case: Case) -> tuple[Diagnosis | None, tuple[Exchange, ...]]:
        number = case.draw.iteration
        self.note("diagnose", number)
        await self.wait(number)
        if number in self.undiagnosed:
            return None, (Exchange("analyzer", "k", "p", "r", "no JSON"),)
        return DIAGNOSIS, (Exchange("analyzer", "k", "p", "r"),)

    async def implement(self, case: Case, diagnosis: Diagnosis) -> Proposal:
        number = case.draw.iteration
        self.note("implement", number)
        await self.wait(number)
        outcome, exchanges = self.proposals.get(number, "proposed"), (Exchange("implementer", "k", "p", "r"),)
        if outcome != "proposed":
            return Proposal(outcome, f"why {outcome}", "tried", None, exchanges)
        return Proposal("proposed", "", "changed", child(number, case.parent.id), exchanges)

    async def record(self, iteration: Iteration) -> Iteration:
        self.note("record", iteration.number)
        await self.wait(iteration.number)
        self.recorded.append(iteration)
        self.events.append(("durable", iteration.number))
        return iteration


def luck(candidate: str, iteration: int, side: Side, document: str) -> Score:
    """A score that depends on the draw alone; later candidates are better, now and then one is missing."""
    chance = random.Random(f"{candidate} {iteration} {side} {document}").random()
    if chance > 0.98:
        return None
    return float(chance < 0.2 + 0.04 * int(candidate[1:]))
