"""The maths domain: what counts as a submission, which tasks are refused before anybody solves them, and its gates."""

import asyncio
import json
from typing import Any

import pytest
from fakes import DOCUMENT, DRAW, ScriptedModels

from harness import gate
from harness.answers import Comparison
from harness.domains import domain
from harness.domains.math import DOMAIN, PRESETS, problems, questions, read, sentences
from harness.inspection import inspect
from harness.instrument import Instrument
from harness.parsing import Malformed
from harness.place import Place, Subject
from harness.trajectory import Allowance, Example, Step
from harness.types import ROLES, Model

GOOD = '{"leak": false, "quality": "GOOD", "single_answer": true, "kind_fits": true, "feedback": ""}'
PLAIN: dict[str, Any] = {
    "question_type": "quadratics",
    "skills": ["case analysis"],
    "question": "For which real $x$ is $x^2 < 2x + 1$?",
    "reference_answer": r"(1 - \sqrt{2}, 1 + \sqrt{2})",
    "answer_kind": "interval",
}


def problem(**changes: Any) -> Example:
    """A problem of good form, with changes."""
    return read(PLAIN | changes)


def test_it_is_found_by_its_name() -> None:
    """The domain is called math, compares answers, attempts four and four, and its usual preset is one of its own."""
    assert domain("math") is DOMAIN
    assert DOMAIN.comparable and DOMAIN.verified and DOMAIN.attempts == (4, 4)
    assert {DOMAIN.preset, DOMAIN.production} <= set(DOMAIN.presets)


def test_object_and_text_are_read_alike() -> None:
    """A decoded object and the text of it give the same example, whose context is empty unless given."""
    assert read(PLAIN) == read(json.dumps(PLAIN)) == read(f"```json\n{json.dumps(PLAIN)}\n```")
    assert read(PLAIN).context == "" and read(PLAIN | {"context": "Let it be."}).context == "Let it be."
    assert read(PLAIN).rubric == () and read(PLAIN).answer_kind == "interval"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"answer_kind": "choice"}, "answer_kind"),
        ({"answer_kind": "Interval"}, "answer_kind"),
        ({"answer_kind": None}, "answer_kind"),
        ({"rubric": []}, "rubric"),
        ({"difficulty": "hard"}, "difficulty"),
        ({"skills": []}, "skills"),
        ({"reference_answer": 3}, "reference_answer"),
        ({"question": " "}, "question"),
    ],
)
def test_the_form_is_strict(change: dict[str, Any], named: str) -> None:
    """Other kinds, other fields, other types and empty texts are refused, and the field is named."""
    with pytest.raises(Malformed, match=named):
        read(PLAIN | change)


@pytest.mark.parametrize("kind", ["number", "expression"])
@pytest.mark.parametrize("answer", ["7", "-12", "$3$", "x = 5"])
def test_a_plain_integer_is_refused(kind: str, answer: str) -> None:
    """A small integer can be guessed."""
    assert problems(problem(answer_kind=kind, reference_answer=answer)) == ("bare_integer",)


@pytest.mark.parametrize("answer", ["0.33", r"\approx 2.7", "3.1416"])
def test_a_rounded_number_is_refused(answer: str) -> None:
    """A rounded number equals nothing exactly."""
    assert problems(problem(answer_kind="number", reference_answer=answer)) == ("rounded_real",)


@pytest.mark.parametrize(
    "question",
    [
        "What is $f(0)$? And what is $f(1)$?",
        "Find the roots of $p$. Determine their sum.",
        "Let $p(x) = x^2$. (a) Find its minimum. (b) Compute its derivative.",
        "Find the maximum of $f$ and determine where it lies.",
    ],
)
def test_two_questions_are_refused(question: str) -> None:
    """A problem that asks for several things has no one answer."""
    assert problems(problem(question=question)) == ("several_questions",)


@pytest.mark.parametrize(
    "question",
    [
        "Let $p(x) = x^2 - 1$. Find the set of all real $x$ with $p(p(x)) = 0$.",
        "Find $a$. Give your answer as an interval.",
        "Suppose (a) $f$ is even and (b) $f(0) = 1$. What is $f$?",
        "Consider $f$, which is even and which vanishes at $1$. Determine $f$.",
        "Is there an $x$ with $f(x) = 0$? $f$ has this form.",
        "$f$ is even.",
    ],
)
def test_one_question_is_one(question: str) -> None:
    """Conditions in a list, relative clauses and words on the form of the answer are no further questions."""
    assert questions(question) <= 1 and problems(problem(question=question)) == ()


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (r"(0, 1)", 1),
        ("The set is $\\{1. 2\\}$.", 1),
        ("It is $x > 3$. This follows from the sign of the derivative.", 2),
        (r"\begin{cases} x, & x \ge 0 \\ -x, & x < 0 \end{cases}", 1),
        ("1/2 or 3.5", 1),
    ],
)
def test_sentences_of_an_answer(answer: str, count: int) -> None:
    """A bare object is one sentence, whatever stands between its dollar signs."""
    assert sentences(answer) == count
    assert ("answer_long" in problems(problem(reference_answer=answer, answer_kind="set"))) == (count > 1)


def test_a_very_long_answer_is_refused() -> None:
    """So is an object of more than 600 characters."""
    assert problems(problem(reference_answer=" + ".join(["x^2"] * 200), answer_kind="expression")) == (
        "answer_long",
    )


@pytest.mark.parametrize("preset", ["few", "majority"])
@pytest.mark.parametrize("weak", range(5))
@pytest.mark.parametrize("strong", range(5))
def test_the_presets_count_right_answers(preset: str, weak: int, strong: int) -> None:
    """Of four and four, at most one and at least three may be right, under the rule of few and under the majority's."""
    scores = [[1.0] * right + [0.0] * (4 - right) for right in (weak, strong)]
    found = gate.verdict(PRESETS[preset], *scores)
    expected = [*(["weak_mean_high"] if weak > 1 else []), *(["strong_mean_low"] if strong < 3 else [])]
    assert list(found.reasons) == expected and found.accepted == (weak <= 1 and strong >= 3)


@pytest.mark.parametrize(
    ("count", "weak", "strong", "accepted"),
    [(5, 2, 3, True), (5, 3, 5, False), (5, 0, 2, False), (3, 1, 2, True), (2, 1, 2, False)],
)
def test_a_majority_is_strict(count: int, weak: int, strong: int, accepted: bool) -> None:
    """More than half of the strong answers are right and more than half of the weak ones wrong, whatever their number."""
    scores = [[1.0] * right + [0.0] * (count - right) for right in (weak, strong)]
    assert gate.verdict(PRESETS["majority"], *scores).accepted == accepted


def test_all_right_is_not_too_good() -> None:
    """The strong solver may be right every time."""
    for preset in PRESETS.values():
        assert preset.strong_high is None and preset.binary
        assert gate.verdict(preset, [0.0] * 4, [1.0] * 4).accepted


class FakeChecker:
    """Compares texts; a reference with `broken` in it cannot be read."""

    async def compare(self, reference: str, answer: str, kind: str) -> Comparison:
        del kind
        return Comparison("equal" if answer == reference else "different", "text")

    async def problem(self, reference: str, kind: str) -> str:
        return f"not an object of kind {kind}" if "broken" in reference else ""


def inspected(example: Example, models: ScriptedModels) -> Step:
    """The submission after all stages."""
    named: dict[Any, Model] = {role: Model(name=role, base_url="http://models.invalid/v1") for role in ROLES}
    instrument = Instrument("few", Allowance(), named, domain=DOMAIN, source="math")
    place = Place(models, None, instrument, FakeChecker())  # type: ignore[arg-type]  # no sandbox is needed here
    return asyncio.run(inspect(place, Subject(DOCUMENT, example), DRAW))


def test_a_reference_that_cannot_be_read_never_counts_as_wrong_answers() -> None:
    """It is refused by name before any model is asked, with what is wrong in the feedback."""
    models = ScriptedModels(verifier=GOOD)
    step = inspected(problem(reference_answer="broken"), models)
    assert step.report is not None and step.report.stage == "quality"
    assert step.report.reasons == ("reference_unreadable",)
    assert step.report.feedback == "not an object of kind interval"
    assert models.asked == [] and step.weak == ()


def test_rules_of_form_come_first() -> None:
    """A guessable answer is refused by its own name, whether or not it could be read."""
    step = inspected(problem(reference_answer="0.5", answer_kind="number"), ScriptedModels(verifier=GOOD))
    assert step.report is not None and step.report.reasons == ("rounded_real",)
    assert "rounded_real" in step.report.feedback


def test_a_good_problem_is_accepted() -> None:
    """Weak answers that differ from the reference and strong ones that equal it pass the gate; final answers are kept."""
    right = PLAIN["reference_answer"]
    models = ScriptedModels(
        verifier=GOOD, weak="Guessing.\nAnswer: (0, 1)", strong=f"Solved.\nAnswer: ${right}$"
    )
    step = inspected(problem(), models)
    assert step.report is not None and step.report.accepted
    assert [one.score for one in (*step.weak, *step.strong)] == [0.0] * 4 + [1.0] * 4
    assert {one.final for one in step.strong} == {right} and {one.how for one in step.weak} == {"text"}
    assert len(models.of("verifier")) == 1 and models.of("judge") == []


def test_the_solvers_see_the_problem_and_nothing_else() -> None:
    """Neither the document nor the reference answer nor its kind reaches a solver."""
    models = ScriptedModels(verifier=GOOD, weak="Answer: 2", strong="Answer: 3")
    inspected(problem(context="Take $x$ real."), models)
    text = models.of("weak")[0].messages[0].content
    assert PLAIN["question"] in text and "Take $x$ real." in text
    assert DOCUMENT.text not in text and PLAIN["reference_answer"] not in text and "interval" not in text


def test_the_verifier_sees_problem_kind_and_reference() -> None:
    """The verifier checks leak, quality, one answer and kind, so it is shown all of the task, and the document."""
    models = ScriptedModels(verifier=GOOD)
    inspected(problem(), models)
    text = models.of("verifier")[0].messages[0].content
    assert all(
        one in text for one in (DOCUMENT.text, PLAIN["question"], PLAIN["reference_answer"], "\ninterval\n")
    )
    assert "{{" not in text


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"leak": True}, "leak"),
        ({"quality": "TOO_EASY"}, "too_easy"),
        ({"single_answer": False}, "ambiguous"),
        ({"kind_fits": False}, "kind"),
    ],
)
def test_the_verifier_s_findings_are_named(said: dict[str, Any], reason: str) -> None:
    """Each of the four checks ends a submission under a name of its own."""
    step = inspected(problem(), ScriptedModels(verifier=json.dumps(json.loads(GOOD) | said)))
    assert step.report is not None and (step.report.stage, step.report.reasons) == ("quality", (reason,))


def test_the_one_shot_arm_has_a_prompt_that_measures_nothing() -> None:
    """The prompt of the one-shot arm asks for the same form, and is no part of the instrument."""
    text = DOMAIN.prompt("cot.md")
    assert all(
        one in text for one in ("{{document}}", "{{name}}", "reference_answer", "answer_kind", "piecewise")
    )
    assert "cot.md" not in DOMAIN.measuring_prompts and "solver.md" in DOMAIN.measuring_prompts
