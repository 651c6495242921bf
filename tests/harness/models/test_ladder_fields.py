"""Fields that a server does not know: the limit's name and the seed are adapted, sampling is never changed."""

from typing import Any

import pytest
from fakes import model
from fault_server import Fault, failing, picky
from formal import MESSAGES, PLAIN, QUESTION, asked, form_asked, lacking

from harness.errors import ProviderError
from harness.models.ladder import Complaint, Ladder, is_unknown
from harness.types import Sampling


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        (
            "max_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        ),
        ("max_tokens", "max_tokens is not supported"),
        ("seed", "Unsupported parameter: 'seed'"),
        (
            "seed",
            "[{'type': 'extra_forbidden', 'loc': ['body', 'seed'], 'msg': 'Extra inputs are not permitted'}]",
        ),
        ("seed", "Additional properties are not allowed ('seed' was unexpected)"),
        ("seed", "property 'seed' is unsupported"),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_fields_that_a_server_does_not_know(parameter: str, message: str, status: int) -> None:
    """A refused name of the token limit is swapped, a refused seed left out; both for good, and people are told."""
    done, bodies, notices = asked(always=lacking(parameter, message, status), questions=(QUESTION, PLAIN))
    assert [one.text for one in done] == ["an answer"] * 2 and len(bodies) == 3
    assert parameter in bodies[0] and all(parameter not in body for body in bodies[1:])
    assert all(body.get("max_tokens", body.get("max_completion_tokens")) == 99 for body in bodies)
    assert len(notices) == 1 and parameter in notices[0]
    assert done[0].form == "json_schema", "the form was not what it complained about"


def test_the_complaint_may_name_the_field_in_param_alone() -> None:
    """OpenAI names the field beside the message."""
    done, bodies, _ = asked(always=lacking("max_tokens", "This parameter is unsupported."))
    assert done[0].text == "an answer" and len(bodies) == 2


def test_everything_at_once() -> None:
    """A server that knows neither schema nor seed nor the limit's old name is served within one attempt."""

    def complain(body: dict[str, Any]) -> Fault | None:
        for name in ("seed", "max_tokens"):
            if name in body:
                return failing(422, f"{name}: Extra inputs are not permitted")
        return (
            None
            if form_asked(body) == "text"
            else failing(500, f"unknown response_format {form_asked(body)}")
        )

    done, bodies, notices = asked(always=picky(complain))
    assert (done[0].text, done[0].form, len(bodies), len(notices)) == ("an answer", "text", 5, 4)


def test_both_names_of_the_limit_refused() -> None:
    """A server that takes no token limit at all is an error, not a loop."""
    both = picky(
        lambda body: failing(400, f"unknown field: {next(name for name in body if 'tokens' in name)}")
    )
    with pytest.raises(ProviderError, match="max_completion_tokens"):
        asked(always=both)


@pytest.mark.parametrize(
    ("sampling", "message", "setting"),
    [
        (
            Sampling(temperature=0.7),
            "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) is supported.",
            r"temperature = 0\.7.*sampling\.temperature",
        ),
        (Sampling(top_p=0.5), "Unsupported parameter: 'top_p'", r"top_p = 0\.5.*sampling\.top_p"),
        (
            Sampling(extra={"reasoning_effort": "high"}),
            "Unrecognized request argument supplied: reasoning_effort",
            r"reasoning_effort = 'high'.*sampling\.extra\.reasoning_effort",
        ),
    ],
)
def test_sampling_is_never_changed(sampling: Sampling, message: str, setting: str) -> None:
    """What measures is the user's to change: the error names the setting and its value, and asks for nothing else."""
    with pytest.raises(ProviderError, match=setting):
        asked(failing(400, message), sampling=sampling)


def test_extra_fields_go_into_the_body_and_replace_nothing() -> None:
    """`sampling.extra` adds what a server knows; it cannot rename the model or undo the limit."""
    extra = {"top_k": 5, "model": "other", "max_tokens": 1, "messages": [], "seed": 1}
    _, (body,), _ = asked(sampling=Sampling(extra=extra))
    assert body["top_k"] == 5 and (body["model"], body["max_tokens"], body["seed"]) == ("m", 99, 7)
    assert len(body["messages"]) == len(MESSAGES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("unsupported parameter: 'seed'", True),
        ("seed: extra inputs are not permitted", True),
        ("the model doesn't support seed", True),
        ("seed must be at most 2147483647", False),
        ("unsupported content in message 3; it contains linseed", False),
        ("unknown role. the seed is fine", False),
        ("unexpected end of the text about the " + "long " * 20 + "seed", False),
    ],
)
def test_what_a_complaint_is_about(text: str, told: bool) -> None:
    """A field counts as refused where the words for it stand near its whole name."""
    assert is_unknown("seed", text) is told


def test_form_and_newer_limit_at_openai() -> None:
    """There the newer name of the limit is the first, and the older one the way out."""
    ladder, settings = Ladder("https://api.openai.com/v1"), model()
    first = ladder.manner(settings, QUESTION)
    assert first.limit == "max_completion_tokens"
    assert ladder.learn(settings, first, Complaint(400, "unknown field max_completion_tokens"))
    assert ladder.manner(settings, QUESTION).limit == "max_tokens"
