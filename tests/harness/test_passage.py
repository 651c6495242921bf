"""The passage domain: what may be submitted, what is compared of an answer, and how an example is measured."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import DRAW, PlayedSandbox, ScriptedModels, instrument, reply
from hypothesis import given
from hypothesis import strategies as st

from harness.answers import Checker
from harness.answers.verdicts import Comparison
from harness.domains import domain
from harness.domains.passage import DOMAIN, final, options, problems, read
from harness.gate import verdict, weak_verdict
from harness.inspection import inspect
from harness.instrument import Instrument
from harness.marking import mark
from harness.parsing import Malformed
from harness.place import Place, Subject, misquoted
from harness.trajectory import Example, Step
from harness.types import Document

PASSAGE = (
    "The sector size of the disk is 512 bytes, and that of the tape is 80. The cleaner() routine runs once an hour, "
    "and it is started by the supervisor alone. A journal holds 1,000 pages at most."
)
DOCUMENT = Document(
    "0123456789abcdef", "disks", f"# Disks\n\n{PASSAGE.replace('. ', chr(46) + chr(10))}\n\nMore.\n"
)
OTHER = Document("fedcba9876543210", "tapes", "A tape is slow.")


def task(**changes: Any) -> dict[str, Any]:
    """A submission that breaks no rule."""
    values = {
        "question_type": "fact",
        "passage": PASSAGE,
        "question": "How large is a sector of the disk?",
        "reference_answer": "512 bytes",
        "answer_kind": "string",
    }
    return {**values, **changes}


def example(**changes: Any) -> Example:
    return read(task(**changes))


def test_it_is_found_by_its_name() -> None:
    """The domain comes with the program and has presets, prompts and modes that go together."""
    found = domain("passage")
    assert found is DOMAIN and found.preset in found.presets and found.production in found.presets
    assert found.presets["confirmed"].confirmed and not found.presets[found.preset].confirmed
    assert {"solver.md", "verifier.md", "source.md"} <= found.measuring_prompts.keys()
    assert "{{document}}" in found.prompt("cot.md") and "cot.md" not in found.measuring_prompts


def test_a_submission_becomes_an_example() -> None:
    """An object or its text is read; passage and kind are kept, and the reference is cut like any answer."""
    for given_as in (task(), json.dumps(task()), f"```json\n{json.dumps(task())}\n```"):
        found = read(given_as)
        assert (found.passage, found.answer_kind, found.reference_answer) == (PASSAGE, "string", "512 bytes")
        assert problems(found) == ()
    assert example(reference_answer="The sector is 512 bytes large.").reference_answer == "512 bytes"


@pytest.mark.parametrize(
    "broken",
    [
        "no JSON",
        "{",
        [],
        {**task(), "difficulty": "hard"},
        {**task(), "answer_kind": "word"},
        {**task(), "reference_answer": 512},
        {**task(), "passage": ""},
        {key: value for key, value in task().items() if key != "passage"},
        {key: value for key, value in task().items() if key != "answer_kind"},
    ],
)
def test_anything_else_is_malformed(broken: object) -> None:
    """A missing, unknown or mistyped field is named, never guessed."""
    with pytest.raises(Malformed):
        read(broken)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"passage": "Short. 512 bytes."}, {"passage_short"}),
        ({"passage": PASSAGE * 8}, {"passage_long"}),
        ({"question": "How large is a sector of the disk" + " really" * 50 + "?"}, {"question_long"}),
        ({"context": "About disks. " * 20}, {"context_long"}),
        ({"reference_answer": "one thousand and twenty four bytes"}, {"answer_not_in_passage"}),
        ({"reference_answer": "51"}, {"answer_not_in_passage"}),
        ({"reference_answer": "an hour and it is started by the supervisor"}, {"answer_long"}),
        ({"question": "Is a sector of the disk 512 bytes large?"}, {"answer_in_question"}),
        ({"context": "Of 512 bytes."}, {"answer_in_question"}),
        ({"answer_kind": "number", "reference_answer": "supervisor"}, {"answer_no_number"}),
        ({"answer_kind": "choice", "reference_answer": "disk"}, {"choice_not_offered"}),
        ({"answer_kind": "choice", "question": "Disk or drum?", "reference_answer": "tape"}, {"choice_not_offered"}),
    ],
)  # fmt: skip
def test_rules_of_form(changes: dict[str, Any], broken: set[str]) -> None:
    """Each rule has its name, and is found before anybody is asked."""
    assert set(problems(example(**changes))) == broken


def test_a_number_and_a_choice_that_are_in_order() -> None:
    """Thousands may have a comma or not; a choice names its two options and one of them is the answer."""
    number = example(
        question="How many pages may a journal have?", reference_answer="1000", answer_kind="number"
    )
    choice = example(
        question="Which holds more, disk or tape?", reference_answer="the disk", answer_kind="choice"
    )
    assert (number.reference_answer, problems(number)) == ("1000", ())
    assert (choice.reference_answer, problems(choice)) == ("disk", ())
    assert options("Which holds more, disk or tape?") == ["disk", "tape"] and options("How many?") == []


def test_the_sentence_copied_into_both_fields_is_refused() -> None:
    """What small models write instead of a question and an answer is named as both."""
    sentence = "The cleaner() routine runs once an hour, and it is started by the supervisor alone."
    assert set(problems(example(question=sentence, reference_answer=sentence))) >= {"answer_in_question"}


@pytest.mark.parametrize(
    ("kind", "question", "said", "left"),
    [
        ("string", "What is the capital of France?", "The answer is Paris.", "Paris"),
        ("string", "What is the capital of France?", "Paris is the capital of France.", "Paris"),
        ("string", "What is the capital of France?", 'Answer: "Paris"', "Paris"),
        ("string", "Which routine runs once an hour?", "The cleaner() routine runs once an hour.", "cleaner"),
        (
            "string",
            "Who starts it?",
            "It is started by the supervisor alone.",
            "started by the supervisor alone",
        ),
        ("string", "By whom is it started?", "It is started by the supervisor alone.", "supervisor alone"),
        ("string", "What is it?", "It is it.", "It is it"),
        ("string", "What is the capital of France?", "Paris\n\nParis has many visitors.", "Paris"),
        ("string", "What is the capital of France?", "Here it is:\n\nParis.\nIs there more?", "Paris"),
        ("string", "What is the capital of France?", "Well.\nAnswer: Paris", "Paris"),
        (
            "string",
            'Fill in: "It holds ____ pages of text."',
            "Now it holds many pages of text, as the book says.",
            "many",
        ),
        ("string", 'Fill in: "It holds ____ pages of text."', "It holds ____ pages of text.", "____"),
        ("string", 'Fill in: "Is the ____() of all."', "This is the get_all() of all, then.", "get_all"),
        (
            "number",
            'Fill in: "In 1998 it held ____ pages of text."',
            "In 1998 it held 70 pages of text in 3 parts.",
            "70",
        ),
        ("number", "How large is a sector?", "A sector is 512 bytes large.", "512"),
        ("number", "How large is a sector?", "1,000", "1000"),
        ("number", "Of 80 and of what else?", "It is 80 and 512.", "512"),
        ("number", "How many?", "512 or 80", "512 or 80"),
        ("number", "How many?", "I cannot tell.", "I cannot tell"),
        ("choice", "Which holds more, disk or tape?", "The disk holds more.", "disk"),
        (
            "choice",
            'Fill in: "Now the ____ is full.", disk or tape?',
            "The tape: now the disk is full.",
            "disk",
        ),
        ("choice", "Which holds more, disk or tape?", "Disk or tape.", "Disk or tape"),
        ("choice", "Which holds more, disk or tape?", "Neither.", "Neither"),
    ],
)
def test_what_is_compared_of_an_answer(kind: str, question: str, said: str, left: str) -> None:
    """A sentence is cut down to what does not merely repeat the question; what is not clear stays as it was said."""
    asked = Example(question_type="f", question=question, reference_answer="?", answer_kind=kind)
    assert final(asked, said) == left


def test_the_reference_is_not_looked_at() -> None:
    """What is compared of an answer depends on question and answer alone, so a vote knows nothing of the reference."""
    one = example(reference_answer="512 bytes")
    other = one.model_copy(update={"reference_answer": "80"})
    for said in ("It is 512 bytes.", "80", "Answer: neither 512 nor 80"):
        assert final(one, said) == final(other, said)


@given(st.text(max_size=200), st.sampled_from(["string", "number", "choice"]))
def test_no_answer_is_too_odd_to_be_cut(said: str, kind: str) -> None:
    """Any text is cut to a text, and cutting it again changes nothing but what surrounds it."""
    asked = example(question="Which is it, disk or tape?").model_copy(update={"answer_kind": kind})
    assert isinstance(final(asked, said), str) and len(final(asked, said)) <= len(said)


def test_the_passage_has_to_stand_in_the_document() -> None:
    """Word for word, line ends and runs of spaces aside; one changed word is enough to refuse it."""
    assert misquoted(Subject(DOCUMENT, example())) == ()
    assert misquoted(Subject(OTHER, example())) == ("passage_not_in_document",)
    changed = example(passage=PASSAGE.replace("supervisor", "operator"))
    assert misquoted(Subject(DOCUMENT, changed)) == ("passage_not_in_document",)
    assert misquoted(Subject(OTHER, example().model_copy(update={"passage": ""}))) == ()


CHECKS = {"leak": False, "quality": "GOOD", "single_answer": True, "kind_fits": True, "feedback": ""}


class Letters:
    """A checker that knows letters and nothing else."""

    async def compare(self, reference: str, said: str, kind: str) -> Comparison:
        assert kind == "string"
        return Comparison("equal" if reference.casefold() == said.casefold() else "different", "words")

    async def problem(self, reference: str, kind: str) -> str:
        return ""


def here(models: ScriptedModels, **changes: Any) -> Place:
    """The domain's instrument among simulated models."""
    base = instrument()
    simulated = {role: one.model_copy(update={"simulated": True}) for role, one in base.models.items()}
    chosen: Instrument = replace(
        base, models=simulated, preset="few", domain=DOMAIN, source="passage", **changes
    )
    return Place(models, PlayedSandbox(), chosen, Letters())  # type: ignore[arg-type]  # a checker in little


def inspected(models: ScriptedModels, submitted: Example, document: Document = DOCUMENT) -> Step:
    return asyncio.run(inspect(here(models), Subject(document, submitted), DRAW))


def solvers(weak: str, strong: str, **roles: Any) -> ScriptedModels:
    return ScriptedModels(weak=weak, strong=strong, verifier=json.dumps(CHECKS), **roles)


def test_an_example_is_accepted_if_the_passage_makes_the_difference() -> None:
    """Three weak guesses wrong, three strong votes right; every answer keeps what was compared and how."""
    models = solvers("The answer is 4096.", "A sector of the disk is 512 bytes large.")
    step = inspected(models, example())
    assert step.report is not None and step.report.accepted
    assert [(one.final, one.score) for one in step.weak] == [("4096", 0.0)] * 3
    assert [(one.final, one.score, one.how) for one in step.strong] == [("512 bytes", 1.0, "words")] * 3
    assert (len(models.of("weak")), len(models.of("strong"))) == (3, 15)
    assert all("supervisor" not in one.messages[0].content for one in models.of("weak"))


@pytest.mark.parametrize(
    ("weak", "strong", "stage"),
    [("512 bytes", "512 bytes", "too_easy"), ("no idea", "80 bytes", "failed_on_strong")],
)
def test_an_example_that_tells_nothing_is_refused(weak: str, strong: str, stage: str) -> None:
    """What can be guessed is too easy, what cannot be read off fails on strong."""
    report = inspected(solvers(weak, strong), example()).report
    assert report is not None and report.stage == stage


def test_a_made_up_passage_costs_nothing() -> None:
    """A passage that is not the document's is refused before any model is asked."""
    models = solvers("no idea", "512 bytes")
    step = inspected(models, example(), OTHER)
    assert step.report is not None and step.report.reasons == ("passage_not_in_document",)
    assert models.asked == []


def test_the_verifier_sees_passage_question_and_reference() -> None:
    """It is shown what it checks, and not the whole document."""
    models = solvers("no idea", "512 bytes")
    inspected(models, example())
    (asked,) = models.of("verifier")
    text = asked.messages[0].content
    assert PASSAGE in text and "How large is a sector" in text and "512 bytes" in text and "More." not in text
    assert "{{" not in text


def test_a_cut_off_answer_is_missing_and_made_again() -> None:
    """An overlong answer is named as cut off in the trajectory and never counts as wrong."""

    def rambling(request: Any) -> Any:
        return reply("It goes on and on", "length") if request.draw.attempt == 0 else "80"

    step = inspected(
        ScriptedModels(weak=rambling, strong="512 bytes", verifier=json.dumps(CHECKS)), example()
    )
    assert step.missing == ("weak: cut_off",) and len(step.weak) == 3
    assert step.report is not None and step.report.accepted


@pytest.mark.parametrize(
    ("weak", "weak_ok", "strong", "strong_ok"),
    [
        ([1, 0, 0], True, [1, 1, 0], True),
        ([1, 1, 0], False, [1, 0, 0], False),
        ([0, 0, 0], True, [1, 1, 1], True),
    ],
)
def test_the_gate(weak: list[int], weak_ok: bool, strong: list[int], strong_ok: bool) -> None:
    """Preset `few`: of three weak answers at most one may be right, of three strong ones at least two."""
    preset = DOMAIN.presets["few"]
    assert weak_verdict(preset, weak).accepted is weak_ok
    assert verdict(preset, [0, 0, 0], strong).accepted is strong_ok


def test_no_answer_in_words_needs_a_judge() -> None:
    """With the real checker all that a small model says is right or wrong by code, so no simulated judge decides."""
    said = ("512 bytes", "The size is 512.", "I do not know.", "4096", "", "x^2", "five hundred", "the disk")
    asked = [
        example(),
        example(reference_answer="512", answer_kind="number"),
        example(question="Is it of the disk or tape?", reference_answer="tape", answer_kind="choice"),
    ]

    async def all_of_them() -> list[str]:
        models = solvers("", "", judge='{"verdict": "unsure"}')
        async with Checker(workers=1, seconds=60) as checker:
            place = replace(here(models), checker=checker)
            marks = [await mark(place, one, text, DRAW) for one in asked for text in said if text]
        assert models.of("judge") == []
        return [one.how for one in marks]

    assert all("judge" not in how for how in asyncio.run(all_of_them()))


def test_a_simulated_judge_is_called_so() -> None:
    """Should a judge have to decide and be simulated, the mark says so."""

    class Unknowing(Letters):
        async def compare(self, reference: str, said: str, kind: str) -> Comparison:
            return Comparison("unknown", "reading")

    place = replace(here(solvers("", "", judge='{"verdict": "same"}')), checker=Unknowing())  # type: ignore[arg-type]
    assert asyncio.run(mark(place, example(), "half a kilobyte", DRAW)).how == "reading, simulated judge"


def test_prompts_are_short_enough_for_a_small_model() -> None:
    """The longest task with the longest passage leaves most of a context of 2,048 tokens free."""
    from harness.solvers import prompt_of

    models = solvers("", "")
    long = example(context="t" * 200, question="q" * 300).model_copy(update={"passage": "word " * 240})
    place = here(models)
    text = prompt_of(place, Subject(DOCUMENT, long), place.instrument.mode("strong"))
    assert len(text) < 4 * 700


def test_documents_are_found_beside_it() -> None:
    """The scaffold of the domain has what `evolve init` copies."""
    folder = Path(__file__).parents[2] / "baseline_repo" / "passage"
    assert {path.name for path in folder.iterdir()} >= {"agent.py", "README.md", "prompts"}
