"""The simulated models behind the real client: an HTTP transport that answers in the process, with trouble on request."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, fields
from hashlib import blake2b

import httpx2

from harness.models.simulated.completion import (
    RESPONDERS,
    VERSION,
    BadRequest,
    UnknownModel,
    complete,
    fingerprint,
)

__all__ = ["RESPONDERS", "VERSION", "Faults", "SimulatedTransport", "complete"]


@dataclass(frozen=True)
class Faults:
    """Probability of each kind of trouble, for one attempt at one request. Their sum is at most 1.

    retry_after: seconds named in the header of a 429.
    """

    limited: float = 0.0
    broken: float = 0.0
    html: float = 0.0
    truncated: float = 0.0
    no_choices: float = 0.0
    cut_off: float = 0.0
    reset: float = 0.0
    retry_after: float = 0.05

    def draw(self, chance: float) -> str:
        """Which trouble a chance in [0, 1) hits; "" for none."""
        for field in fields(self):
            if field.name == "retry_after":
                break
            chance -= getattr(self, field.name)
            if chance < 0:
                return field.name
        return ""


class SimulatedTransport(httpx2.AsyncBaseTransport):
    """Answers POST .../chat/completions for `openai.AsyncOpenAI(http_client=httpx2.AsyncClient(transport=...))`.

    seed: of the simulated world. latency: mean seconds a reply takes, 0 for none; its jitter and all faults depend on
    the request and on how often this transport has seen it, so that retries get through and runs repeat.
    """

    def __init__(self, seed: int, latency: float = 0.0, faults: Faults | None = None) -> None:
        self.seed = seed
        self.latency = latency
        self.faults = faults or Faults()
        self._seen: Counter[bytes] = Counter()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request. Raises `httpx2.ReadError` where a reset connection is simulated."""
        if request.method != "POST" or not request.url.path.endswith("/chat/completions"):
            return error(404, f"nothing is served at {request.method} {request.url.path!r}", "not_found")
        try:
            body = json.loads(await request.aread())
        except ValueError as problem:
            return error(400, f"the request is not JSON: {problem}", "invalid_request")
        if not isinstance(body, dict):
            return error(400, "the request is not a JSON object", "invalid_request")
        if body.get("stream"):
            return error(400, "simulated models do not stream", "unsupported")
        return await self._answer(body)

    async def _answer(self, body: dict[str, object]) -> httpx2.Response:
        identity = fingerprint(body, self.seed)
        attempt = self._seen[identity]
        self._seen[identity] += 1
        chance = blake2b(identity + attempt.to_bytes(4, "big"), digest_size=8).digest()
        if self.latency:
            await asyncio.sleep(self.latency * (0.5 + int.from_bytes(chance[4:], "big") / 2**32))
        fault = self.faults.draw(int.from_bytes(chance[:4], "big") / 2**32)
        if fault == "limited":
            return error(
                429,
                "too many requests",
                "rate_limit_exceeded",
                {"Retry-After": f"{self.faults.retry_after:g}"},
            )
        if fault == "broken":
            return error(500, "internal error", "server_error")
        if fault == "html":
            return httpx2.Response(200, html="<html><body>Welcome to the proxy</body></html>")
        if fault == "reset":
            raise httpx2.ReadError("connection reset by the simulated peer")
        try:
            return reply(complete(body, self.seed), fault)
        except UnknownModel as problem:
            return error(404, str(problem), "model_not_found")
        except BadRequest as problem:
            return error(400, str(problem), "invalid_request")


def reply(completion: dict[str, object], fault: str) -> httpx2.Response:
    """A completion as a response, with the fault in its body if there is one."""
    if fault == "no_choices":
        completion["choices"] = []
    if fault == "cut_off":
        completion = json.loads(json.dumps(completion))
        choice = completion["choices"][0]  # type: ignore[index]  # decoded just above
        choice["message"]["content"] = choice["message"]["content"][: len(choice["message"]["content"]) // 2]
        choice["finish_reason"] = "length"
    content = json.dumps(completion, ensure_ascii=False).encode("utf-8", "replace")
    if fault == "truncated":
        content = content[: len(content) // 2]
    return httpx2.Response(200, content=content, headers={"Content-Type": "application/json"})


def error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    """An error in the shape OpenAI gives it."""
    body = {"error": {"message": message, "type": "simulated", "param": None, "code": code}}
    return httpx2.Response(status, json=body, headers=headers)
