"""The verifier: a model's four checks, the count rule in code, and a verdict that follows from both."""

import asyncio

import pytest
from fakes import DOCUMENT, DRAW, PlayedSandbox, ScriptedModels, checks, criteria, example, instrument

from harness.domains import RubricChecks
from harness.errors import InvalidMeasurement
from harness.inspection import inspect
from harness.place import Place, Subject
from harness.trajectory import Example, Verification
from harness.verifier import verify


def check(models: ScriptedModels, submitted: Example | None = None) -> Verification:
    place = Place(models, PlayedSandbox(), instrument())
    return asyncio.run(verify(place, Subject(DOCUMENT, submitted or example()), DRAW))


def test_passed() -> None:
    """No finding and sound counts pass; the call is on record and its draw is the submission's."""
    models = ScriptedModels()
    found = check(models)
    assert found.passed and found.reasons == () and found.positives == 20 and found.negatives == 0
    assert found.calls == ("verifier 0.0.0",)
    assert [(one.draw, one.schema) for one in models.asked] == [(DRAW, RubricChecks)]


def test_prompt() -> None:
    """The verifier sees document, context, question, label and criteria, but no weights and no reference answer."""
    models = ScriptedModels()
    check(models)
    (message,) = models.asked[0].messages
    for part in (
        DOCUMENT.text,
        "Pairs arrive in a queue.",
        "if they tie?",
        "predict",
        "20. [POSITIVE] claim 20",
    ):
        assert part in message.content
    assert "It is kept." not in message.content


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"leak": True}, ("leak",)),
        ({"quality": "TOO_EASY"}, ("too_easy",)),
        ({"quality": "RECALL"}, ("recall",)),
        ({"rubric_tests_content": False}, ("rubric_style",)),
        ({"label_fits": False}, ("label",)),
        ({"leak": True, "quality": "RECALL", "label_fits": False}, ("leak", "recall", "label")),
    ],
)
def test_each_finding_fails(changes: dict[str, object], reasons: tuple[str, ...]) -> None:
    """Each of the four checks fails the example under its own name, whatever else is well."""
    found = check(ScriptedModels(verifier=checks(**changes, feedback="change it")))
    assert not found.passed and found.reasons == reasons
    assert found.feedback == "change it"


def test_count_rule_is_applied_in_code() -> None:
    """A rubric that breaks the count rule fails without a call, with exact counts in the feedback."""
    models = ScriptedModels()
    subject = Subject(DOCUMENT, example(rubric_policy="signed", rubric=criteria(*[5] * 9, -5, -5)))
    found = asyncio.run(inspect(Place(models, PlayedSandbox(), instrument()), subject, DRAW)).verification
    assert models.asked == [] and found is not None
    assert not found.passed and found.reasons == ("rubric_few_negatives",)
    assert found.feedback == "The rubric has 9 positive and 2 negative criteria."


@pytest.mark.parametrize(
    "text",
    [
        "PASS",
        checks(leak="false"),
        checks(leak=0),
        checks(quality="good"),
        checks(quality=None),
        checks(passed=True),
        checks() + checks(leak=True),
        checks()[:-20],
        '{"leak": false, "quality": "GOOD"}',
        "[" * 100_000,
    ],
)
def test_unusable_verifier_is_missing_data(text: str) -> None:
    """An answer that is not exactly the four checks is drawn again and then missing, never a pass or a fail."""
    models = ScriptedModels(verifier=text)
    with pytest.raises(InvalidMeasurement, match="verifier"):
        check(models)
    assert len({one.draw for one in models.asked}) == 4


def test_one_bad_draw_is_repaired() -> None:
    """After an unusable draw the next one counts, and its key is the one on record."""
    found = check(
        ScriptedModels(verifier=lambda request: "?" if request.draw.retry == 0 else checks(leak=True))
    )
    assert found.reasons == ("leak",) and found.calls == ("verifier 0.0.1",)
