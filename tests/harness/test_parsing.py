"""Strict reading: what is forgiven, what is refused, and that nothing takes long."""

import json
from contextlib import suppress
from time import perf_counter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import StrictBool, StrictInt

from harness.parsing import MOST_CHARACTERS, Malformed, parse, validate
from harness.types import Wire


class Note(Wire):
    """A small model to read."""

    number: StrictInt
    met: StrictBool
    kind: Literal["a", "b"] = "a"
    words: tuple[str, ...] = ()


NOTE = Note(number=3, met=False, words=("x",))
TEXT = '{"number": 3, "met": false, "words": ["x"]}'
OTHER = TEXT.replace("false", "true")


@pytest.mark.parametrize("repair", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"\n  {TEXT}\n\n",
        f"```json\n{TEXT}\n```",
        f"```\n\n{TEXT}\n\n```  ",
        f"<think>perhaps {OTHER}?</think>\n{TEXT}",
        f" <think>\n</think>```JSON\n{TEXT}\n```",
    ],
)
def test_fences_and_thoughts_are_dropped(text: str, repair: bool) -> None:
    """Code fences around the object and a thought before it do not matter, with and without repair."""
    assert parse(text, Note, repair=repair) == NOTE


SLIPS = [
    f"Here it is: {TEXT}",
    f"{TEXT} I hope this helps.",
    f"Sure.\n```json\n{TEXT}\n```\nDone.",
    TEXT.replace('["x"]', '["x",]'),
    TEXT.replace('"', "'"),
    TEXT.replace("false", "False"),
    TEXT.replace("{", "{ // a comment\n"),
]


@pytest.mark.parametrize("text", SLIPS)
def test_small_slips_are_mended_on_request_only(text: str) -> None:
    """Prose around the object, trailing commas and wrong quotes are mended with repair and refused without."""
    assert parse(text, Note) == NOTE
    with pytest.raises(Malformed, match="not a JSON object"):
        parse(text, Note, repair=False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3", '"3"', "number"),
        ("3", '"+3"', "number"),
        ("3", "3.0", "number"),
        ("3", "3e0", "number"),
        ("3", "true", "number"),
        ("3", "null", "number"),
        ("3", "NaN", "not plain JSON"),
        ("3", "1e999", "not plain JSON"),
        ("3", "9" * 5000, "number|digits"),
        ("false", '"false"', "met"),
        ("false", "0", "met"),
        ('"met": false, ', "", "met: Field required"),
        ('["x"]', '"x"', "words"),
        ('["x"]', "[1]", "words.0"),
        ('["x"]', '["x"], "kind": "c"', "kind"),
        ('["x"]', '["x"], "extra": 1', "extra"),
        ('["x"]', '["\\ud800"]', "hex escape"),
        ('["x"]', '["\\u0000"]', "NUL"),
        ('["x"]', '["\0"]', "NUL"),
        ('["x"]', '["\udcff"]', "surrogate"),
    ],
)
@pytest.mark.parametrize("repair", [True, False])
def test_types_and_ranges_are_not_forgiven(old: str, new: str, message: str, repair: bool) -> None:
    """A wrong type, a missing or unknown field, a number that is none, a bad character: refused and named."""
    with pytest.raises(Malformed, match=message):
        parse(TEXT.replace(old, new), Note, repair=repair)


@pytest.mark.parametrize("text", ["\\\\u0000", "a\\\\\\\\u0000", "[" * 45, "in [0, 1)" * 60, '\\"[' * 60])
def test_text_that_only_looks_dangerous(text: str) -> None:
    """An escaped backslash before u0000 is no NUL, and brackets inside strings are no nesting."""
    said = TEXT.replace('"x"', f'"{text}"')
    assert parse(said, Note, repair=False).words == (json.loads(f'"{text}"'),)


@pytest.mark.parametrize("repair", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I cannot help with that.",
        "null",
        "[]",
        f"[{TEXT}, {TEXT}]",
        '"text"',
        f"{TEXT}{OTHER}",
        f"{TEXT}\n{OTHER}",
        f"{TEXT}\nOr rather:\n```json\n{OTHER}\n```",
        TEXT[:-14],
        TEXT[:-2] + ', {"more',
        '{"number": 3, "met": false, "words": ["x"], "more": {"a": 1}, "again": {"b',
        "<think>still thinking",
        "```json\n```",
    ],
)
def test_no_object_several_or_a_cut_one(text: str, repair: bool) -> None:
    """Nothing, something else, two objects that could contradict each other, and a cut-off one are refused."""
    with pytest.raises(Malformed):
        parse(text, Note, repair=repair)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        TEXT.replace('"x"', "[" * 60 + "]" * 60),
        TEXT.replace('["x"]', "[" * 60),
        """{"number": 3, 'x': ", "y": """ + "[" * 3000 + "}",
        """{'x": """ + "[" * 3000 + "}",
    ],
)
def test_deep_nesting(text: str) -> None:
    """Nesting that would exhaust the stack of a decoder is refused before it is decoded."""
    for repair in (True, False):
        with pytest.raises(Malformed):
            parse(text, Note, repair=repair)
    with pytest.raises(Malformed):
        validate(nested(5000), Note)


def nested(levels: int) -> object:
    """A list in a list in a list."""
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5_000_000,
        "{" * 5_000_000,
        "{}" * 2_500_000,
        " " * 5_000_000,
        "```\n" + "\n" * 1_000_000,
        "```json\n" + " \n" * 1_000_000 + "x",
        "<think>" * 700_000,
        "{" + '\\"' * 90_000 + "}",
        "{" + '"' * 150_000 + "}",
        '{"words": ["' + "x" * 5_000_000 + '"]}',
    ],
    ids=lambda text: text[:12],
)
def test_large_texts_take_no_time(text: str) -> None:
    """Megabytes of anything are refused in far less than the time a quadratic reader would need."""
    started = perf_counter()
    for repair in (True, False):
        with pytest.raises(Malformed):
            parse(text, Note, repair=repair)
    assert perf_counter() - started < 10


def test_length_is_capped() -> None:
    """A valid object beyond the cap is refused, one below it is read."""
    long = TEXT.replace("x", "x" * (MOST_CHARACTERS - len(TEXT)))
    assert len(parse(long, Note).words[0]) > MOST_CHARACTERS - 100
    with pytest.raises(Malformed, match="at most 200,000"):
        parse(long.replace("x", "xxxx", 1), Note)


@given(st.text(max_size=300))
def test_any_text_is_read_or_malformed(text: str) -> None:
    """No text, however odd, raises anything but Malformed."""
    for said in (text, f"{{{text}}}", TEXT[:20] + text + TEXT[20:]):
        for repair in (True, False):
            with suppress(Malformed):
                parse(said, Note, repair=repair)


@given(st.integers(), st.booleans(), st.lists(st.text().filter(lambda text: "\0" not in text), max_size=3))
def test_what_is_written_is_read_back(number: int, met: bool, words: list[str]) -> None:
    """A valid value survives writing and reading, also between fences."""
    note = Note(number=number, met=met, words=tuple(words))
    for text in (note.model_dump_json(), json.dumps(note.model_dump())):
        assert parse(text, Note, repair=False) == note
        assert parse(f"```json\n{text}\n```", Note) == note


def test_message_names_field_and_value_and_stays_short() -> None:
    """The message can be shown to the author: each field with its value, in bounded length."""
    with pytest.raises(Malformed) as caught:
        parse(json.dumps({"number": "+8", "k" * 5000: "v" * 5000}), Note)
    message = str(caught.value)
    assert "number: Input should be a valid integer (got '+8')" in message
    assert len(message) < 1000
