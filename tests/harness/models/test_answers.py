"""Bodies of responses as unlike servers write them: whose text is the answer, and which tokens are billed."""

import json
from typing import Any

import pytest
from fakes import completion

from harness.models.answers import Completion, Question, Usage, read_completion
from harness.types import Message

QUESTION = Question((Message(role="user", content="Hm?"),), 7, 1000)


def read(**changes: Any) -> Completion:
    """A completion with changed fields, as read."""
    return read_completion(json.dumps(completion() | changes).encode(), QUESTION, 0.5, "")


def said(message: object, finish: str = "stop") -> Completion:
    return read(choices=[{"message": message, "finish_reason": finish}])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "one "}, {"type": "text", "text": "two"}], "one two"),
        (
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                {"type": "text", "text": "x"},
            ],
            "x",
        ),
        ([{"type": "output_text", "text": "x"}, {"type": "refusal", "refusal": "no"}], "x"),
        ([], ""),
    ],
)
def test_content_in_parts(content: object, text: str) -> None:
    """Parts of text are joined in their order; parts of any other kind are not the answer."""
    assert said({"content": content}).text == text


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_are_not_the_answer(field: str) -> None:
    """What a server puts beside the content is thought; with nothing in the content there is no answer."""
    assert said({"content": "yes", field: "Let me think."}).text == "yes"
    assert said({"content": None, field: "The answer is 4."}, "length").text == ""


@pytest.mark.parametrize(
    ("reason", "read_as"),
    [
        ("STOP", "stop"),
        ("eos_token", "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
    ],
)
def test_other_names_of_an_ending(reason: str, read_as: str) -> None:
    """Other servers' words for a natural and a cut-off end are understood; what is neither stays what it is."""
    assert said({"content": "x"}, reason).finish_reason == read_as


def tokens(asked: int, completed: int, total: object = None, **more: object) -> dict[str, object]:
    counts: dict[str, object] = {"prompt_tokens": asked, "completion_tokens": completed, **more}
    return counts if total is None else counts | {"total_tokens": total}


def details(thought: object) -> dict[str, object]:
    return {"completion_tokens_details": {"reasoning_tokens": thought}}


@pytest.mark.parametrize(
    ("usage", "billed"),
    [
        (tokens(10, 50, 60, **details(30)), Usage(10, 50, 30)),  # OpenAI: included
        (tokens(10, 20, 60, **details(30)), Usage(10, 50, 30)),  # xAI: beside, the total says so
        (tokens(10, 20, 60, reasoning_tokens=30), Usage(10, 50, 30)),
        (tokens(10, 50, 60, reasoning_tokens=30), Usage(10, 50, 30)),
        (tokens(10, 20, **details(30)), Usage(10, 50, 30)),  # no total, but more thought than completed
        (tokens(10, 50, **details(30)), Usage(10, 50, 30)),
        (tokens(10, 0, 40, **details(30)), Usage(10, 30, 30)),
        (tokens(10, 20, 60), Usage(10, 50, 30)),  # Gemini: in the total alone
        (tokens(10, 20, 30, **details(0)), Usage(10, 20, 0)),
        (tokens(10, 20, 30, **details(None)), Usage(10, 20, 0)),
        (tokens(10, 20, 30, completion_tokens_details=None), Usage(10, 20, 0)),
    ],
)
def test_thought_is_paid_for(usage: dict[str, object], billed: Usage) -> None:
    """Thought tokens count as completion tokens exactly once, whether or not the provider had included them."""
    assert read(usage=usage).usage == billed


@pytest.mark.parametrize(
    ("usage", "billed"),
    [
        (tokens(10, 20, 30, **details(500)), Usage(10, 20, 20)),  # more than all there was, says the total
        (tokens(10, 20, 30, **details(-1)), Usage(10, 20, 0)),
        (tokens(10, 20, 30, **details(10**9)), Usage(10, 20, 0)),
        (tokens(10, 20, 30, **details("30")), Usage(10, 20, 0)),
        (tokens(10, 20, 30, completion_tokens_details=[30]), Usage(10, 20, 0)),
        (tokens(10, 20, 5), Usage(10, 20, 0)),
        (tokens(10, 20, 10**7), Usage(10, 20, 0)),  # no call of 1,000 tokens at most
        (tokens(10, 20, -4), Usage(10, 20, 0)),
        (tokens(10, 20, "many"), Usage(10, 20, 0)),
    ],
)
def test_absurd_counts_of_thought(usage: dict[str, object], billed: Usage) -> None:
    """A count of thoughts or a total that cannot be true changes nothing about the plain counts."""
    assert read(usage=usage).usage == billed
