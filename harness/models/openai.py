"""An OpenAI-compatible endpoint behind one call. The only importer of openai; its own retries are off, ours are outside."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI

from harness.errors import ProviderError
from harness.types import Message, Model

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
NO_MORE = ("insufficient_quota", "billing_hard_limit_reached", "invalid_api_key")
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
)


class Transient(Exception):
    """This attempt failed, another may not. `after`: seconds the server asked us to wait, if it did."""

    def __init__(self, problem: str, after: float | None = None) -> None:
        super().__init__(problem)
        self.after = after


class Refused(Exception):
    """The endpoint works, but will not answer this very prompt: it is too long for the model, or filtered."""


@dataclass(frozen=True)
class Question:
    """One chat completion to ask for."""

    messages: tuple[Message, ...]
    seed: int
    max_tokens: int


@dataclass(frozen=True)
class Completion:
    """One valid answer. `usage`: prompt and completion tokens as reported, or None. seconds: latency."""

    text: str
    finish_reason: str
    model: str
    usage: tuple[int, int] | None
    seconds: float


class Endpoint:
    """One base URL with one key: a client with its connections."""

    def __init__(self, model: Model, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """Open a client for the endpoint of `model`.

        Raises:
            ProviderError: the environment variable that should hold the key is not set.
        """
        self.base_url = model.base_url
        # no limit on reading: roles share the client, and `complete` has the deadline of each
        timeout = httpx2.Timeout(None, connect=10)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=256)
        self.http = httpx2.AsyncClient(transport=transport, timeout=timeout, limits=limits)
        key = api_key(model)
        self.client = AsyncOpenAI(base_url=model.base_url, api_key=key, max_retries=0, http_client=self.http)

    async def complete(self, model: Model, question: Question) -> Completion:
        """Ask once, with a deadline for the whole attempt.

        A prompt that is too long or filtered is answered by no text and a finish reason that begins `refused`: it is
        the doing of whoever wrote the prompt, and no reason to stop a run.

        Raises:
            Transient: time-out, connection trouble, 408/409/425/429/5xx, or an answer that is no chat completion.
            ProviderError: the endpoint refuses for good (400, 401, 403, 404, 422, quota exhausted).
        """
        started = monotonic()
        try:
            async with asyncio.timeout(model.deadline):
                body = await self.post(model, question)
        except TimeoutError:
            raise Transient(f"no complete answer within {model.deadline:g} s") from None
        except Refused as refused:
            return Completion("", f"refused: {refused}", model.name, (0, 0), monotonic() - started)
        return read_completion(body, monotonic() - started)

    async def post(self, model: Model, question: Question) -> bytes:
        """The raw body of a successful response."""
        limit = "max_completion_tokens" if "api.openai.com" in self.base_url else "max_tokens"
        body = {
            "model": model.name,
            "messages": [{"role": one.role, "content": one.content} for one in question.messages],
            "seed": question.seed,
            limit: question.max_tokens,
        } | model.sampling.model_dump(include={"temperature", "top_p"}, exclude_none=True)
        try:
            # the client's own door to raw responses: its typed methods convert and validate too little for their cost
            response = await self.client.post("/chat/completions", cast_to=httpx2.Response, body=body)
        except openai.APIStatusError as error:
            raise status_problem(model, error) from None
        except openai.APIConnectionError as error:
            raise Transient(f"{type(error).__name__}: {error.__cause__ or error}") from None
        except httpx2.HTTPError as error:
            raise Transient(f"{type(error).__name__}: {error}") from None
        return response.content

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()


def api_key(model: Model) -> str:
    """The key of a model's endpoint; local servers without one get a word.

    Raises:
        ProviderError: the named variable is not set.
    """
    if model.key_variable is None:
        return "not-needed"
    key = os.environ.get(model.key_variable)
    if not key:
        raise ProviderError(
            f"the key for {model.name!r} at {model.base_url!r} is not set: "
            f"put it into the environment variable {model.key_variable}."
        )
    return key


def status_problem(model: Model, error: openai.APIStatusError) -> Exception:
    """What an HTTP error means for us: try again, or stop."""
    message = clean(str(error.message))
    said = (
        f"{message} {error.code} {error.type}"  # the code is often all that tells a refusal from a rate limit
    )
    text = f"HTTP {error.status_code} from {model.base_url!r} for model {model.name!r}: {message[:300]}"
    if error.status_code in REFUSALS and any(word in said.lower() for word in THIS_PROMPT):
        return Refused(clean(said)[:300])
    if error.status_code in TRANSIENT and not any(word in said for word in NO_MORE):
        return Transient(text, retry_after(error.response.headers))
    return ProviderError(f"{text}. Correct the model's settings or key, then run the same command again.")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header given in seconds; None if absent, a date, or nonsense."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None


def read_completion(body: bytes, seconds: float) -> Completion:
    """A response body, strictly: one choice, a text, a finish reason.

    Raises:
        Transient: it is anything else; the endpoint may be behind a proxy that answers for it.
    """
    try:
        data: Any = json.loads(body)
        choice = data["choices"][0]
        text, reason, model = choice["message"].get("content"), choice["finish_reason"], data.get("model")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Transient(f"not a chat completion: {body[:120]!r}") from None
    if not isinstance(reason, str) or not isinstance(text, str | None):
        raise Transient(f"not a chat completion: finish_reason {reason!r}")
    usage = read_usage(data.get("usage"))
    return Completion(clean(text or ""), clean(reason), clean(str(model or "")), usage, seconds)


def clean(text: str) -> str:
    """The text without what no database or pipe carries: NUL is dropped, lone surrogates become question marks."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def read_usage(usage: Any) -> tuple[int, int] | None:
    """Prompt and completion tokens, or None where they are absent or absurd."""
    if not isinstance(usage, dict):
        return None
    asked, said = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not (type(asked) is int and type(said) is int and 0 <= asked < 10**8 and 0 <= said < 10**8):
        return None
    return asked, said
