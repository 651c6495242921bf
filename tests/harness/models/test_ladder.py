"""Unlike servers on real sockets: what one refuses is asked for in another way, at once, and never again."""

import asyncio
import json
from typing import Any

import pytest
from fakes import model
from fault_server import Fault, FaultServer, changed, choice, failing, respond, serving
from formal import MESSAGES, PLAIN, QUESTION, Bodies, asked, form_asked, refusing

from harness.errors import ProviderError
from harness.judge import Judgement
from harness.models.answers import Completion, Transient
from harness.models.ladder import Complaint, Ladder
from harness.models.openai import Endpoint
from harness.models.schema import form_of, instruction


def test_a_server_that_knows_schemas() -> None:
    """It is asked for the strict schema, the prompt stays as it is, and nobody is told anything."""
    (done,), (body,), notices = asked()
    assert done.form == "json_schema" and notices == []
    assert body["response_format"] == {"type": "json_schema", "json_schema": form_of(Judgement)}
    assert [one["content"] for one in body["messages"]] == [one.content for one in MESSAGES]


def test_no_form_where_none_is_wanted() -> None:
    """A question without a schema names no form and is answered without one."""
    (done,), (body,), _ = asked(questions=(PLAIN,))
    assert done.form == "" and "response_format" not in body


REFUSALS = [
    (400, "This response_format type is unavailable now"),  # DeepSeek
    (400, "'response_format.type' must be 'text'"),
    (422, "[{'type': 'extra_forbidden', 'loc': ('body', 'response_format')}]"),
    (
        500,
        "[{'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\"}]",
    ),
    (400, "The provided JSON schema contains features not supported by xgrammar."),  # vLLM
    (400, "This model does not support response format `json_schema`."),  # Groq
    (400, "Structured outputs are not supported by this model"),
    (501, "guided decoding is not implemented"),
    (404, "No endpoints found that support structured outputs"),
]


@pytest.mark.parametrize(("status", "message"), REFUSALS)
def test_one_step_down_at_once_and_for_good(status: int, message: str) -> None:
    """An error that names the form leads to the next one in the same attempt; later questions begin there."""
    done, bodies, notices = asked(
        always=refusing("json_schema", status=status, message=message), questions=(QUESTION, QUESTION)
    )
    assert [form_asked(body) for body in bodies] == ["json_schema", "json_object", "json_object"]
    assert [one.form for one in done] == ["json_object", "json_object"] and done[0].text == "an answer"
    (notice,) = notices
    assert f"HTTP {status}" in notice and "json_schema" in notice and "'m'" in notice


def test_down_to_plain_text() -> None:
    """A server that knows neither form gets the schema in the prompt alone, behind the last words of the user."""
    done, bodies, notices = asked(always=refusing("json_schema", "json_object"), questions=(QUESTION,) * 3)
    assert [form_asked(body) for body in bodies] == ["json_schema", "json_object", "text", "text", "text"]
    assert {one.form for one in done} == {"text"} and len(notices) == 2
    for body in bodies[1:]:
        contents = [one["content"] for one in body["messages"]]
        assert contents.pop(3) == f"Judge it.\n\n{instruction(Judgement)}"
        assert contents == [one.content for n, one in enumerate(MESSAGES) if n != 3]


def test_text_is_the_last_step() -> None:
    """An error about forms when none was asked for is an error like any other, not a loop."""
    with pytest.raises(ProviderError, match="response_format"):
        asked(always=failing(400, "response_format is wrong"))
    with pytest.raises(Transient, match="HTTP 500"):
        asked(always=failing(500, "grammar compiler crashed"))


@pytest.mark.parametrize("start", ["json_schema", "json_object", "text"])
def test_where_the_settings_say(start: str) -> None:
    """`structured` decides where to begin, and what the server refuses goes down from there."""
    (done,), bodies, _ = asked(structured=start)
    assert (done.form, form_asked(bodies[0])) == (start, start)
    (done,), bodies, _ = asked(always=refusing("json_object", "json_schema"), structured=start)
    assert (done.form, form_asked(bodies[0])) == ("text", start)


def test_a_form_that_another_role_does_not_begin_with() -> None:
    """LM Studio knows schemas and no json_object: that one role was refused does not take the schema from the other."""

    async def main() -> list[str]:
        async with serving(always=refusing("json_object")) as server:
            first = model(base_url=server.url, structured="json_object")
            other = model(base_url=server.url)
            endpoint = Endpoint(first)
            done = [await endpoint.complete(one, QUESTION) for one in (first, other, first)]
            await endpoint.close()
            return [one.form for one in done]

    assert asyncio.run(main()) == ["text", "json_schema", "text"]


def test_every_model_has_its_own_memory() -> None:
    """What one model of an endpoint refuses is still asked of another."""

    async def main() -> Bodies:
        async with serving(failing(400, "no json_schema for this model")) as server:
            endpoint = Endpoint(model(base_url=server.url))
            for name in ("a", "b", "a"):
                await endpoint.complete(model(base_url=server.url, name=name), QUESTION)
            await endpoint.close()
            return [one.body for one in server.requests]

    asked_of = [(body["model"], form_asked(body)) for body in asyncio.run(main())]
    assert asked_of == [
        ("a", "json_schema"),
        ("a", "json_object"),
        ("b", "json_schema"),
        ("a", "json_object"),
    ]


def test_a_burst_of_refusals_is_one_step() -> None:
    """Twenty calls that are refused at once each go one step down; the form that works is never skipped."""
    gate = asyncio.Event()
    waiting: list[int] = []

    async def together(exchange: Any) -> None:
        waiting.append(1)
        if len(waiting) == 20:
            gate.set()
        await gate.wait()
        await failing(400, "json_schema is not supported")(exchange)

    async def main() -> tuple[list[Completion], FaultServer, list[str]]:
        async with serving(*[together] * 20) as server:
            settings = model(base_url=server.url)
            endpoint = Endpoint(settings)
            done = await asyncio.gather(*[endpoint.complete(settings, QUESTION) for _ in range(20)])
            done.append(await endpoint.complete(settings, QUESTION))
            await endpoint.close()
            return done, server, endpoint.notices

    done, server, notices = asyncio.run(main())
    assert {one.form for one in done} == {"json_object"} and len(notices) == 1
    assert [form_asked(one.body) for one in server.requests] == ["json_schema"] * 20 + ["json_object"] * 21


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens; the grammar of the text does not matter.",
        "Invalid prompt: your prompt was flagged as violating our usage policy (structured text).",
        "Failed to generate JSON. json_validate_failed. See 'failed_generation' for the grammar.",
    ],
)
def test_a_refused_prompt_is_no_refused_form(message: str) -> None:
    """A prompt that is too long, filtered or failed its form stays a refusal of the prompt; nothing is learnt of it."""
    (done, after), bodies, notices = asked(failing(400, message), questions=(QUESTION, QUESTION))
    assert done.finish_reason.startswith("refused: ") and after.form == "json_schema"
    assert len(bodies) == 2 and notices == []


def test_words_in_a_models_name_mean_nothing() -> None:
    """That a model called `guided-7b` is not there is not a complaint about guided decoding."""
    with pytest.raises(ProviderError, match="does not exist"):
        asked(always=failing(404, "The model `guided-7b` does not exist"), name="guided-7b")


@pytest.mark.parametrize("status", [401, 403, 429, 502, 503])
def test_other_statuses_teach_nothing(status: int) -> None:
    """An error of another kind is what it is, even if it mentions the form."""
    with pytest.raises((ProviderError, Transient), match=f"HTTP {status}"):
        asked(failing(status, "json_schema"))


def test_a_server_that_ignores_the_form() -> None:
    """A 200 is an answer, whatever is in it: the reader decides, and nothing is learnt of it."""
    done, bodies, notices = asked(
        choice(message={"content": "I would rather not."}), questions=(QUESTION,) * 2
    )
    assert [form_asked(body) for body in bodies] == ["json_schema"] * 2 and notices == []
    assert done[0].text == "I would rather not."


TROUBLE: dict[str, tuple[Fault, type[Exception], str]] = {
    "html": (
        respond(b"<html>Sign in</html>", Content_Type="text/html"),
        Transient,
        "not a chat completion.*Sign in",
    ),
    "empty choices": (changed(choices=[]), Transient, "not a chat completion"),
    "cut-off json": (respond(json.dumps({"choices": [1]}).encode()[:-4]), Transient, "not a chat completion"),
    "no key": (
        failing(401, "Incorrect API key provided: sk-x"),
        ProviderError,
        "HTTP 401.*Incorrect.*settings or key",
    ),
    "no model": (failing(404, "The model `m` does not exist"), ProviderError, "HTTP 404.*`m` does not exist"),
    "no money": (failing(429, "You exceeded it", "insufficient_quota"), ProviderError, "HTTP 429.*exceeded"),
    "too fast": (failing(429, "Slow down"), Transient, "HTTP 429"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_stays_what_it_is_when_a_form_is_wanted(name: str) -> None:
    """Trouble that has nothing to do with forms is raised as ever after one request, and nothing is learnt of it."""
    fault, error, message = TROUBLE[name]
    with pytest.raises(error, match=message):
        asked(fault)


def test_usage_of_a_real_response() -> None:
    """No usage block is told from one with thought in it; the answer stands either way."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 10, "reasoning_tokens": 7}
    done, _, _ = asked(changed(usage=...), changed(usage=usage), questions=(QUESTION, QUESTION))
    assert done[0].usage is None and done[1].usage is not None
    assert (done[1].usage.completion, done[1].usage.reasoning) == (9, 7)


def test_memory_never_goes_up() -> None:
    """A late complaint about a form that was left behind changes nothing; what is left is still there."""
    ladder, settings = Ladder("http://x/v1"), model()
    first = ladder.manner(settings, QUESTION)
    complaint = Complaint(400, "no json_schema")
    assert ladder.learn(settings, first, complaint)
    second = ladder.manner(settings, QUESTION)
    assert ladder.learn(settings, second, Complaint(400, "no json_object"))
    assert ladder.learn(settings, first, complaint), "it has another way to go"
    assert [first.form, second.form, ladder.manner(settings, QUESTION).form] == [
        "json_schema",
        "json_object",
        "text",
    ]
    assert len(ladder.notices) == 2
