"""The client against a server with real sockets: every fault becomes Transient, ProviderError or a valid Completion."""

import asyncio
from time import monotonic
from typing import Any

import httpx2
import pytest
from fakes import Wire, completion, model
from fault_server import (
    Exchange,
    Fault,
    changed,
    choice,
    cut,
    drip,
    failing,
    garbage,
    hang,
    head,
    reset,
    respond,
    serving,
    vanish,
)

from harness.errors import ProviderError
from harness.models.openai import (
    LARGEST_BODY,
    Completion,
    Endpoint,
    Question,
    Transient,
    Usage,
    retry_after,
)
from harness.types import Message, Sampling

QUESTION = Question(
    (Message(role="system", content="Be brief."), Message(role="user", content="Hm? 🐍")), 7, 99
)


def complete(*faults: Fault, times: int = 1, **changes: Any) -> Completion:
    """The last of so many answers of a server with these faults; fails if a connection is left open."""

    async def main() -> Completion:
        async with serving(*faults) as server:
            settings = model(**({"base_url": server.url, "deadline": 5.0} | changes))
            endpoint = Endpoint(
                settings, httpx2.AsyncHTTPTransport(verify=False)
            )  # certificates take 20 ms to load
            try:
                for _ in range(times - 1):
                    await endpoint.complete(settings, QUESTION)
                return await endpoint.complete(settings, QUESTION)
            finally:
                assert len(server.requests) <= times, "the client retried by itself"
                await endpoint.close()

    return asyncio.run(main())


def test_good_answer() -> None:
    """Text, finish reason, model and usage as reported, with the time it took."""
    done = complete()
    assert (done.text, done.finish_reason, done.model, done.usage) == (
        "an answer",
        "stop",
        "m-1",
        Usage(10, 20),
    )
    assert 0 < done.seconds < 5


def test_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request carries the messages, the sampling, the seed, the limit and the key, and asks once."""
    monkeypatch.setenv("SOME_KEY", "sk-secret")

    async def main() -> None:
        async with serving() as server:
            settings = model(
                base_url=server.url, key_variable="SOME_KEY", sampling=Sampling(temperature=0.5, top_p=0.9)
            )
            endpoint = Endpoint(settings)
            await endpoint.complete(settings, QUESTION)
            await endpoint.close()
        (sent,) = server.requests
        assert sent.headers["authorization"] == "Bearer sk-secret"
        assert sent.body == {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hm? 🐍"}],
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "max_tokens": 99,
        }

    asyncio.run(main())


def test_limit_has_its_newer_name_at_openai() -> None:
    """OpenAI's own models refuse the old name of the token limit."""

    async def main() -> None:
        wire = Wire()
        settings = model(base_url="https://api.openai.com/v1")
        endpoint = Endpoint(settings, wire)
        await endpoint.complete(settings, QUESTION)
        await endpoint.close()
        assert wire.bodies[0]["max_completion_tokens"] == 99 and "max_tokens" not in wire.bodies[0]

    asyncio.run(main())


def test_missing_key() -> None:
    """A key variable that is not set is an error that names it, before anything is sent."""
    with pytest.raises(ProviderError, match="NO_SUCH_KEY"):
        Endpoint(model(key_variable="NO_SUCH_KEY"))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_transient_status(status: int) -> None:
    """A status that may pass is transient, and names status, place and model."""
    with pytest.raises(Transient, match=rf"HTTP {status} from 'http://127.*model 'm'") as caught:
        complete(failing(status))
    assert caught.value.after is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
def test_refusals(status: int) -> None:
    """A status that will not pass stops at once and says what to correct."""
    with pytest.raises(ProviderError, match=rf"HTTP {status}.*no.*settings or key"):
        complete(failing(status))


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_exhausted_quota_is_final(code: str) -> None:
    """A 429 for lack of money is no rate limit, however long its message is."""
    with pytest.raises(ProviderError, match="HTTP 429"):
        complete(failing(429, "You exceeded your current quota. " * 20, code))


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 9000.", None),
        (400, "Too many tokens.", "context_length_exceeded"),
        (400, "the request exceeds the available context size", "exceed_context_size_error"),
        (400, "The response was filtered.", "content_filter"),
        (422, "The decoder prompt is longer than the maximum model length of 8192.", None),
    ],
)
def test_refused_prompt_is_an_empty_answer(status: int, message: str, code: str | None) -> None:
    """A prompt too long for the model or filtered stops no run: it gets an answer that is not whole and says why."""
    done = complete(failing(status, message, code))
    assert (done.text, done.usage) == ("", Usage(0, 0))
    assert done.finish_reason.startswith("refused: ") and message[:20] in done.finish_reason


@pytest.mark.parametrize(
    ("header", "after"),
    [
        ("1", 1.0),
        ("0", 0.0),
        ("2.5", 2.5),
        ("-5", 0.0),
        ("3600", 3600.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after(header: str, after: float | None) -> None:
    """The server's wish in seconds is passed on at once, uncapped and never slept for here; a date is not used."""
    started = monotonic()
    with pytest.raises(Transient) as caught:
        complete(failing(429, Retry_After=header))
    assert caught.value.after == after
    assert monotonic() - started < 4


@pytest.mark.parametrize("header", ["", "soon", "nan", "1e999", "--1"])
def test_nonsense_in_retry_after(header: str) -> None:
    """A nonsense wish gives no time or one that a cap can bound, never an error."""
    after = retry_after({"retry-after": header})
    assert after is None or after >= 0


BODIES = {
    "html": respond(b"<html>busy</html>", Content_Type="text/html"),
    "empty": respond(b""),
    "truncated json": respond(b'{"choices": [{"message": {"content": "ha'),
    "bad utf-8": respond(b'{"choices": [{"message": {"content": "\xff\xfe"}, "finish_reason": "stop"}]}'),
    "deep": respond(b'{"choices": ' + b"[" * 100_000),
    "huge number": respond(b'{"choices": ' + b"9" * 10_000 + b"}"),
    "error in 200": respond({"error": {"message": "overloaded"}}),
    "list": respond([completion()]),
    "null": respond(None),
    "text": respond("hello"),
    "number": respond(3),
    "choices null": changed(choices=None),
    "choices empty": changed(choices=[]),
    "choices missing": changed(choices=...),
    "choices object": changed(choices={"0": 1}),
    "choices text": changed(choices="stop"),
    "choice null": changed(choices=[None]),
    "message null": choice(message=None),
    "message missing": choice(message=...),
    "message text": choice(message="hi"),
    "content number": choice(message={"content": 3}),
    "content of no parts": choice(message={"content": ["x"]}),
    "part without a text": choice(message={"content": [{"type": "text", "text": None}]}),
    "part without a type": choice(message={"content": [{"text": "x"}]}),
    "finish missing": choice(finish_reason=...),
    "finish null": choice(finish_reason=None),
    "finish number": choice(finish_reason=1),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_completion_is_transient(name: str) -> None:
    """A 200 that holds anything but one choice with a text and a finish reason is tried again, never used."""
    with pytest.raises(Transient, match="not a chat completion"):
        complete(BODIES[name])


@pytest.mark.parametrize(
    "fault",
    [reset, vanish, garbage, cut(0.5), cut(0.0)],
    ids=["reset", "vanish", "garbage", "half", "head only"],
)
def test_broken_connections_are_transient(fault: Fault) -> None:
    """Reset, early end, no HTTP, a body shorter than announced: transient."""
    with pytest.raises(Transient, match="Error"):
        complete(fault)


def test_server_away() -> None:
    """Nobody listening is transient too: servers come back."""

    async def main() -> None:
        async with serving() as server:
            pass
        settings = model(base_url=server.url)
        endpoint = Endpoint(settings)
        with pytest.raises(Transient, match="Connect"):
            await endpoint.complete(settings, QUESTION)
        await endpoint.close()

    asyncio.run(main())


@pytest.mark.parametrize("fault", [hang, drip(0.05), drip(0.0005)], ids=["hang", "drip", "fast drip"])
def test_deadline_is_for_the_whole_attempt(fault: Fault) -> None:
    """Neither silence nor a byte now and then stretches an attempt beyond its deadline; the connection is closed."""
    started = monotonic()
    with pytest.raises(Transient, match=r"no complete answer within 0\.1 s"):
        complete(fault, deadline=0.1)
    assert monotonic() - started < 4


@pytest.mark.parametrize("status", [200, 500])
def test_an_endless_body_is_not_read_to_its_end(status: int) -> None:
    """A server that ignores the token limit, or floods us with an error page, fills no memory: the attempt failed."""
    sent = 0

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.send(head(status, 2**40, {}))
        while not exchange.writer.is_closing():
            await exchange.send(b"x" * 2**16)
            sent += 2**16

    with pytest.raises(Transient, match="more than 16 MiB"):
        complete(flood)
    assert sent < 3 * LARGEST_BODY


def test_each_role_has_its_own_deadline() -> None:
    """A slow role behind the client of a fast one has its own time, not that of the first."""

    async def main() -> Completion:
        async with serving(drip(0.0005)) as server:
            endpoint = Endpoint(model(base_url=server.url, deadline=0.001))
            try:
                return await endpoint.complete(model(base_url=server.url, deadline=30.0), QUESTION)
            finally:
                await endpoint.close()

    assert asyncio.run(main()).text == "an answer"


@pytest.mark.parametrize(
    ("fault", "text", "reason"),
    [
        (choice(finish_reason="length"), "an answer", "length"),
        (choice(finish_reason="content_filter"), "an answer", "content_filter"),
        (choice(message={"role": "assistant", "content": None, "refusal": "no"}), "", "stop"),
        (choice(message={"content": ""}), "", "stop"),
        (choice(message={"content": "a\0b\ud800c"}), "ab?c", "stop"),
        (choice(finish_reason="st\ud800op\0"), "an answer", "st?op"),
    ],
)
def test_odd_but_valid_answers(fault: Fault, text: str, reason: str) -> None:
    """Cut-off, filtered and empty answers are returned for the caller to judge, without dangerous characters."""
    done = complete(fault)
    assert (done.text, done.finish_reason) == (text, reason)


@pytest.mark.parametrize(
    "usage",
    [
        ...,
        None,
        [],
        "10",
        {},
        {"prompt_tokens": 1},
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 10**9, "completion_tokens": 2},
        {"prompt_tokens": 1.5, "completion_tokens": 2},
        {"prompt_tokens": "1", "completion_tokens": 2},
        {"prompt_tokens": True, "completion_tokens": 2},
        {"prompt_tokens": None, "completion_tokens": None},
    ],
)
def test_absent_or_absurd_usage(usage: object) -> None:
    """A missing, negative, enormous or wrongly typed count is no count; the answer itself is good."""
    done = complete(changed(usage=usage))
    assert done.usage is None and done.text == "an answer"


@pytest.mark.parametrize(
    ("name", "read"), [(None, ""), (..., ""), ("other-1", "other-1"), ("a\ud800", "a?"), (3, "3")]
)
def test_model_that_answered(name: object, read: str) -> None:
    """The name of the model that answered is kept as text, whatever the server sends."""
    assert complete(changed(model=name)).model == read


def test_connection_goes_on_after_faults() -> None:
    """After every fault of a connection the same client gets its next good answer."""

    async def main() -> None:
        faults = [reset, failing(500), BODIES["html"], cut(0.5), hang, garbage]
        async with serving(*faults) as server:
            settings = model(base_url=server.url, deadline=0.3)
            endpoint = Endpoint(settings)
            for _ in range(6):
                with pytest.raises(Transient):
                    await endpoint.complete(settings, QUESTION)
            assert (await endpoint.complete(settings, QUESTION)).text == "an answer"
            await endpoint.close()

    asyncio.run(main())


def test_connections_are_kept_and_closed() -> None:
    """Calls one after the other share a connection, and `close` ends it."""
    assert complete(times=5).text == "an answer"

    async def main() -> None:
        async with serving() as server:
            settings = model(base_url=server.url)
            endpoint = Endpoint(settings)
            for _ in range(5):
                await endpoint.complete(settings, QUESTION)
            assert server.open == 1
            await endpoint.close()
            await asyncio.wait_for(server.idle(), 5)

    asyncio.run(main())
