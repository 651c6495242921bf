"""Asking an instrument role until it gives a usable answer. What stays unusable is missing data, never a zero."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from harness.errors import InvalidMeasurement, Unanswerable
from harness.gateway import Models
from harness.parsing import Malformed
from harness.types import Message, Reply, Request

RETRIES = 3
SMALLEST_ROOM = 1024
USUAL_ROOM = 4_096
LARGEST_REPLY = 32_768
T = TypeVar("T")


async def measure(models: Models, request: Request, read: Callable[[str], T]) -> tuple[T, Reply]:
    """Ask; read the reply; draw again up to three times if it is empty, refused, failed, cut off or unreadable.

    A draw after one that was cut off gets more room, see `more_room`.

    Raises:
        InvalidMeasurement: no draw was usable; names the role and the last problem.
        Unanswerable: a solver refused every draw because of the prompt itself, which the scaffold wrote.
    """
    problem, cause, refusals = "", "", 0
    for retry in range(RETRIES + 1):
        request = replace(request, draw=request.draw.again(retry))
        reply = await models.ask(request)
        if reply.finish_reason == "length":
            request = replace(
                request, max_tokens=more_room(reply, request.max_tokens, request.limit or SMALLEST_ROOM)
            )
        elif reply.refused or reply.failed:
            request = replace(request, max_tokens=None)  # more room may be what was too much
        if not reply.whole:
            refusals += reply.refused
            problem, cause = f"{reply.finish_reason} after {reply.completion_tokens} tokens", cause_of(reply)
            continue
        try:
            return read(reply.text), reply
        except Malformed as error:
            problem, cause = str(error), "unreadable"
    reason = f"{request.role}: no usable answer in {RETRIES + 1} draws; last: {problem}"
    written_by_scaffold = request.role in ("weak", "strong")  # other prompts hold texts of ours as well
    kind = Unanswerable if written_by_scaffold and refusals > RETRIES else InvalidMeasurement
    raise kind(reason, cause)


def cause_of(reply: Reply) -> str:
    """The name of what is wrong with a reply that is not whole."""
    if reply.refused or reply.failed:
        return "refused" if reply.refused else "failed"
    if reply.finish_reason == "length":
        return "cut_off"
    return "empty" if reply.finish_reason == "stop" else "refused"  # what is neither was stopped by a filter


def more_room(
    reply: Reply, before: int | None, smallest: int = SMALLEST_ROOM, largest: int = LARGEST_REPLY
) -> int:
    """Tokens for the draw after a cut-off one: twice what was not enough, up to `largest`.

    before: what the last draw asked for in place of the model's own limit. Where the count is a guess, or all of it
    went into thought that the server may not count, twice the room there was, and that is `USUAL_ROOM` if not known.
    A model whose own limit is above `largest` keeps that limit: it is never given less.
    """
    enough = max(smallest, reply.completion_tokens)
    if reply.estimated or not reply.text.strip():
        enough = max(enough, USUAL_ROOM, before or 0)
    return min(largest, 2 * enough)


def user(content: str) -> tuple[Message, ...]:
    """One user message."""
    return (Message(role="user", content=content),)
