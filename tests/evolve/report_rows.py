"""Iterations with several trials a document, and databases of them, for tests of what is read from a run."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import recorded
from rich.console import Console, RenderableType

from evolve.contest import Decision, Look
from evolve.history import History
from evolve.iteration import Arm, Candidate, Evaluation, Iteration, Operator, Outcome
from evolve.population import Population
from evolve.seal import Request
from harness.types import Side

Scores = Sequence[float | None]
VALIDATION = 20  # the number of the first validation document of recorded.py


def evaluation(number: int, side: Side, candidate: str, scores: Sequence[Scores]) -> Evaluation:
    """scores: by document its trials, in their order."""
    found = recorded.evaluation(number, side, candidate, [None] * len(scores))
    rollouts = [
        recorded.rollout(int(one.document, 16), score).model_copy(update={"trial": trial})
        for one, trials in zip(found.rollouts, scores, strict=True)
        for trial, score in enumerate(trials)
    ]
    return replace(found, rollouts=tuple(rollouts))


def raced(number: int, arm: Arm = "evolution", of: str = "c0", **sides: Sequence[Scores]) -> Iteration:
    """An iteration of an arm with these sides and the parent `of`; with a `record` it survived."""
    one = recorded.iteration(number, of, survives="record" in sides)
    child = replace(one.child, arm=arm) if one.child else None
    operator: Operator = "random" if arm == "random" else "edit"
    measured = tuple(
        evaluation(number, side, of if side in ("parent", "minibatch") else f"c{number}", scores)
        for side, scores in typed(sides).items()
    )
    changed: dict[str, Any] = {"diagnosis": None} if arm == "random" else {}
    return replace(one, arm=arm, operator=operator, child=child, evaluations=measured, sees=0, **changed)


def against(reference: str, one: Iteration) -> Iteration:
    """The same with another one measured in place of its parent, which is a contender."""
    measured = (
        replace(each, candidate=reference) if each.side == "parent" else each for each in one.evaluations
    )
    return replace(one, evaluations=tuple(measured))


def contends(one: Iteration) -> Iteration:
    """The same with a child that became a contender."""
    return replace(one, outcome="contender", reason="ahead, not shown to be better: difference +0.100 on 2")


def typed(sides: Mapping[str, Any]) -> dict[Side, Any]:
    order: tuple[Side, ...] = ("minibatch", "rerun", "parent", "child", "record")
    return {side: sides[side] for side in order if side in sides}


def stopped(number: int, outcome: Outcome, reason: str) -> Iteration:
    """One that ended before there was a race."""
    one = recorded.iteration(number)
    child = one.child if outcome == "not_improved" else None
    return replace(one, outcome=outcome, reason=reason, child=child, evaluations=one.evaluations[:1])


def decided(
    *looks: tuple[int, int, float], rule: str = "sequential", error: float | None = 0.001
) -> Decision:
    """looks: rollouts of child and parent, and the difference."""
    return Decision(
        rule,
        error,
        tuple(
            Look(mine, theirs, 2, gain, gain - 0.2, gain + 0.2, 1.5, 6.9, -1.9)
            for mine, theirs, gain in looks
        ),
    )


def make(folder: Path, iterations: Sequence[Iteration], finals: Mapping[str, Scores] | None = None) -> Path:
    """A database with the baseline and these iterations; finals: candidate -> its scores on test documents."""
    path = folder / "population.db"

    async def fill() -> None:
        history = await recorded.begun(path)
        try:
            for one in iterations:
                await history.record(recorded.RUN.run, one, {})
            if finals:
                measured = [
                    recorded.evaluation(int(key[1:]), "final", key, list(scores))
                    for key, scores in finals.items()
                ]
                chosen = [Candidate(key, int(key[1:]), "c0", "", "") for key in finals]
                await history.unseal(
                    recorded.RUN.run, chosen, Request("selection", 9, recorded.RUN.instrument)
                )
                await history.record_final(recorded.RUN.run, measured, [], {})
        finally:
            await history.close()

    asyncio.run(fill())
    return path


def population(path: Path) -> Population:
    """What the loop would go on with."""

    async def load() -> Population:
        history = await History.open(path)
        try:
            return Population(await history.load(recorded.RUN.run))
        finally:
            await history.close()

    return asyncio.run(load())


def text(*pictures: RenderableType, width: int = 80) -> str:
    out = StringIO()
    console = Console(file=out, width=width, markup=False, highlight=False, emoji=False)
    for picture in pictures:
        console.print(picture)
    return out.getvalue()
