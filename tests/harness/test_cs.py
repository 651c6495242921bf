"""The CS domain: what counts as a submission, and the frozen count rules of both policies."""

import json

import pytest
from fakes import criteria, example, submission
from hypothesis import given
from hypothesis import strategies as st

from harness.domains.cs import LONGEST, count_problems, read
from harness.parsing import Malformed
from harness.trajectory import RubricPolicy


def test_object_and_text_are_read_alike() -> None:
    """A decoded object and the text of it, fenced or not, give the same example."""
    plain = submission()
    for form in (plain, json.dumps(plain), f"```json\n{json.dumps(plain, indent=2)}\n```"):
        assert read(form) == example()


@pytest.mark.parametrize(
    "form", [f"Here: {json.dumps(submission())}", json.dumps(submission())[:-1] + ",}", "", "null"]
)
def test_text_is_not_repaired(form: str) -> None:
    """Prose and slips around a submission are the challenger's failure; the host mends nothing for it."""
    with pytest.raises(Malformed):
        read(form)


@pytest.mark.parametrize("form", [None, 3, True, ["x"], [submission()]])
def test_other_values(form: object) -> None:
    """What is neither object nor text is named."""
    with pytest.raises(Malformed, match=f"not {type(form).__name__}"):
        read(form)


def with_weight(weight: object, category: str = "positive") -> dict[str, object]:
    """A submission whose first criterion has this weight."""
    plain = submission()
    plain["rubric"][0] |= {"weight": weight, "category": category}
    return plain


@pytest.mark.parametrize("weight", ["+8", "8", 8.0, 7.5, True, None, 11, -11, 10**30, [8]])
def test_weights_are_integers_in_range(weight: object) -> None:
    """String, float, boolean and oversized weights are refused with the field's name, as object and as text."""
    for form in (with_weight(weight), json.dumps(with_weight(weight))):
        with pytest.raises(Malformed, match=r"rubric\.0\.weight"):
            read(form)


@pytest.mark.parametrize(
    ("weight", "category"), [(0, "positive"), (0, "negative"), (-3, "positive"), (3, "negative")]
)
def test_sign_and_category_agree(weight: int, category: str) -> None:
    """A weight of zero or of the other sign contradicts its category."""
    with pytest.raises(Malformed, match=f"a {category} criterion cannot have weight {weight}"):
        read(with_weight(weight, category))


def test_some_criterion_is_positive() -> None:
    """A rubric without a positive criterion can score nothing."""
    with pytest.raises(Malformed, match="no positive"):
        read(submission(rubric_policy="signed", rubric=criteria(-1, -2)))


@pytest.mark.parametrize(
    "changes",
    [
        {"question": ""},
        {"question": "   "},
        {"question": "x" * 20_001},
        {"context": None},
        {"context": "a\0b"},
        {"context": "a\ud800b"},
        {"skills": []},
        {"skills": "causal"},
        {"skills": ["s"] * 6},
        {"rubric": []},
        {"rubric": {"1": "x"}},
        {"rubric_policy": "negative-only"},
        {"accepted": True},
        {"rubric": [{"criterion": "x", "weight": 1, "category": "positive"}] * 41},
    ],
)
def test_fields(changes: dict[str, object]) -> None:
    """Empty, oversized, wrongly typed, unknown and dangerous fields are refused, as object and as text."""
    name = next(iter(changes))
    for form in (submission() | changes, json.dumps(submission() | changes)):
        with pytest.raises(Malformed, match=f"{name}|NUL|hex escape"):
            read(form)


def test_missing_field() -> None:
    """Each missing field is named."""
    for name in submission():
        plain = submission()
        del plain[name]
        with pytest.raises(Malformed, match=f"{name}: Field required"):
            read(plain)


def test_size_counts_characters_not_bytes() -> None:
    """A text in any script has the same room; the whole example is bounded."""
    assert read(submission(context="界" * 20_000)).context == "界" * 20_000
    long = [{"criterion": "x" * 2000, "weight": 1, "category": "positive"}] * 40
    with pytest.raises(Malformed, match=f"longer than {LONGEST:,}"):
        read(submission(context="x" * 20_000, question="y" * 20_000) | {"rubric": long})


def test_deep_objects() -> None:
    """A deeply nested object is malformed and no crash of the host."""
    value: object = 1
    for _ in range(20_000):
        value = [value]
    with pytest.raises(Malformed):
        read(submission() | {"context": value})


@pytest.mark.parametrize(
    ("policy", "weights", "broken"),
    [
        ("signed", [10] * 7 + [-10] * 3, ()),
        ("signed", [1] * 4 + [-1] * 6, ()),
        ("signed", [1] * 17 + [-1] * 3, ()),
        ("signed", [1] * 6 + [-1] * 3, ("rubric_too_short",)),
        ("signed", [1] * 18 + [-1] * 3, ("rubric_too_long",)),
        ("signed", [1] * 3 + [-1] * 7, ("rubric_few_positives",)),
        ("signed", [1] * 8 + [-1] * 2, ("rubric_few_negatives",)),
        ("signed", [1] * 10, ("rubric_few_negatives",)),
        ("positive-only", [7] * 10, ()),
        ("positive-only", [1] * 20, ()),
        ("positive-only", [1] * 9, ("rubric_too_short", "rubric_few_positives")),
        ("positive-only", [1] * 21, ("rubric_too_long",)),
        ("positive-only", [1] * 9 + [8], ("rubric_weight_too_heavy",)),
        ("positive-only", [1] * 10 + [-1], ("rubric_negatives_not_allowed",)),
    ],
)
def test_count_rules(policy: RubricPolicy, weights: list[int], broken: tuple[str, ...]) -> None:
    """Each policy has its own counts, inclusive at both ends."""
    assert count_problems(policy, criteria(*weights)) == broken


@given(st.lists(st.integers(-10, 10).filter(bool), min_size=1, max_size=25))
def test_no_rubric_satisfies_both_policies(weights: list[int]) -> None:
    """The policies exclude each other: a rubric cannot be declared either way."""
    rubric = criteria(*weights)
    assert count_problems("signed", rubric) or count_problems("positive-only", rubric)
