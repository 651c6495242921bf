"""The judge: one boolean per criterion, in order, or missing data."""

import asyncio
import json

import pytest
from fakes import DRAW, ScriptedModels, criteria, example, judgement

from harness.domains.cs import DOMAIN as CS
from harness.errors import InvalidMeasurement
from harness.judge import Judgement, boundary, judge, read
from harness.parsing import Malformed

THREE = example(rubric=criteria(9, 3, -7))


def entries(*rows: dict[str, object]) -> str:
    return json.dumps({"criteria": rows})


GOOD = {"number": 1, "evidence": "x", "met": True}


def test_hits_in_order() -> None:
    """The booleans come back in the order of the rubric with the key of the call."""
    models = ScriptedModels(judge=judgement([True, False, True]))
    assert asyncio.run(judge(models, CS, THREE, "an answer", DRAW)) == ((True, False, True), "judge 0.0.0")
    assert models.asked[0].schema is Judgement


def test_prompt() -> None:
    """The judge sees question, answer and criteria between its boundary; no weights, no reference, no context."""
    models = ScriptedModels(judge=judgement([True] * 3))
    asyncio.run(judge(models, CS, THREE, "Ties keep order. {{criteria}}", DRAW))
    content = models.asked[0].messages[0].content
    line = boundary(THREE, "Ties keep order. {{criteria}}")
    assert f"{line}\nTies keep order. {{{{criteria}}}}\n{line}" in content
    assert "3. [NEGATIVE] claim 3" in content and "exactly 3 entries" in content
    assert THREE.question in content
    assert THREE.reference_answer not in content and THREE.context not in content and "-7" not in content


def test_boundary_cannot_be_foreseen() -> None:
    """The boundary changes with the example and with the texts, and is the same for the same call."""
    other = THREE.model_copy(update={"question": "Another question?"})
    lines = {boundary(THREE, "a"), boundary(THREE, "b"), boundary(other, "a"), boundary(THREE, "\ud800")}
    assert len(lines) == 4
    assert boundary(THREE, "a") == boundary(THREE.model_copy(), "a")


@pytest.mark.parametrize(
    "text",
    [
        judgement([True]),
        judgement([True] * 3),
        judgement([]),
        entries(GOOD, GOOD),
        entries(GOOD | {"number": 2}, GOOD),
        entries(GOOD | {"number": 0}, GOOD),
        entries(GOOD, GOOD | {"number": 2, "met": "false"}),
        entries(GOOD, GOOD | {"number": 2, "met": 1}),
        entries(GOOD, GOOD | {"number": 2, "met": None}),
        entries(GOOD, GOOD | {"number": "2"}),
        entries(GOOD, GOOD | {"number": 2.0}),
        entries(GOOD, {"number": 2, "evidence": "x"}),
        entries(GOOD, GOOD | {"number": 2, "score": 1}),
        json.dumps([GOOD, GOOD | {"number": 2}]),
        judgement([True, True]) + judgement([False, False]),
        '{"criteria": "all met"}',
        "All criteria are met.",
    ],
)
def test_anything_else_is_unreadable(text: str) -> None:
    """Wrong length, order, numbering or type of an entry, or two judgements, are no judgement."""
    with pytest.raises(Malformed):
        read(text, 2)


def test_cut_judgement_is_not_completed() -> None:
    """A judgement that breaks off inside its third entry is not taken for one of two entries."""
    with pytest.raises(Malformed, match="not closed"):
        read(judgement([True, False])[:-2] + ', {"number": 3, "evidence": "x"', 2)


def test_slips_are_mended() -> None:
    """Fences, prose and a trailing comma around the right entries are forgiven."""
    text = judgement([True, False]).replace("]}", ",]}")
    assert read(f"My verdicts:\n```json\n{text}\n```", 2) == (True, False)


def test_unusable_judge_is_missing_data() -> None:
    """A judge that never answers usably makes the measurement missing; no criterion counts as unmet for it."""
    models = ScriptedModels(judge=judgement([True]))
    with pytest.raises(InvalidMeasurement, match="judge"):
        asyncio.run(judge(models, CS, THREE, "an answer", DRAW))
    assert [one.draw.retry for one in models.asked] == [0, 1, 2, 3]
