"""Attempts: distinct draws, scores from booleans, and what happens if one of them fails."""

import asyncio
from collections.abc import Callable

import pytest
from fakes import (
    DOCUMENT,
    DRAW,
    PlayedSandbox,
    ScriptedModels,
    criteria,
    example,
    graded,
    instrument,
    judgement,
    reply,
)

from harness.errors import BudgetSpent, InvalidMeasurement, ProviderError
from harness.place import Place, Subject
from harness.solvers import AGAIN, NEXT, PROBE, attempts
from harness.trajectory import Attempt, Example, Solver
from harness.types import Reply, Request

DRAWS = tuple(DRAW.at(attempt=number) for number in range(3))


def solve(
    models: ScriptedModels, solver: Solver = "weak", task: Example | None = None
) -> tuple[Attempt, ...]:
    place, subject = Place(models, PlayedSandbox(), instrument()), Subject(DOCUMENT, task or example())
    return asyncio.run(attempts(place, subject, solver, DRAWS)).made


def test_attempts_are_distinct_draws() -> None:
    """Each attempt has its own draw for solver and judge, and is recorded with both calls."""
    models = ScriptedModels(judge=lambda request: graded(0.2 * request.draw.attempt))
    made = solve(models)
    assert [one.number for one in made] == [0, 1, 2]
    assert [one.score for one in made] == pytest.approx([0.0, 0.2, 0.4])
    assert [one.calls for one in made] == [(f"weak 0.{n}.0", f"judge 0.{n}.0") for n in range(3)]
    assert {one.draw for one in models.of("weak")} == set(DRAWS) == {one.draw for one in models.of("judge")}


def test_prompt() -> None:
    """A solver sees context and question only: no document, rubric, reference answer or label."""
    models = ScriptedModels(judge=graded(1))
    solve(models, "strong")
    (content,) = {one.messages[0].content for one in models.of("strong")}
    assert "Pairs arrive in a queue." in content and "if they tie?" in content
    assert not any(hidden in content for hidden in ("claim", "It is kept.", "predict", "keeps the order"))
    assert models.of("weak") == []


def test_score_follows_from_the_booleans() -> None:
    """A met negative criterion takes its weight away, in code; the model has no say in the number."""
    task = example(rubric=criteria(6, 4, -5), rubric_policy="signed")
    (one, *_) = solve(ScriptedModels(judge=judgement([True, True, True])), task=task)
    assert one.hits == (True, True, True) and one.score == pytest.approx(0.5)


def test_thoughts_are_not_answers() -> None:
    """A leading thought is not judged; a thought alone is an empty answer and drawn again."""
    said = ["<think>hm</think>\n ", "<think>42?</think> It is kept. "]
    models = ScriptedModels(weak=lambda request: said[min(request.draw.retry, 1)], judge=graded(1))
    assert [one.answer for one in solve(models)] == ["It is kept."] * 3
    assert [one.draw.retry for one in models.of("weak")].count(1) == 3
    assert all("42?" not in one.messages[0].content for one in models.of("judge"))


def failing(error: Callable[[], Exception] | None) -> Callable[[Request], Reply | str]:
    """A solver whose attempt 1 fails: with an error, or by never giving a whole answer."""

    def say(request: Request) -> Reply | str:
        if request.draw.attempt % NEXT != 1:
            return "fine"
        if error:
            raise error()
        return reply("", "length")

    return say


def test_missing_attempt_is_never_a_zero() -> None:
    """If one attempt stays missing, all are; but the others end first, so that spending does not depend on luck."""
    models = ScriptedModels(weak=failing(None), judge=graded(1))
    with pytest.raises(InvalidMeasurement, match=r"^weak: no usable answer"):
        solve(models)
    assert [one.draw.attempt for one in models.of("judge")] == [0, 2]
    asked = {one.draw.attempt for one in models.of("weak")}
    assert asked == {0, 1, 2, 1 + NEXT, PROBE + 1 + NEXT, 1 + AGAIN * NEXT}


@pytest.mark.parametrize("error", [ProviderError, BudgetSpent])
def test_our_errors_pass_as_they_are(error: type[Exception]) -> None:
    """A provider's failure or a spent budget ends all attempts and is no group of exceptions."""
    with pytest.raises(error, match="down"):
        solve(ScriptedModels(weak=failing(lambda: error("down")), judge=graded(1)))
