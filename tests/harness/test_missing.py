"""Infrastructure is never a verdict: what cannot be measured is measured again, and at last missing, whatever failed."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fakes import (
    DOCUMENT,
    DRAW,
    Env,
    PlayedSandbox,
    Respond,
    ScriptedModels,
    checks,
    completion,
    example,
    graded,
    instrument,
    measuring,
    reply,
    submission,
)
from gateways import Rig, Swift
from rollouts import STRONG, WEAK, rolled, submits

from harness.place import Place
from harness.proving import FIRST
from harness.rollout import roll_out
from harness.solvers import AGAIN, NEXT, PROBE
from harness.trajectory import Rollout, Step
from harness.types import Reply, Request, Role

EMPTY, CUT, FILTERED = reply(""), reply("half an ans", "length"), reply("I can", "content_filter")
REFUSED, FAILED = reply("", "refused: too long"), reply("", "failed: HTTP 500")
Fault = Callable[[Request], bool]


def faulty(role: Role, fault: Fault, said: Reply | str, **roles: Any) -> ScriptedModels:
    """Models that measure `WEAK` and `STRONG`, but for one role that says something unusable where the fault is."""
    models = ScriptedModels(judge=marking, **roles)
    usual = models.roles[role]
    models.roles[role] = lambda one: said if fault(one) else usual(one) if callable(usual) else usual
    return models


def marking(request: Request) -> str:
    """The scores by the numbers of the attempts, made again or not; other questions score nothing."""
    number = request.draw.attempt % NEXT
    return graded((WEAK + STRONG)[number] if number < 6 else 0.0)


def task_of(request: Request) -> bool:
    """Whether it is the task that is asked, and not the trivial sum."""
    return "What is 17 + 25" not in request.messages[0].content


def first_of(*numbers: int) -> Fault:
    """These attempts, but not those that take their place."""
    return lambda request: request.draw.attempt in numbers


def rounds(models: ScriptedModels, role: Role) -> list[int]:
    """Numbers of the attempts that were asked of a role, without retries, in order."""
    return list(dict.fromkeys(one.draw.attempt for one in models.of(role)))


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (EMPTY, "empty"),
        (CUT, "cut_off"),
        (FILTERED, "refused"),
        (FAILED, "failed"),
        ("<think>hm</think>", "unreadable"),
    ],
)
@pytest.mark.parametrize("numbers", [(1,), (0, 2), (0, 1, 2)])
def test_lost_attempts_are_made_again(said: Reply | str, name: str, numbers: tuple[int, ...]) -> None:
    """Whatever is wrong with some or all attempts, they are made again as draws of their own, and nothing is scored 0."""
    models = faulty("weak", first_of(*numbers), said)
    done = rolled(models, submits(submission()))
    (step,) = done.steps
    assert done.outcome == "accepted" and step.missing == (f"weak: {name}",) * len(numbers)
    assert [one.number for one in step.weak] == [0, 1, 2]
    assert [one.score for one in step.weak] == pytest.approx(list(WEAK))
    again = {NEXT + number for number in numbers}
    assert {one for one in rounds(models, "weak") if NEXT <= one < 2 * NEXT} == again


def test_the_probe_is_asked_only_where_nothing_came() -> None:
    """Where one attempt was answered the model is up; where none was, it is asked for a sum before anything else."""
    some = faulty("weak", first_of(0, 1), EMPTY)
    rolled(some, submits(submission()))
    assert all(task_of(one) for one in some.asked)
    none = faulty("weak", first_of(0, 1, 2), EMPTY)
    rolled(none, submits(submission()))
    assert rounds(none, "weak") == [0, 1, 2, PROBE, NEXT, NEXT + 1, NEXT + 2]


@pytest.mark.parametrize("said", [EMPTY, CUT, FAILED])
def test_a_task_that_gets_no_answer_is_missing(said: Reply) -> None:
    """A model that adds but never answers the task: made again twice, then missing; the scaffold hears nothing."""
    heard = []

    async def play(env: Env) -> None:
        heard.append(await env.submit(submission()))

    models = faulty("weak", task_of, said)
    done = rolled(models, play)
    assert (done.outcome, done.score, heard) == ("missing", None, [])
    assert done.detail.startswith("weak: no usable answer") and "answers other questions" in done.detail
    assert len([one for one in models.of("weak") if task_of(one)]) == 3 * 4 * (1 + AGAIN)
    assert len([one for one in models.of("weak") if not task_of(one)]) == AGAIN
    assert models.of("judge") == models.of("strong") == []


def test_a_silent_endpoint_is_found_out_by_the_sum() -> None:
    """A model that gives no sum either has measured nothing: no more is spent on the task."""
    models = faulty("strong", lambda request: True, EMPTY)
    done = rolled(models, submits(submission()))
    assert (done.outcome, done.score) == ("missing", None) and done.detail.endswith(
        "and that to a trivial sum"
    )
    assert rounds(models, "strong") == [3, 4, 5, 3 + PROBE]


def test_a_prompt_that_is_always_refused_is_the_scaffolds() -> None:
    """Where every attempt is refused for what the prompt says, the submission fails its check and the next one counts."""
    models = faulty("weak", lambda request: request.draw.ordinal == 0, REFUSED)
    done = rolled(models, submits(submission(), submission()))
    assert done.outcome == "accepted" and done.submissions == 2
    report = done.steps[0].report
    assert report is not None and (report.stage, report.reasons) == ("quality", ("unanswerable",))


def test_a_prompt_that_was_answered_once_can_be_answered() -> None:
    """A refusal beside answers to the very same prompt is chance: the attempt is made again and charged to nobody."""
    models = faulty("weak", first_of(2), REFUSED)
    done = rolled(models, submits(submission()))
    assert done.outcome == "accepted" and done.steps[0].missing == ("weak: refused",)
    always = faulty("weak", lambda request: request.draw.attempt % NEXT == 2, REFUSED)
    assert rolled(always, submits(submission())).outcome == "missing"


def test_an_unreadable_mark_is_a_missing_attempt() -> None:
    """An answer that the judge cannot mark is given again and marked again; it is told apart from an empty answer."""
    models = faulty("judge", first_of(4), "I like it.")
    (step,) = rolled(models, submits(submission())).steps
    assert step.missing == ("strong: judge unreadable",) and len(step.strong) == 3
    assert step.report is not None and step.report.accepted


def test_a_judge_that_marks_nothing_is_probed_itself() -> None:
    """It is the judge that is asked for the sum where no answer could be marked."""
    models = faulty("judge", task_of, "I like it.")
    done = rolled(models, submits(submission()))
    assert (done.outcome, done.score) == ("missing", None) and done.detail.startswith(
        "judge: no usable answer"
    )
    assert all(task_of(one) for one in models.of("weak"))
    assert len([one for one in models.of("judge") if not task_of(one)]) == AGAIN
    silent = faulty("judge", lambda request: True, "")
    assert rolled(silent, submits(submission())).detail.endswith("and that to a trivial sum")
    assert rounds(silent, "weak") == [0, 1, 2]


def test_a_silent_verifier_is_missing() -> None:
    """A verifier without a readable answer neither passes nor fails a task."""
    done = rolled(faulty("verifier", lambda request: True, "PASS"), submits(submission()))
    assert (done.outcome, done.score, done.steps) == ("missing", None, ())


def test_missing_after_real_failures_is_missing() -> None:
    """Where an earlier submission really failed and a later one cannot be measured, the document has no score; what was
    measured stays on record, and the scaffold is told nothing of the other."""
    heard: list[dict[str, Any]] = []

    async def play(env: Env) -> None:
        for _ in range(3):
            heard.append(await env.submit(submission()))

    easy = ScriptedModels(judge=graded(0.9), verifier=checks())
    easy.roles["weak"] = lambda request: EMPTY if request.draw.ordinal == 1 and task_of(request) else "fine"
    done = rolled(easy, play)
    assert (done.outcome, done.score, done.submissions) == ("missing", None, 2)
    assert [one["report"]["stage"] for one in heard] == ["too_easy"] == [stage(one) for one in done.steps]


def stage(step: Step) -> str:
    assert step.report is not None
    return step.report.stage


def test_a_proof_that_cannot_be_measured_is_missing() -> None:
    """A task whose proof gets no readable judgement is neither accepted nor unproven."""
    models = faulty("judge", first_of(FIRST["reference"]), "I like it.")
    checked = replace(instrument(), checks={"reference": True})
    place = Place(models, PlayedSandbox(submits(submission(), submission())), checked)
    done = asyncio.run(roll_out(place, Path("scaffold"), DOCUMENT, DRAW))
    assert (done.outcome, done.score, done.steps) == ("missing", None, ())
    assert done.detail.endswith("(while proving: reference)")


def test_an_accepted_task_is_not_lost_to_a_later_fault() -> None:
    """What was accepted stands; nothing is measured after it that could be missing."""
    done = rolled(measuring(WEAK, STRONG), submits(submission(), "nonsense"))
    assert (done.outcome, done.score) == ("accepted", 1.0)


def answering(trouble: Callable[[int], httpx2.Response | None]) -> Respond:
    """An endpoint for every role; `trouble` may answer the n-th request in its place."""
    count = 0

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        nonlocal count
        count += 1
        if refused := trouble(count):
            return refused
        role, prompt = body["model"].removesuffix("-model"), body["messages"][0]["content"]
        said = {"verifier": checks(), "weak": "a weak answer", "strong": "a strong answer"}.get(role)
        if said is None:
            said = graded(0.8 if "a strong answer" in prompt else 0.3)
        return httpx2.Response(200, json=completion(said))

    return respond


def through(gateway: Swift) -> Place:
    return Place(gateway, PlayedSandbox(submits(submission())), instrument())


async def measured(rig: Rig) -> tuple[Rollout, int]:
    """A rollout through a gateway on the journal as it is, and how many calls were replayed."""
    async with rig.open() as gateway:
        done = await roll_out(through(gateway), Path("scaffold"), DOCUMENT, DRAW)
        return done, gateway.replayed


def test_an_endpoint_that_goes_down_is_waited_for(tmp_path: Path) -> None:
    """Failures in the middle of a round are waited out: the same calls, each recorded once, and the same rollout."""
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    calm.mkdir()
    rough.mkdir()
    down = range(4, 10)
    stormy = Rig(rough, answering(lambda n: httpx2.Response(503, text="restarting") if n in down else None))
    expected, _ = asyncio.run(measured(Rig(calm, answering(lambda n: None))))
    done, replayed = asyncio.run(measured(stormy))
    assert expected.outcome == "accepted" and done == expected and replayed == 0
    keys = Counter(row[0] for row in stormy.rows())
    assert len(keys) == 13 == keys.total()
    assert len(stormy.wire.bodies) == 13 + len(down)


def test_a_resumed_run_replays_missing_data_too(tmp_path: Path) -> None:
    """The second time everything comes from the journal, empty answers included, and ends in the same rollout."""
    quiet = iter(range(100))

    def silent(number: int) -> httpx2.Response | None:
        solving = 1 < number <= 13  # the weak solver's attempts, all of their retries
        return httpx2.Response(200, json=completion("")) if solving and next(quiet) < 12 else None

    rig = Rig(tmp_path, answering(silent))
    done, _ = asyncio.run(measured(rig))
    assert done.outcome == "accepted" and done.steps[0].missing == ("weak: empty",) * 3
    bought = len(rig.wire.bodies)
    again, replayed = asyncio.run(measured(rig))
    assert again == done and len(rig.wire.bodies) == bought == replayed == len(rig.rows())


def test_example_is_what_is_submitted() -> None:
    """The scripted task is a valid one, so that what fails here fails for its fault alone."""
    assert rolled(measuring(WEAK, STRONG), submits(submission())).example == example()
