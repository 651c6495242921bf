"""One child against its parent, block by block, as the survival rule asks; and the fresh record of a survivor."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evolve.contest import Contest, Decision, Measure, Survival, Terms, Trial
from evolve.iteration import Candidate, Evaluation
from evolve.population import Population
from evolve.selection import refuse_idle
from harness.types import Document, Side

Draws = tuple[tuple[Document, int], ...]
Evaluate = Callable[[Candidate, Draws, int, Side], Coroutine[Any, Any, Evaluation]]
"""Candidate, documents each with the number of its trial, iteration, side -> one rollout for each of the draws."""


@dataclass(frozen=True)
class Rule:
    """A survival rule with its terms. record: trials a document of a survivor's fresh record; 0: it has none."""

    name: str
    step: Callable[[Contest], Measure | Survival]
    record: int
    terms: Terms


@dataclass(frozen=True)
class Track:
    """Where races are run: the rule, the validation documents and how to measure."""

    rule: Rule
    validation: tuple[Document, ...]
    evaluate: Evaluate


@dataclass(frozen=True)
class Raced:
    """How it ended. evaluations: parent, child and record, as far as they were measured."""

    survival: Survival
    decision: Decision
    evaluations: tuple[Evaluation, ...]


async def race(
    track: Track, number: int, pair: tuple[Candidate, Candidate], seen: Population, rng: np.random.Generator
) -> Raced:
    """Child and reference, measured at the same time, until the rule has decided.

    Raises:
        OurFault, BudgetSpent: as measuring raises them. UsageError: the rule asks for nothing, or is the user's and fails.
    """
    parent, child = pair
    reference = seen.reference(parent)
    rival = None if reference.id == parent.id else seen.records[parent.id]
    rule, known = track.rule, {one.id: one for one in track.validation}
    order = tuple(track.validation[int(at)].id for at in rng.permutation(len(track.validation)))
    contest = Contest(number, order, seen.records[reference.id], rule.terms, rival=rival)
    old: Evaluation | None = None
    new: Evaluation | None = None
    looks = []
    while isinstance(step := rule.step(contest), Measure):
        looks += [step.look] if step.look is not None else []
        refuse_idle(rule.name, step)
        theirs, mine = numbered(step.parent, contest.parent), numbered(step.child, contest.child)
        async with asyncio.TaskGroup() as both:
            former = both.create_task(more(track, (reference, number, "parent"), old, named(theirs, known)))
            latter = both.create_task(more(track, (child, number, "child"), new, named(mine, known)))
        old, new = former.result(), latter.result()
        contest = contest.drawn(fresh(old, len(contest.parent)), fresh(new, len(contest.child)))
    looks += [step.look] if step.look is not None else []
    measured = [one for one in (old, new) if one is not None]
    if step.survived and rule.record:
        measured.append(await record(track, child, number, "record", range(rule.record)))
    return Raced(step, Decision(rule.name, step.error, tuple(looks)), tuple(measured))


async def record(track: Track, candidate: Candidate, number: int, side: Side, trials: range) -> Evaluation:
    """Those trials of a candidate on every validation document."""
    draws = tuple((one, trial) for trial in trials for one in track.validation)
    return await track.evaluate(candidate, draws, number, side)


async def more(
    track: Track, place: tuple[Candidate, int, Side], before: Evaluation | None, draws: Draws
) -> Evaluation | None:
    """What was measured before with these draws added; None if there is neither."""
    if not draws:
        return before
    candidate, number, side = place
    found = await track.evaluate(candidate, draws, number, side)
    return found if before is None else before.plus(found)


def numbered(documents: Iterable[str], before: Iterable[Trial]) -> list[tuple[str, int]]:
    """Each document with the number of its trial: how often it was drawn before."""
    drawn = Counter(one.document for one in before)
    found = []
    for document in documents:
        found.append((document, drawn[document]))
        drawn[document] += 1
    return found


def named(draws: Iterable[tuple[str, int]], known: dict[str, Document]) -> Draws:
    """The documents behind the ids."""
    return tuple((known[key], trial) for key, trial in draws)


def fresh(found: Evaluation | None, before: int) -> tuple[Trial, ...]:
    """The draws after the first so many."""
    return () if found is None else found.trials[before:]


def once(documents: Iterable[Document]) -> Draws:
    """Each of them drawn once."""
    return tuple((one, 0) for one in documents)
