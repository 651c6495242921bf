"""Weak and strong solvers: a question answered several times, each attempt a draw of its own, each one judged."""

from typing import Literal

from harness.errors import InvalidMeasurement
from harness.gate import rubric_score
from harness.gateway import Models
from harness.judge import judge
from harness.measuring import measure, user
from harness.parsing import Malformed, without_thought
from harness.prompting import load, render
from harness.together import together
from harness.types import Attempt, Draw, Example, Request

Solver = Literal["weak", "strong"]


async def attempts(
    models: Models, solver: Solver, example: Example, draws: tuple[Draw, ...]
) -> tuple[Attempt, ...]:
    """One attempt at the example for every draw, all at once; solvers see context and question only.

    Raises:
        InvalidMeasurement: an attempt could not be made or judged; raised when all attempts have ended, so that what
            is spent does not depend on which of them failed first.
        ProviderError, BudgetSpent: as the gateway raises them, at once.
    """
    results = await together(outcome(models, solver, example, draw) for draw in draws)
    for result in results:
        if isinstance(result, InvalidMeasurement):
            raise result
    return tuple(result for result in results if isinstance(result, Attempt))


async def outcome(
    models: Models, solver: Solver, example: Example, draw: Draw
) -> Attempt | InvalidMeasurement:
    """The attempt, or why it is missing."""
    try:
        return await attempt(models, solver, example, draw)
    except InvalidMeasurement as missing:
        return missing


async def attempt(models: Models, solver: Solver, example: Example, draw: Draw) -> Attempt:
    """One answer and its judgement; the score is computed in code from the judge's booleans.

    Raises:
        InvalidMeasurement: the solver or the judge gave no usable answer.
    """
    prompt = render(load("harness", "solver.md"), context=example.context, question=example.question)
    answer, reply = await measure(models, Request(solver, user(prompt), draw), read)
    hits, call = await judge(models, example, answer, draw)
    return Attempt(
        solver=solver,
        number=draw.attempt,
        answer=answer,
        hits=hits,
        score=rubric_score(example.rubric, hits),
        calls=(reply.key, call),
    )


def read(text: str) -> str:
    """The answer without a leading thought, which some servers leave in the text.

    Raises:
        Malformed: nothing is left.
    """
    answer = without_thought(text).strip()
    if not answer:
        raise Malformed("a thought and no answer")
    return answer
