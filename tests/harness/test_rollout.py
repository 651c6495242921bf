"""One rollout: order of measurement, allowances, draws."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import (
    DOCUMENT,
    DRAW,
    Env,
    PlayedSandbox,
    ScriptedModels,
    checks,
    criteria,
    graded,
    instrument,
    measuring,
    reply,
    submission,
)
from rollouts import STRONG, WEAK, rolled, submits

from harness import gate
from harness.rollout import REFUSALS, Place, roll_out


def test_accepted() -> None:
    """Ask, submit, accepted: score 1, the example, and the whole trajectory."""

    async def play(env: Env) -> None:
        assert await env.ask("Write a task.") == {"text": "a task"}
        told = (await env.submit(submission()))["report"]
        assert told["accepted"] and told["stage"] == "accepted" and told["submissions_left"] == 2
        assert told["weak_mean"] == pytest.approx(0.3) and told["weak_best"] == pytest.approx(0.4)
        assert told["strong_mean"] == pytest.approx(0.8) and told["gap"] == pytest.approx(0.5)

    done = rolled(measuring(WEAK, STRONG), play)
    assert (done.outcome, done.score, done.submissions, done.asks) == ("accepted", 1.0, 1, 1)
    assert done.example == done.steps[1].example and done.example is not None
    assert [(one.kind, one.ordinal) for one in done.steps] == [("ask", 0), ("submit", 1)]
    assert (done.steps[0].prompt, done.steps[0].reply, done.tokens) == ("Write a task.", "a task", 30)


def test_order_of_a_round() -> None:
    """Verifier, then all weak attempts, then all strong ones; each judged as the same draw as its answer."""
    models = measuring(WEAK, STRONG)
    rolled(models, submits(submission()))
    roles = [one.role for one in models.asked]
    assert roles[0] == "verifier" and roles[1:4] == ["weak"] * 3
    assert max(at for at, role in enumerate(roles) if role == "weak") < roles.index("strong")
    assert [one.draw.attempt for one in models.of("weak")] == [0, 1, 2]
    assert [one.draw.attempt for one in models.of("strong")] == [3, 4, 5]
    assert sorted(one.draw.attempt for one in models.of("judge")) == list(range(6))


def test_every_call_is_a_draw_of_its_own() -> None:
    """Over all rounds of a rollout no two calls of one role share a draw, and each keeps its place in the run."""

    async def play(env: Env) -> None:
        for _ in range(3):
            await env.ask("again")
            await env.submit(submission())

    models = measuring((0.1,) * 3, (0.2,) * 3)
    rolled(models, play)
    draws = [(one.role, one.draw) for one in models.asked]
    assert len(draws) == 3 * (1 + 1 + 12) == len(set(draws))
    assert {replace(draw, ordinal=0, attempt=0) for _, draw in draws} == {DRAW}


def test_strong_only_if_weak_passes() -> None:
    """An example that the weak solver masters is too easy; the strong solver is never paid for it."""
    models = measuring((0.9, 0.9, 0.9))
    (step,) = rolled(models, submits(submission())).steps
    assert models.of("strong") == [] and step.strong == ()
    assert step.report is not None
    assert (step.report.stage, step.report.strong_mean, step.report.gap) == ("too_easy", None, None)
    assert step.report.reasons == ("weak_mean_high", "weak_best_high")
    assert {name: one.accepted for name, one in step.shadow.items()} == {
        name: False for name, preset in gate.PRESETS.items() if preset.plain
    }


@pytest.mark.parametrize(
    ("weak", "strong", "stage", "shadow"),
    [
        ((0.5,) * 3, (0.6,) * 3, "failed_on_strong", {"meta": False, "prose": False, "deployed": False}),
        ((0.5,) * 3, (0.7,) * 3, "accepted", {"meta": True, "prose": False, "deployed": True}),
        ((0.0, 0.3, 0.3), (0.7,) * 3, "accepted", {"meta": True, "prose": True, "deployed": False}),
        ((0.1,) * 3, (1.0,) * 3, "failed_on_strong", {"meta": False, "prose": True, "deployed": False}),
    ],
)
def test_preset_decides_and_the_others_are_logged(
    weak: tuple[float, ...], strong: tuple[float, ...], stage: str, shadow: dict[str, bool]
) -> None:
    """The instrument's preset decides; what every preset would have said is on record."""
    (step,) = rolled(measuring(weak, strong), submits(submission())).steps
    assert step.report is not None and step.report.stage == stage
    assert {name: one.accepted for name, one in step.shadow.items()} == shadow


def test_scores_are_recomputed_from_booleans() -> None:
    """Every recorded score is the formula on the recorded booleans and the submitted weights."""
    (step,) = rolled(measuring(WEAK, STRONG), submits(submission(rubric=criteria(*[7] * 5, *[1] * 15)))).steps
    assert step.example is not None
    for one in (*step.weak, *step.strong):
        assert one.score == gate.rubric_score(step.example.rubric, one.hits)
    assert step.weak[0].score == pytest.approx((5 * 7 + 1) / 50)


def test_quality_failure_uses_a_round_and_measures_nothing() -> None:
    """What the verifier refuses is never solved, and counts as a submission."""
    models = measuring(WEAK, STRONG, verifier=checks(leak=True, feedback="hide it"))
    done = rolled(models, submits(submission(), submission(), submission()))
    assert (done.outcome, done.score, done.submissions) == ("exhausted", 0.0, 3)
    assert {one.role for one in models.asked} == {"verifier"}
    report = done.steps[0].report
    assert report is not None and (report.stage, report.reasons, report.feedback) == (
        "quality",
        ("leak",),
        "hide it",
    )


@pytest.mark.parametrize("bad", ["no task today", submission() | {"skills": []}, {}])
def test_malformed_submission_uses_a_round(bad: object) -> None:
    """A submission that is no example is the candidate's failure: recorded as received, told why, nothing asked."""
    models = measuring(WEAK, STRONG)
    done = rolled(models, submits(bad, bad))
    assert (done.outcome, done.score, done.submissions, models.asked) == ("stopped", 0.0, 2, [])
    for left, step in zip((2, 1), done.steps, strict=True):
        assert step.report is not None and step.example is None and step.malformed == str(bad)
        assert (step.report.stage, step.report.submissions_left) == ("malformed", left)
        assert len(step.report.feedback) > 10


def test_nobody_resubmits_past_the_limit() -> None:
    """A scaffold that goes on submitting until noise lets it through is stopped by the host at the limit."""
    told: list[dict[str, Any]] = []

    async def play(env: Env) -> None:
        told.clear()
        for _ in range(10):
            told.append(await env.submit(submission()))

    lucky = ScriptedModels(
        judge=lambda request: graded(
            (WEAK + STRONG)[request.draw.attempt] if request.draw.ordinal == 3 else 1
        )
    )
    done = rolled(lucky, play)
    assert (done.outcome, done.score, done.submissions, len(done.steps)) == ("exhausted", 0.0, 3, 3)
    assert [one["report"]["submissions_left"] for one in told[:3]] == [2, 1, 0]
    assert told[3:] == [{"spent": "submissions"}] * REFUSALS
    assert done.detail == "asked 6 times after its submissions were used up"
    assert len(lucky.of("verifier")) == 3
    assert rolled(lucky, play, submissions=4).score == 1.0


def test_nothing_is_measured_after_acceptance() -> None:
    """The first accepted example stands; later submissions are refused unmeasured and cannot replace it."""
    models = measuring(WEAK, STRONG)
    other = submission(question="Something else?")
    done = rolled(models, submits(submission(), *[other] * 20))
    assert done.example is not None and done.example.question != "Something else?"
    assert (done.outcome, done.score, done.submissions, len(done.steps)) == ("accepted", 1.0, 1, 1)
    assert len(models.of("verifier")) == 1


def test_asks_are_limited() -> None:
    """Beyond the allowed number of asks the challenger is not asked any more."""
    told = []

    async def play(env: Env) -> None:
        for _ in range(3 + REFUSALS):
            told.append(await env.ask("more"))

    models = ScriptedModels()
    done = rolled(models, play, asks=3)
    assert told == [{"text": "a task"}] * 3 + [{"spent": "asks"}] * REFUSALS
    assert (len(models.asked), done.asks, done.outcome, done.score) == (3, 3, "exhausted", 0.0)


def test_tokens_are_limited() -> None:
    """Once the tokens are used, or the prompt alone would use them, the challenger is not asked any more."""
    told = []

    async def play(env: Env) -> None:
        for prompt in ("short", "x" * 4000, "short", "short"):
            told.append(await env.ask(prompt))

    models = ScriptedModels(challenger=reply("a task", asked=400, said=100))
    done = rolled(models, play, tokens=1000)
    assert told == [{"text": "a task"}, {"spent": "tokens"}, {"text": "a task"}, {"spent": "tokens"}]
    assert (len(models.asked), done.tokens, done.outcome) == (2, 1000, "exhausted")


def test_opening() -> None:
    """The scaffold gets the document, its submissions and a seed of document and trial alone; no id, no side."""
    sandbox = PlayedSandbox(submits())
    place = Place(ScriptedModels(), sandbox, instrument(submissions=5))
    other = replace(DOCUMENT, id="f" * 16)
    draws = [DRAW, replace(DRAW, iteration=9, side="child"), replace(DRAW, trial=1)]
    for document, draw in [*((DOCUMENT, draw) for draw in draws), (other, DRAW)]:
        asyncio.run(roll_out(place, Path("s"), document, draw))
    first, same, trial, elsewhere = (one.pop("seed") for one in sandbox.openings)
    assert first == same and len({first, trial, elsewhere}) == 3
    assert all(
        one == {"document": {"name": DOCUMENT.name, "text": DOCUMENT.text, "notes": {}}, "submissions": 5}
        for one in sandbox.openings
    )


def test_stopped_without_a_submission() -> None:
    """A scaffold that gives up early has stopped: score 0, not missing."""
    done = rolled(ScriptedModels(), submits())
    assert (done.outcome, done.score, done.steps) == ("stopped", 0.0, ())
