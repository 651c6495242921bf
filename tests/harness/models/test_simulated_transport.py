"""The offline models behind the real client: repeatable replies, honest HTTP, and trouble that retries get through."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import httpx2
import openai
import pytest
from simulated_play import PROMPTS, documents, first_prompt

from harness.models.simulated import Faults, SimulatedTransport, complete
from harness.models.simulated.completion import RESPONDERS, BadRequest, UnknownModel

KINDS = ("limited", "broken", "html", "truncated", "no_choices", "cut_off", "reset")


def body(seed: int, role: str = "weak", content: str = "## Question\n\nWhat is a queue?") -> dict[str, Any]:
    return {"model": f"simulated-{role}", "messages": [{"role": "user", "content": content}], "seed": seed}


def client(transport: SimulatedTransport) -> openai.AsyncOpenAI:
    http = httpx2.AsyncClient(transport=transport)
    return openai.AsyncOpenAI(
        base_url="http://models.invalid/v1", api_key="none", max_retries=0, http_client=http
    )


async def outcome(asked: openai.AsyncOpenAI, request: dict[str, Any]) -> str:
    """The text of a reply, or the name of what went wrong."""
    try:
        got = await asked.chat.completions.create(**request)
    except openai.APIStatusError as error:
        return str(error.status_code)
    except openai.APIConnectionError:
        return "reset"
    except json.JSONDecodeError:
        return "truncated"
    if isinstance(got, str):
        return "html"
    if not got.choices:
        return "no_choices"
    return "cut_off" if got.choices[0].finish_reason == "length" else str(got.choices[0].message.content)


def outcomes(transport: SimulatedTransport, requests: Iterable[dict[str, Any]]) -> list[str]:
    async def ask() -> list[str]:
        async with client(transport) as asked, asyncio.TaskGroup() as group:
            tasks = [group.create_task(outcome(asked, request)) for request in requests]
        return [task.result() for task in tasks]

    return asyncio.run(ask())


def test_the_real_client_reads_a_simulated_reply() -> None:
    """Text, finish reason, model and usage arrive through the openai client as from any endpoint."""

    async def ask() -> Any:
        async with client(SimulatedTransport(7)) as asked:
            return await asked.chat.completions.create(**body(1))

    got = asyncio.run(ask())
    assert got.model == "simulated-weak" and got.created == 0
    assert got.choices[0].finish_reason == "stop" and got.choices[0].message.content
    assert got.usage.completion_tokens == -(-len(got.choices[0].message.content) // 4)
    assert got.usage.total_tokens == got.usage.prompt_tokens + got.usage.completion_tokens


def test_the_form_that_is_asked_for_changes_no_reply() -> None:
    """A simulated model answers the same, whether and in which form an answer is asked for."""
    forms = [{}, {"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_schema"}}]
    for role in ("judge", "verifier", "weak"):
        faults = Faults(**dict.fromkeys(KINDS, 0.1))
        told = [
            outcomes(SimulatedTransport(7, faults=faults), [body(n, role) | form for n in range(40)])
            for form in forms
        ]
        assert told[0] == told[1] == told[2] and len(set(told[0])) > 3


def test_replies_depend_on_the_request_and_not_on_the_order() -> None:
    """The same requests in another order, with latency, get the same replies."""
    requests = [body(seed, role) for seed in range(20) for role in ("weak", "strong")]
    shuffled = random.Random(3).sample(requests, len(requests))
    plain = outcomes(SimulatedTransport(7), requests)
    late = outcomes(SimulatedTransport(7, latency=0.002), shuffled)
    assert dict(zip(map(str, requests), plain, strict=True)) == dict(
        zip(map(str, shuffled), late, strict=True)
    )


@pytest.mark.parametrize("role", ["challenger", "verifier", "weak", "strong", "judge"])
def test_a_role_is_a_pure_function_of_the_request(role: str) -> None:
    """Every role of the inner loop repeats itself, whatever was asked in between."""
    prompt = first_prompt(documents(1)[0])
    first = complete(body(1, role, prompt), 5)
    complete(body(2, role, prompt + " "), 5)
    assert complete(body(1, role, prompt), 5) == first


def test_draws_differ() -> None:
    """Another seed of the request, or of the simulator, draws another task."""
    prompt = first_prompt(documents(1)[0])
    texts = {complete(body(draw, "challenger", prompt), seed)["id"] for draw in range(5) for seed in range(5)}
    contents = {
        complete(body(draw, "challenger", prompt), seed)["choices"][0]["message"]["content"]
        for draw in range(5)
        for seed in range(5)
    }
    assert len(texts) == len(contents) == 25


def test_the_order_of_fields_does_not_matter() -> None:
    """A request is the same whatever order its JSON fields come in."""
    one = body(4)
    assert complete(dict(reversed(one.items())), 1) == complete(one, 1)


def test_an_unknown_model_is_404() -> None:
    """A model that is not simulated is refused as OpenAI refuses it, and the message names those there are."""

    async def ask() -> None:
        async with client(SimulatedTransport(1)) as asked:
            await asked.chat.completions.create(**body(1) | {"model": "gpt-9"})

    with pytest.raises(openai.NotFoundError, match=r"no simulated model 'gpt-9'.*simulated-judge") as caught:
        asyncio.run(ask())
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    "request_body", [{}, {"messages": []}, {"messages": [{"role": "user", "content": None}]}]
)
def test_a_request_without_texts_is_refused(request_body: dict[str, Any]) -> None:
    """A request without messages, or with one that is not text, is an error of its own."""
    with pytest.raises(BadRequest):
        complete({"model": "simulated-weak"} | request_body, 0)
    with pytest.raises(UnknownModel):
        complete(request_body, 0)


def test_other_paths_and_streams_are_refused() -> None:
    """Nothing but whole chat completions is served."""

    async def statuses() -> list[int]:
        async with httpx2.AsyncClient(
            transport=SimulatedTransport(1), base_url="http://models.invalid"
        ) as http:
            answers = [
                await http.get("/v1/models"),
                await http.post("/v1/chat/completions", content=b"{"),
                await http.post("/v1/chat/completions", content=b"[]"),
                await http.post("/v1/chat/completions", json=body(1) | {"stream": True}),
            ]
        return [answer.status_code for answer in answers]

    assert asyncio.run(statuses()) == [404, 400, 400, 400]


def test_max_tokens_cuts_a_reply_off() -> None:
    """A reply that is longer than max_tokens ends there, with finish_reason `length`."""
    prompt = first_prompt(documents(1)[0])
    cut = complete(body(1, "challenger", prompt) | {"max_tokens": 20}, 1)
    assert cut["choices"][0]["finish_reason"] == "length"
    assert len(cut["choices"][0]["message"]["content"]) == 80 and cut["usage"]["completion_tokens"] == 20


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_looks_like_itself_and_passes(kind: str) -> None:
    """A fault at rate one half hits about half of the requests as its own kind of trouble, and retries get through."""
    transport = SimulatedTransport(3, faults=Faults(**{kind: 0.5}))
    requests = [body(seed) for seed in range(40)]
    expected = {"limited": "429", "broken": "500"}.get(kind, kind)
    pending, hit = requests, 0
    for _ in range(12):
        got = outcomes(transport, pending)
        hit = hit or got.count(expected)
        assert {one for one in got if one in (*KINDS, "429", "500")} <= {expected}
        pending = [request for request, one in zip(pending, got, strict=True) if one == expected]
    assert 8 <= hit <= 32 and not pending


def test_faults_repeat() -> None:
    """The same requests meet the same faults in the same tries, and what gets through is what it would have been."""
    faults = Faults(**dict.fromkeys(KINDS, 0.1))
    requests = [body(seed) for seed in range(60)]
    first, second = (SimulatedTransport(3, faults=faults) for _ in range(2))
    tries = [(outcomes(first, requests), outcomes(second, list(reversed(requests)))) for _ in range(2)]
    assert all(one == list(reversed(other)) for one, other in tries)
    clean = outcomes(SimulatedTransport(3), requests)
    through = [pair for pair in zip(clean, tries[0][0], strict=True) if pair[1] not in (*KINDS, "429", "500")]
    assert 5 < len(through) < 40 and all(one == other for one, other in through)


def test_a_limited_request_says_when_to_come_back() -> None:
    """A 429 carries Retry-After in seconds."""
    transport = SimulatedTransport(3, faults=Faults(limited=1.0, retry_after=0.25))

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=transport) as http:
            return await http.post("http://models.invalid/v1/chat/completions", json=body(1))

    assert asyncio.run(ask()).headers["retry-after"] == "0.25"


@pytest.mark.parametrize("role", ["verifier", "judge"])
def test_instruments_are_rarely_unusable(role: str) -> None:
    """Of many replies of an instrument a few are fenced, about one in a hundred is no JSON, and the rest are plain."""
    kinds: Counter[str] = Counter()
    for seed in range(1500):
        text = complete(body(seed, role, "## Criteria\n\n1. [POSITIVE] `a` rises.\n"), 0)["choices"][0][
            "message"
        ]["content"]
        try:
            json.loads(text.removeprefix("```json\n").removesuffix("\n```"))
        except ValueError:
            kinds["unusable"] += 1
        else:
            kinds["fenced" if text.startswith("```") else "plain"] += 1
    assert 4 <= kinds["unusable"] <= 40 and 60 <= kinds["fenced"] <= 220


def test_the_outer_roles_are_there() -> None:
    """All seven roles have a simulated model."""
    assert {name.removeprefix("simulated-") for name in RESPONDERS} == {
        *("challenger", "verifier", "weak", "strong", "judge", "analyzer", "implementer")
    }
    assert PROMPTS.keys() == {"challenger.md", "first_round.md", "refinement.md"}
