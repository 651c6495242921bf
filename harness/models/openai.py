"""An OpenAI-compatible endpoint behind one call. The only importer of openai; its own retries are off, ours are outside."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI

from harness.errors import ProviderError
from harness.models.answers import Completion, Objection, Question, Transient, Usage, clean, read_completion
from harness.models.ladder import Complaint, Ladder, Manner, request_body, setting_refused
from harness.types import Model, Sampling

__all__ = ["Completion", "Endpoint", "Objection", "Question", "Transient", "Usage", "retry_after"]

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
NO_MORE = ("insufficient_quota", "billing_hard_limit_reached", "invalid_api_key")
BUSY = frozenset({503, 529})
OBJECTIONS = frozenset({400, 403, 413, 422})
LARGEST_BODY = 16 * 2**20
LONGEST_COMPLAINT = 4000
REFUSALS = frozenset({400, 413, 422})
THIS_PROMPT = (
    "max_tokens is too large",
    "max_completion_tokens is too large",
    "max_new_tokens",
    "invalid_prompt",
    "usage policy",
    "input length",
    "context length",
    "context_length",
    "context size",
    "context_size",
    "maximum model length",
    "prompt is too long",
    "content_filter",
    "content_policy",
    "content management policy",
    "json_validate_failed",  # Groq: this draw was no JSON
)


class Refused(Exception):
    """The endpoint works, but will not answer this very prompt: it is too long for the model, or filtered."""


class Bounded(httpx2.AsyncByteStream):
    """A response's body up to a size that no answer has: a server that ignores the token limit must not fill memory."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self.stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self.stream:
            size += len(part)
            if size > LARGEST_BODY:
                raise httpx2.ReadError(f"an answer of more than {LARGEST_BODY >> 20} MiB")
            yield part

    async def aclose(self) -> None:
        await self.stream.aclose()


async def bound(response: httpx2.Response) -> None:
    """Let no body of that response grow without end."""
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = Bounded(response.stream)


class Endpoint:
    """One base URL with one key: a client with its connections."""

    def __init__(
        self,
        model: Model,
        transport: httpx2.AsyncBaseTransport | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """Open a client for the endpoint of `model`. keys: variable -> key; None: the environment.

        Raises:
            ProviderError: the environment variable that should hold the key is not set.
        """
        self.ladder = Ladder(model.base_url)
        # no limit on reading: roles share the client, and `complete` has the deadline of each
        timeout = httpx2.Timeout(None, connect=10)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=256)
        hooks = {"response": [bound]}
        self.http = httpx2.AsyncClient(transport=transport, timeout=timeout, limits=limits, event_hooks=hooks)
        key = api_key(model, keys)
        self.client = AsyncOpenAI(base_url=model.base_url, api_key=key, max_retries=0, http_client=self.http)

    async def complete(self, model: Model, question: Question) -> Completion:
        """Ask once, with a deadline for the whole attempt; what the server does not take is asked for in another way.

        A prompt that is too long or filtered is answered by no text and a finish reason that begins `refused`: it is
        the doing of whoever wrote the prompt, and no reason to stop a run.

        Raises:
            Transient: time-out, connection trouble, 408/409/425/429/5xx, or an answer that is no chat completion.
            ProviderError: the endpoint refuses for good (401, 404, quota exhausted, a setting); Objection where it may
            be for this prompt alone (400, 403, 413, 422).
        """
        started = monotonic()
        try:
            async with asyncio.timeout(model.deadline):
                body, manner = await self.converse(model, question)
        except TimeoutError:
            raise Transient(f"no complete answer within {model.deadline:g} s") from None
        except Refused as refused:
            return Completion("", f"refused: {refused}", model.name, Usage(0, 0), monotonic() - started)
        return read_completion(body, question, monotonic() - started, manner.form)

    async def converse(self, model: Model, question: Question) -> tuple[bytes, Manner]:
        """The raw body of a successful response, and the manner of asking that the server took.

        It ends: every refusal that leads to another request is remembered, and there are few manners.
        """
        while True:
            manner = self.ladder.manner(model, question)
            try:
                return await self.post(request_body(model, question, manner)), manner
            except openai.APIStatusError as error:
                complaint = read_complaint(error)
                problem = status_problem(model, error, complaint)
                if isinstance(problem, Refused) or not self.ladder.learn(model, manner, complaint):
                    raise problem from None

    async def post(self, body: dict[str, Any]) -> bytes:
        """The raw body of a successful response.

        Raises:
            openai.APIStatusError: the status is not of success. Transient: there was no response.
        """
        try:
            # the client's own door to raw responses: its typed methods convert and validate too little for their cost
            response = await self.client.post("/chat/completions", cast_to=httpx2.Response, body=body)
        except openai.APIConnectionError as error:
            raise Transient(f"{type(error).__name__}: {error.__cause__ or error}") from None
        except httpx2.HTTPError as error:
            raise Transient(f"{type(error).__name__}: {error}") from None
        return response.content

    @property
    def notices(self) -> list[str]:
        """What people should know about how this endpoint is asked: each step down, said once."""
        return self.ladder.notices

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()


def api_key(model: Model, keys: Mapping[str, str] | None = None) -> str:
    """The key of a model's endpoint among these (None: in the environment); local servers without one get a word.

    Raises:
        ProviderError: the named variable is not set.
    """
    if model.key_variable is None:
        return "not-needed"
    key = (os.environ if keys is None else keys).get(model.key_variable)
    if not key:
        raise ProviderError(
            f"the key for {model.name!r} at {model.base_url!r} is not set: "
            f"put it into the environment variable {model.key_variable}."
        )
    return key


def read_complaint(error: openai.APIStatusError) -> Complaint:
    """The status, words and named parameter of an error response; of long ones, which repeat the request, the begin."""
    text = clean(str(error.message)[:LONGEST_COMPLAINT])
    return Complaint(error.status_code, text, clean(str(error.param or "")))


def status_problem(model: Model, error: openai.APIStatusError, complaint: Complaint) -> Exception:
    """What an HTTP error means for us: try again, or stop."""
    said = f"{complaint.text} {error.code} {error.type}"  # the code is often all that tells a refusal from a rate limit
    text = (
        f"HTTP {error.status_code} from {model.base_url!r} for model {model.name!r}: {complaint.text[:300]}"
    )
    if error.status_code in REFUSALS and any(word in said.lower() for word in THIS_PROMPT):
        return Refused(clean(said)[:300])
    if name := setting_refused(model, complaint):
        value = getattr(model.sampling, name, model.sampling.extra.get(name))
        place = name if name in Sampling.model_fields else f"extra.{name}"
        return ProviderError(
            f"{text}. This model does not take {name} = {value!r}, which is part of how it measures and is never "
            f"changed by itself: set sampling.{place} of this model to what it takes, or to none so that it is not "
            "sent, and start a new run."
        )
    if error.status_code in TRANSIENT and not any(word in said for word in NO_MORE):
        limited, busy = error.status_code == 429, error.status_code in BUSY
        return Transient(text, retry_after(error.response.headers), limited=limited, busy=busy)
    kind = Objection if error.status_code in OBJECTIONS else ProviderError
    other = " Another model name is another run: --new." if error.status_code == 404 else ""
    return kind(f"{text}. Correct the model's settings or key, then run the same command again.{other}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header given in seconds; None if absent, a date, or nonsense."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None
