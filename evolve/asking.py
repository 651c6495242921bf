"""Asking analyzer or implementer until the answer can be used: ask, read, and on a problem ask again with it shown."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from pydantic import BaseModel

from evolve.iteration import Exchange
from evolve.quoting import clean, clip, quoted
from harness.gateway import Models
from harness.measuring import more_room
from harness.types import Draw, Message, Reply, Request

Failure = Literal["no_proposal", "no_change", "out_of_scope", "broken"]
T = TypeVar("T")

SMALLEST_ROOM = 2_048
LARGEST_ROOM = 65_536
SHOWN_REPLY = 20_000
SHOWN_PROBLEM = 3_000


class Unusable(Exception):
    """An answer that cannot be used. `problem` is shown to the model; `outcome` names it if it is never mended."""

    def __init__(self, problem: str, outcome: Failure = "no_proposal", summary: str = "") -> None:
        super().__init__(problem)
        self.problem = clip(clean(problem), SHOWN_PROBLEM)
        self.outcome: Failure = outcome
        self.summary = summary


@dataclass(frozen=True)
class Question:
    """What is asked, of whom, as which draw, how often at most (`tries` >= 1), and the answer's form if it is JSON."""

    role: Literal["analyzer", "implementer"]
    prompt: str
    boundary: str
    draw: Draw
    tries: int
    schema: type[BaseModel] | None = None


async def ask_until(
    models: Models, question: Question, read: Callable[[str], Awaitable[T]]
) -> tuple[T | Unusable, tuple[Exchange, ...]]:
    """The first answer that `read` accepts, or the last problem; and every exchange that led there.

    read: gets the reply's text, raises Unusable. A reply that was cut off or is empty never reaches it; after a cut
    the next draw gets more room.

    Raises:
        ProviderError, BudgetSpent: as the models raise them.
    """
    exchanges: list[Exchange] = []
    prompt, room = question.prompt, None
    last = Unusable("never asked")
    for number in range(question.tries):
        draw = replace(question.draw, side="edit", retry=number)
        message = Message(role="user", content=prompt)
        reply = await models.ask(Request(question.role, (message,), draw, room, question.schema))
        try:
            result = await read(_text(reply))
        except Unusable as unusable:
            last = unusable
            exchanges.append(Exchange(question.role, reply.key, prompt, reply.text, last.problem))
            prompt = _again(question, reply, [one.problem for one in exchanges])
            room = _room(reply, room)
            continue
        exchanges.append(Exchange(question.role, reply.key, prompt, reply.text))
        return result, tuple(exchanges)
    return last, tuple(exchanges)


def _text(reply: Reply) -> str:
    """The reply's text.

    Raises:
        Unusable: it did not end by itself, or is empty.
    """
    if not reply.whole:
        raise Unusable(
            f"the reply was not whole: it ended with {reply.finish_reason!r} after {reply.completion_tokens} tokens"
        )
    return reply.text


def _room(reply: Reply, before: int | None) -> int | None:
    """Tokens for the next draw: more after a cut, the model's own limit after a refusal or failure, else as before."""
    if reply.finish_reason == "length":
        return more_room(reply, before, SMALLEST_ROOM, LARGEST_ROOM)
    return None if reply.refused or reply.failed else before


def _again(question: Question, reply: Reply, problems: list[str]) -> str:
    """The question with the last reply and every problem so far."""
    listed = "\n".join(f"Try {number}: {one}" for number, one in enumerate(problems, 1))
    shown = clip(clean(reply.text), SHOWN_REPLY) if reply.whole else "(no whole reply)"
    return "\n\n".join(
        [
            question.prompt.rstrip(),
            "## Your earlier tries could not be used",
            quoted(question.boundary, "problems", listed),
            quoted(question.boundary, "your last reply", shown),
            "Answer again from the beginning, complete, in the form that was asked for, with the problem removed.\n",
        ]
    )
