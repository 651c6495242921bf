"""Proofs of a task: each check fails for its own reason, passes otherwise, can be switched off, and is never a guess."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from fakes import (
    DOCUMENT,
    DRAW,
    PlayedSandbox,
    ScriptedModels,
    example,
    graded,
    measuring,
    models,
    reply,
)
from rollouts import STRONG, WEAK

from harness import proofs
from harness.answers import Comparison
from harness.domains.cs import DOMAIN as CS
from harness.errors import InvalidMeasurement, Unanswerable
from harness.gate import PRESETS
from harness.inspection import inspect
from harness.instrument import Instrument
from harness.judge import Equivalence
from harness.modes import ModeChange
from harness.place import Place, Subject
from harness.proof_bounds import AGAIN, context_bound, null_bound, reference_bound
from harness.proving import FIRST, FRESH, twice
from harness.trajectory import CHECKS, Allowance, Attempt, Check, Example, Proof, Step
from harness.types import Reply, Request

SOUND = {FIRST["reference"]: 1.0}
NULLS = tuple(range(FIRST["null_answers"], FIRST["null_answers"] + 5 * (1 + AGAIN)))
CLOSED = tuple(FIRST["closed_book"] + n for n in range(1 + AGAIN))
ALONE = tuple(FIRST["context_only"] + n for n in range(1 + AGAIN))
LOOK_UP = {"question": "How many pairs does a queue keep in order?", "reference_answer": "40 pairs."}
NUMBERS = replace(DOCUMENT, text="A queue keeps the order of 40 pairs that tie.")


def verdict(word: str) -> str:
    return json.dumps({"reason": "", "verdict": word})


def judging(
    scores: Mapping[int, float], words: Sequence[str] = ("same",) * 10
) -> Callable[[Request], str | Reply]:
    """A judge that scores attempts by their numbers, and answers in these words when it is asked to compare."""

    def say(request: Request) -> str:
        number = request.draw.attempt
        if request.schema is Equivalence:
            return verdict(words[number - FIRST["agreement"]])
        return graded((WEAK + STRONG)[number] if number < 6 else scores.get(number, 0.0))

    return say


def instrument(wanted: Sequence[Check], **changes: Any) -> Instrument:
    """Preset `deployed` with exactly these checks."""
    switched = {one: one in wanted for one in CHECKS}
    return Instrument("deployed", Allowance(), models(), checks=switched, **changes)


def place(scripted: ScriptedModels, wanted: Sequence[Check] = (), **changes: Any) -> Place:
    return Place(scripted, PlayedSandbox(), instrument(wanted, **changes))


def inspected(scripted: ScriptedModels, wanted: Sequence[Check], task: Example | None = None) -> Step:
    document = NUMBERS if task else DOCUMENT
    return asyncio.run(inspect(place(scripted, wanted), Subject(document, task or example()), DRAW))


STRONG_ONES = tuple(
    Attempt(solver="strong", number=n, answer=f"strong answer {n}", score=0.8) for n in range(3)
)


def proved(
    scripted: ScriptedModels,
    *wanted: Check,
    where: Place | None = None,
    task: Example | None = None,
    strong: tuple[Attempt, ...] = STRONG_ONES,
) -> tuple[Proof, ...]:
    subject = Subject(DOCUMENT, task or example())
    step = Step(kind="submit", ordinal=0, example=subject.example, strong=strong)
    return asyncio.run(proofs.prove(where or place(scripted), subject, step, wanted, DRAW))


FLAWED: dict[Check, tuple[dict[int, float], Sequence[str], dict[str, Any], str]] = {
    "number_recall": (SOUND, ("same",) * 10, LOOK_UP, "only has to be found in the document: 40"),
    "reference": ({FIRST["reference"] + n: 0.5 for n in range(3)}, ("same",) * 10, {}, "scores 0.50"),
    "null_answers": (SOUND | dict.fromkeys(NULLS[-3:], 0.6), ("same",) * 10, {}, "Too high: prose."),
    "agreement": (SOUND, ("different",) * 10, {}, "3 commit themselves"),
    "closed_book": (SOUND | dict.fromkeys(CLOSED, 0.7), ("same",) * 10, {}, "Without the context"),
    "context_only": (SOUND | dict.fromkeys(ALONE, 0.6), ("same",) * 10, {}, "From the context alone"),
}


@pytest.mark.parametrize("check", proofs.ALL)
def test_each_check_bites(check: Check) -> None:
    """A task with one flaw is unproven for the reason of the one check that looks for it, and is told what was found."""
    scores, words, changes, told = FLAWED[check]
    task = example(**changes) if changes else None
    step = inspected(ScriptedModels(judge=judging(scores, words)), proofs.ALL, task)
    assert step.report is not None and step.report.stage == "unproven"
    assert step.report.reasons == (proofs.REASONS[check],)
    assert told in step.report.feedback
    assert {one.check for one in step.proofs if not one.passed} == {check}


@pytest.mark.parametrize("check", proofs.ALL)
def test_a_check_can_be_switched_off(check: Check) -> None:
    """Without the check the same flawed task is accepted, and nothing is asked on its account."""
    scores, words, changes, _ = FLAWED[check]
    scripted = ScriptedModels(judge=judging(scores, words))
    wanted = [one for one in proofs.ALL if one != check]
    step = inspected(scripted, wanted, example(**changes) if changes else None)
    assert step.report is not None and step.report.accepted
    assert check not in {one.check for one in step.proofs}
    first = FIRST.get(check)
    assert first not in {one.draw.attempt for one in scripted.asked}


def test_sound_task() -> None:
    """A sound task passes every check at the least price: 13 calls, each on record under its check."""
    scripted = ScriptedModels(judge=judging(SOUND))
    step = inspected(scripted, proofs.ALL)
    assert step.report is not None and step.report.accepted
    assert [(one.check, one.passed, one.reason) for one in step.proofs] == [
        (one, True, "") for one in proofs.ALL
    ]
    counts = {one.check: len(one.calls) for one in step.proofs}
    assert counts == {
        "number_recall": 0,
        "reference": 1,
        "null_answers": 5,
        "agreement": 3,
        "closed_book": 2,
        "context_only": 2,
    }
    assert len([one for one in scripted.asked if one.draw.attempt >= 400]) == 13
    scores = {one.check: one.score for one in step.proofs}
    assert scores["reference"] == scores["agreement"] == 1.0 and scores["null_answers"] == 0.0


def test_code_comes_before_money() -> None:
    """What code alone refuses is never attempted."""
    scripted = measuring(WEAK, STRONG)
    step = inspected(scripted, proofs.ALL, example(**LOOK_UP))
    assert step.report is not None and step.report.stage == "unproven"
    assert {one.role for one in scripted.asked} == {"verifier"} and step.weak == ()


def test_presets_say_which() -> None:
    """The preset names its checks; settings switch single ones on and off."""
    every, none = (Instrument(name, Allowance(), models()) for name in ("confirmed", "meta"))
    assert all(every.wants(one) for one in CHECKS) and not any(none.wants(one) for one in CHECKS)
    assert not replace(every, checks={"agreement": False}).wants("agreement")
    assert replace(none, checks={"agreement": True}).wants("agreement")


def numbered(
    wrong: Callable[[Request], bool], scripted: ScriptedModels, role: str, said: str | Reply
) -> None:
    """Make a role say something else to some requests."""
    usual = scripted.roles[role]  # type: ignore[index]  # a role's name
    scripted.roles[role] = lambda one: said if wrong(one) else usual(one) if callable(usual) else usual  # type: ignore[index]


@pytest.mark.parametrize("check", proofs.ASKING)
def test_nonsense_of_the_judge_is_missing_data(check: Check) -> None:
    """A check whose judge gives nothing readable is neither passed nor failed: the measurement is missing."""
    scripted = ScriptedModels(judge=judging(SOUND))
    first = FIRST[check]
    numbered(
        lambda one: one.draw.attempt % 10_000 in range(first, first + 10), scripted, "judge", "I cannot say."
    )
    with pytest.raises(InvalidMeasurement, match=f"^judge: no usable answer.*proving: {check}") as caught:
        inspected(scripted, proofs.ALL)
    assert caught.value.cause == "unreadable"


@pytest.mark.parametrize("said", [reply(""), reply("half", "length"), reply("", "refused: filtered")])
def test_a_silent_solver_is_missing_data(said: Reply) -> None:
    """A solver that gives nothing to a probe fails no task, though it refused: the prompt is not the scaffold's alone."""
    scripted = ScriptedModels(judge=judging(SOUND))
    numbered(lambda one: one.draw.attempt % 10_000 >= 400, scripted, "weak", said)
    with pytest.raises(InvalidMeasurement, match="proving: context_only") as caught:
        inspected(scripted, proofs.ALL)
    assert not isinstance(caught.value, Unanswerable)


def test_a_failed_check_stands_beside_a_missing_one() -> None:
    """What one check refuses is refused, whether or not another could be measured."""
    scripted = ScriptedModels(judge=judging(SOUND, ("different",) * 10), weak=reply(""))
    found = proved(scripted, "agreement", "context_only")
    assert [(one.check, one.passed) for one in found] == [("agreement", False)]
    with pytest.raises(InvalidMeasurement):
        proved(ScriptedModels(judge=judging(SOUND), weak=reply("")), "agreement", "context_only")


def test_all_checks_end_before_one_is_missing() -> None:
    """Spending does not depend on which check is missing first."""
    scripted = ScriptedModels(judge=judging(SOUND), weak=reply(""))
    with pytest.raises(InvalidMeasurement):
        proved(scripted, *proofs.ASKING)
    assert len(scripted.of("judge")) == 10 and len(scripted.of("strong")) == 1


@pytest.mark.parametrize(
    ("scores", "passed", "score"),
    [((0.8,), True, 0.8), ((0.6, 0.9, 0.9), True, 0.8), ((0.6, 0.9, 0.8), False, 0.77)],
)
def test_doubt_is_measured_again(scores: tuple[float, ...], passed: bool, score: float) -> None:
    """A score beyond its bound is measured twice more, and the mean decides; the bound itself is good enough."""
    first = FIRST["reference"]
    scripted = ScriptedModels(judge=judging({first + n: one for n, one in enumerate(scores)}))
    (found,) = proved(scripted, "reference")
    assert found.passed is passed and found.score == pytest.approx(score, abs=0.005)
    assert len(scripted.asked) == len(scores) == len(found.calls)


def test_every_question_is_a_draw_of_its_own() -> None:
    """However much is in doubt, no two questions to one role share a draw, and none leaves the numbers of proofs."""
    high = dict.fromkeys((*NULLS, *CLOSED, *ALONE), 1.0)
    words = ("same", "different", "different", "same", "different", *["different"] * 5)
    many = tuple(one.model_copy(update={"number": n}) for n, one in enumerate(STRONG_ONES * 3))
    scripted = ScriptedModels(judge=judging(high, words))
    found = proved(scripted, *proofs.ASKING, strong=many)
    assert not any(one.passed for one in found)
    asked = [(one.role, one.draw.attempt) for one in scripted.asked]
    assert len(asked) == len(set(asked)) == 3 + 15 + (5 + 4 + 2) + 6 + 6
    assert all(400 <= number < 500 for _, number in asked)
    assert ("strong", FRESH) in asked


@pytest.mark.parametrize(
    ("words", "passed", "score"),
    [
        (("same", "same", "different"), True, 2 / 3),
        (("same", "unsure", "unsure"), True, 1.0),
        (("different", "different", "different"), False, 0.0),
        (("unsure", "unsure", "unsure"), False, None),
        (("same", "different", "unsure", "same", "different"), False, 1 / 2),
        (("same", "different", "different", "same", "same"), True, 3 / 5),
        (("same", "different", "different", "same", "different"), False, 2 / 5),
    ],
)
def test_agreement_needs_a_majority_of_the_decided(
    words: tuple[str, ...], passed: bool, score: float | None
) -> None:
    """More than half of those who commit themselves must agree; where some do and too few, two more are asked."""
    scripted = ScriptedModels(judge=judging({}, words))
    (found,) = proved(scripted, "agreement")
    assert found.passed is passed and found.score == (None if score is None else pytest.approx(score))
    assert len(scripted.of("strong")) == (2 if len(words) == 5 else 0)
    assert found.reason == ("" if passed else "reference_suspect")


@pytest.mark.parametrize(
    ("made", "words", "fresh", "passed"),
    [
        (1, ("same", "same", "different"), 2, True),
        (1, ("different", "same", "same"), 2, True),
        (1, ("different", "different", "same"), 2, False),
        (2, ("same", "same"), 0, True),
        (2, ("same", "different", "same", "different"), 2, False),
        (2, ("different", "different", "same", "same"), 2, False),
        (3, ("different", "different", "different"), 0, False),
        (9, ("same", "same", "same", "different", "different"), 0, True),
    ],
)
def test_agreement_rests_on_a_few_answers(
    made: int, words: tuple[str, ...], fresh: int, passed: bool
) -> None:
    """Where the gate was content with one or two strong answers more are asked for; of many, five are enough."""
    scripted = ScriptedModels(judge=judging({}, words))
    (found,) = proved(scripted, "agreement", strong=(STRONG_ONES * 3)[:made])
    assert (len(scripted.of("strong")), found.passed) == (fresh, passed)


def test_the_reference_is_marked_like_any_answer() -> None:
    """The judge is shown it as an answer in the usual prompt and is not told whose it is."""
    scripted = ScriptedModels(judge=judging(SOUND))
    proved(scripted, "reference")
    (prompt,) = [one.messages[0].content for one in scripted.asked]
    assert "\nIt is kept.\n" in prompt and "eference" not in prompt


def test_what_the_probes_show() -> None:
    """Closed book shows the question without context and source, context only the context without the question."""
    sighted = {"strong": ModeChange(sees="document"), "weak": ModeChange(sees="document")}
    scripted = ScriptedModels(judge=judging(SOUND))
    proved(scripted, "closed_book", "context_only", where=place(scripted, modes=sighted))
    (closed,), (alone,) = (
        [one.messages[0].content for one in scripted.of(role)] for role in ("strong", "weak")
    )
    assert "if they tie?" in closed and "Pairs arrive" not in closed and "No context is given" in closed
    assert "Pairs arrive" in alone and "if they tie?" not in alone and "question is withheld" in alone
    assert DOCUMENT.text not in closed + alone
    judged = [one.messages[0].content for one in scripted.of("judge")]
    assert all("if they tie?" in one and "withheld" not in one for one in judged)


def test_no_context_no_probe() -> None:
    """A task without context has none to leave out or to leak; but a source that strong sees is left out all the same."""
    bare = example(context="")
    scripted = ScriptedModels(judge=judging(SOUND))
    found = proved(scripted, *proofs.ASKING, task=bare)
    assert [one.check for one in found] == ["reference", "null_answers", "agreement"]
    sighted = place(scripted, modes={"strong": ModeChange(sees="document")})
    assert [one.check for one in proved(scripted, "closed_book", task=bare, where=sighted)] == ["closed_book"]


class Comparing:
    """A checker with one word for everything; keeps what it was asked."""

    def __init__(self, word: str, how: str = "text") -> None:
        self.found = Comparison(word, how)  # type: ignore[arg-type]  # a word of tests
        self.asked: list[tuple[str, str]] = []

    async def compare(self, reference: str, answer: str, kind: str) -> Comparison:
        self.asked.append((reference, answer))
        return self.found


PROBLEM = example(
    context="",
    question="Which set solves it?",
    reference_answer="{1, 2}",
    rubric=(),
    rubric_policy="",
    answer_kind="set",
)


def comparable(checker: Comparing, scripted: ScriptedModels) -> Place:
    domain = replace(CS, comparable=True, presets=PRESETS)
    return replace(place(scripted, domain=domain), checker=checker)  # type: ignore[arg-type]  # a fake


@pytest.mark.parametrize(("word", "passed"), [("equal", True), ("different", False), ("unknown", False)])
def test_a_reference_that_is_compared_must_equal_itself(word: str, passed: bool) -> None:
    """Where answers are compared the reference is held against itself, in code."""
    checker, scripted = Comparing(word, "reading"), ScriptedModels()
    (found,) = proved(scripted, "reference", where=comparable(checker, scripted), task=PROBLEM)
    assert found.passed is passed and found.reason == ("" if passed else "reference_low")
    assert checker.asked == [("{1, 2}", "{1, 2}")] and scripted.asked == []


@pytest.mark.parametrize("how", ["crash", "timeout"])
def test_a_comparison_that_breaks_down_is_missing_data(how: str) -> None:
    """A checker that crashed or ran out of time has found nothing against the reference."""
    scripted = ScriptedModels()
    with pytest.raises(InvalidMeasurement, match=how):
        proved(scripted, "reference", where=comparable(Comparing("unknown", how), scripted), task=PROBLEM)


def test_what_the_gate_has_seen_to_is_not_asked_again() -> None:
    """Where answers are compared the gate is the agreement, and a repeated question is right only if it holds the answer."""
    scripted = ScriptedModels()
    found = proved(scripted, *proofs.ASKING, where=comparable(Comparing("different"), scripted), task=PROBLEM)
    assert [(one.check, one.passed) for one in found] == [("reference", False), ("null_answers", True)]
    (given_away,) = proved(
        scripted, "null_answers", where=comparable(Comparing("equal"), scripted), task=PROBLEM
    )
    assert given_away.reason == "null_high" and given_away.score == 1.0
    assert scripted.asked == []


@pytest.mark.parametrize(("name", "null", "context"), [("deployed", 0.35, 0.5), ("prose", 0.35, 0.5)])
def test_bounds(name: str, null: float, context: float) -> None:
    """The bounds are fixed, but never laxer than what the preset asks of weak and strong."""
    assert null_bound(PRESETS[name]) == null and context_bound(PRESETS[name]) == context
    assert reference_bound(PRESETS[name]) == 0.8
    strict = replace(PRESETS[name], weak_mean=0.25, strong_low=0.9)
    assert null_bound(strict) == context_bound(strict) == 0.25 and reference_bound(strict) == 0.9


def test_twice_stops_where_it_is_clear() -> None:
    """The second look is taken only where the first was beyond the bound."""
    looked: list[range] = []

    async def scored(numbers: range) -> Sequence[Attempt]:
        looked.append(numbers)
        return [STRONG_ONES[0]] * len(numbers)

    assert asyncio.run(twice(scored, lambda score: score > 0.5)).fine
    assert looked == [range(1)]
    assert not asyncio.run(twice(scored, lambda score: score > 0.9)).fine
    assert looked[1:] == [range(1), range(1, 3)]
