"""Simulated chat completions as a pure function of the request: nothing is remembered from one to the next.

A role sees the messages and nothing else, as a real model would, and draws its randomness from a hash of the
simulator's seed and the whole request, so that the order of calls makes no difference.
"""

import json
import random
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from importlib import import_module
from typing import Any

from harness.models.simulated import challenger, judge, solvers, verifier, worlds

VERSION = 2
CHARACTERS_PER_TOKEN = 4
UNUSABLE = 0.01
FENCED = 0.08
Responder = Callable[[str, random.Random], str]


class UnknownModel(LookupError):
    """There is no simulated model of that name; the message names those there are."""


class BadRequest(ValueError):
    """The request is no chat completion request; the message says why."""


def _elsewhere(name: str, prompt: str, rng: random.Random) -> str:
    """A role of the outer loop, loaded when it is first asked."""
    text: str = import_module(f"harness.models.simulated.{name}").reply(prompt, rng)
    return text


RESPONDERS: dict[str, Responder] = {
    "simulated-challenger": challenger.reply,
    "simulated-verifier": verifier.reply,
    "simulated-weak": solvers.weak,
    "simulated-strong": solvers.strong,
    "simulated-judge": judge.reply,
    "simulated-analyzer": partial(_elsewhere, "analyzer"),
    "simulated-implementer": partial(_elsewhere, "implementer"),
}
FALLIBLE = frozenset({"simulated-verifier", "simulated-judge"})


def complete(body: dict[str, Any], seed: int) -> dict[str, Any]:
    """Answer the JSON body of a chat completion request with the JSON body of the response.

    Raises:
        UnknownModel: `model` is none of `RESPONDERS`.
        BadRequest: `messages` is missing or not a list of texts.
    """
    name = body.get("model")
    responder = RESPONDERS.get(name) if isinstance(name, str) else None
    if responder is None:
        raise UnknownModel(f"no simulated model {name!r}; there are {', '.join(sorted(RESPONDERS))}")
    digest = fingerprint(body, seed)
    prompt = read_prompt(body)
    rng = random.Random(int.from_bytes(digest[:8], "big"))
    text = worlds.reply(str(name).removeprefix("simulated-"), prompt, rng) or responder(prompt, rng)
    if name in FALLIBLE:
        text = _slip(text, rng)
    text, reason = _cut(text, body.get("max_tokens") or body.get("max_completion_tokens"))
    asked, said = _tokens(prompt), _tokens(text)
    return {
        "id": f"chatcmpl-{digest[8:20].hex()}",
        "object": "chat.completion",
        "created": 0,
        "model": name,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "logprobs": None,
                "finish_reason": reason,
            }
        ],
        "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
    }


def fingerprint(body: dict[str, Any], seed: int) -> bytes:
    """32 bytes that identify simulator and request, whatever the order of its fields and the form that it asks for."""
    rest = {key: value for key, value in body.items() if key not in ("messages", "response_format")}
    digest = blake2b(json.dumps([seed, rest], sort_keys=True).encode(), digest_size=32)
    for message in body.get("messages") or ():
        digest.update(json.dumps(message, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace"))
    return digest.digest()


def read_prompt(body: dict[str, Any]) -> str:
    """All messages as one text.

    Raises:
        BadRequest: there are none, or one is not plain text.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest(f"messages must be a list with at least one message, not {messages!r}")
    contents = [one.get("content") if isinstance(one, dict) else None for one in messages]
    texts = [one for one in contents if isinstance(one, str)]
    if len(texts) < len(contents):
        raise BadRequest("every message needs a text as content")
    return "\n\n".join(texts)


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _cut(text: str, limit: object) -> tuple[str, str]:
    if isinstance(limit, int) and _tokens(text) > limit:
        return text[: limit * CHARACTERS_PER_TOKEN], "length"
    return text, "stop"


def _slip(text: str, rng: random.Random) -> str:
    """Instruments mostly return the JSON they were asked for, sometimes in a fence, and now and then nothing usable."""
    chance = rng.random()
    if chance < UNUSABLE:
        return rng.choice((text[: len(text) * 2 // 3], "I am not able to assess this.", ""))
    if chance < UNUSABLE + FENCED:
        return f"```json\n{text}\n```"
    return text
