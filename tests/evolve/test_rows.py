"""Values on their way into the database."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.rows import as_json, clean

ODD = st.text(st.characters() | st.sampled_from("\0\ud800\udfff\\u0"), max_size=8)
VALUES = st.recursive(
    ODD | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_holds_what_cleaning_leaves(value: object) -> None:
    """The short way for plain values gives the very text of the long way; no NUL and no surrogate gets through."""
    text = as_json(value)
    assert text == json.dumps(clean(value), ensure_ascii=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode("utf-8")


@pytest.mark.parametrize("value", [float("nan"), [1.0, float("inf")], {"a": {"b": float("-inf")}}])
def test_numbers_must_be_finite(value: object) -> None:
    """A number that JSON has no word for is refused, however deep."""
    with pytest.raises(ValueError, match="must be finite"):
        as_json(value)


def test_tuples_and_lone_texts_are_json_too() -> None:
    """What pydantic dumps may hold tuples."""
    assert as_json(("a\0", ("b",))) == '["a\ufffd", ["b"]]'
