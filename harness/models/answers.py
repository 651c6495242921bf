"""A question to a model, its answer, and how the body of a response is read: strictly, whatever server wrote it."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from harness.errors import ProviderError
from harness.types import Form, Message

MOST_TOKENS = 10**8
# what servers that are almost compatible say instead of `stop` and `length`
ENDED = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence", "completed", "complete"})
CUT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})


class Transient(Exception):
    """This attempt failed, another may not. `after`: seconds the server asked us to wait, if it did.

    limited: the server is up and said that it is asked too often. busy: it is there and said that it cannot serve yet.
    """

    def __init__(
        self, problem: str, after: float | None = None, *, limited: bool = False, busy: bool = False
    ) -> None:
        super().__init__(problem)
        self.after = after
        self.limited = limited
        self.busy = busy


class Objection(ProviderError):
    """The endpoint refuses, and does not say whether for the prompt or for whoever asks: another prompt will tell."""


@dataclass(frozen=True)
class Question:
    """One chat completion to ask for. schema: the form the answer is to have, if it is to have one."""

    messages: tuple[Message, ...]
    seed: int
    max_tokens: int
    schema: type[BaseModel] | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens of one call as billed. `reasoning`: those of `completion` that were thought and not said."""

    prompt: int
    completion: int
    reasoning: int = 0


@dataclass(frozen=True)
class Completion:
    """One valid answer. usage: None if none was reported. seconds: latency. form: how the form was asked for."""

    text: str
    finish_reason: str
    model: str
    usage: Usage | None
    seconds: float
    form: Form | Literal[""] = ""


def read_completion(body: bytes, question: Question, seconds: float, form: Form | Literal[""]) -> Completion:
    """A response body, strictly: one choice, a text, a finish reason. Thoughts beside the text are not the answer.

    Raises:
        Transient: it is anything else; the endpoint may be behind a proxy that answers for it.
    """
    try:
        data: Any = json.loads(body)
        choice = data["choices"][0]
        text, reason = joined(choice["message"].get("content")), choice["finish_reason"]
        model = data.get("model")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Transient(f"not a chat completion: {body[:120]!r}") from None
    if not isinstance(reason, str):
        raise Transient(f"not a chat completion: finish_reason {reason!r}")
    usage = read_usage(data.get("usage"), question.max_tokens)
    return Completion(clean(text), ending(clean(reason)), clean(str(model or "")), usage, seconds, form)


def joined(content: object) -> str:
    """The text of a message: a string, nothing, or a list of parts of which those of type `text` are joined.

    Raises:
        TypeError: it is anything else.
    """
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise TypeError(f"content {content!r}")
    parts = [part["text"] for part in content if part["type"] in ("text", "output_text")]
    return "".join(parts)  # a TypeError of its own if one is no text


def ending(reason: str) -> str:
    """A finish reason by its usual name."""
    lower = reason.lower()
    return "stop" if lower in ENDED else "length" if lower in CUT else reason


def clean(text: str) -> str:
    """The text without what no database or pipe carries: NUL is dropped, lone surrogates become question marks."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def read_usage(usage: Any, room: int) -> Usage | None:
    """The tokens of a call, or None where they are absent or absurd. room: the token limit of the completion.

    Providers differ on whether `completion_tokens` holds what was thought; all of them bill it. It does not where
    the total says so, or where more was thought than completed; then it is added. Some report it in the total alone.
    """
    if not isinstance(usage, dict):
        return None
    asked, said = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if asked is None or said is None:
        return None
    details = usage.get("completion_tokens_details")
    inner = details.get("reasoning_tokens") if isinstance(details, dict) else None
    thought = count(inner) or count(usage.get("reasoning_tokens")) or 0
    total = count(usage.get("total_tokens"))
    beyond = 0 if total is None else max(0, total - asked - said)
    if not thought and beyond <= room:
        return Usage(asked, said + beyond, beyond)
    if thought and (beyond == thought or (thought > said and total != asked + said)):
        return Usage(asked, said + thought, thought)
    return Usage(asked, said, min(thought, said))


def count(value: object) -> int | None:
    """A number of tokens; None for what is no such number, or cannot be true."""
    return value if type(value) is int and 0 <= value < MOST_TOKENS else None
