"""The judge: marks an answer by its rubric, says whether two answers are the same, picks the best of several.

Marking never shows it the reference answer or the weights.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from pydantic import Field, StrictBool, StrictInt

from harness.domains import Domain
from harness.gateway import Models
from harness.measuring import measure, user
from harness.parsing import Malformed, parse
from harness.prompting import numbered, render
from harness.trajectory import Example
from harness.types import Draw, Request, Wire


class Judged(Wire):
    """The judge's word on one criterion."""

    number: StrictInt
    evidence: str = ""
    met: StrictBool


class Judgement(Wire):
    """What the judge model returns; see prompts/judge.md."""

    criteria: tuple[Judged, ...] = Field(min_length=1)


class Equivalence(Wire):
    """Whether an answer says the same as the reference; see prompts/equivalence.md and prompts/agreement.md."""

    reason: str = ""
    verdict: Literal["same", "different", "unsure"]


class Pick(Wire):
    """Which of several answers is the best; see prompts/pick.md."""

    reason: str = ""
    number: StrictInt


async def judge(
    models: Models, domain: Domain, example: Example, answer: str, draw: Draw
) -> tuple[tuple[bool, ...], str]:
    """Which criteria the answer meets, in the order of the rubric, and the key of the deciding call.

    Raises:
        InvalidMeasurement: the judge gave no usable answer.
    """
    count = len(example.rubric)
    prompt = render(
        domain.prompt("judge.md"),
        question=example.question,
        answer=answer,
        boundary=boundary(example, answer),
        criteria=numbered(example.rubric),
        count=str(count),
    )
    request = Request("judge", user(prompt), draw, schema=Judgement)
    hits, reply = await measure(models, request, lambda text: read(text, count))
    return hits, reply.key


async def same(
    models: Models, template: str, example: Example, answer: str, draw: Draw
) -> tuple[Equivalence, str]:
    """Whether the answer says the same as the reference answer, and the key of the call.

    template: prompts/equivalence.md for two short answers, prompts/agreement.md for prose.

    Raises:
        InvalidMeasurement: the judge gave no usable answer.
    """
    prompt = render(
        template,
        question=example.question,
        reference=example.reference_answer,
        answer=answer,
        boundary=boundary(example, answer),
    )
    request = Request("judge", user(prompt), draw, schema=Equivalence)
    found, reply = await measure(models, request, lambda text: parse(text, Equivalence))
    return found, reply.key


async def pick(
    models: Models, domain: Domain, example: Example, answers: Sequence[str], draw: Draw
) -> tuple[int, str]:
    """Index of the best of several answers, and the key of the call. It sees neither reference nor rubric.

    Raises:
        InvalidMeasurement: the judge gave no usable answer.
    """
    edge = boundary(example, *answers)
    listed = "\n\n".join(f"Answer {n}\n{edge}\n{one}\n{edge}" for n, one in enumerate(answers, 1))
    prompt = render(
        domain.prompt("pick.md"),
        context=example.context,
        question=example.question,
        boundary=edge,
        answers=listed,
        count=str(len(answers)),
    )
    request = Request("judge", user(prompt), draw, schema=Pick)
    number, reply = await measure(models, request, lambda text: picked(text, len(answers)))
    return number - 1, reply.key


def picked(text: str, count: int) -> int:
    """The number of the picked answer.

    Raises:
        Malformed: it is none from 1 to `count`.
    """
    number = parse(text, Pick).number
    if not 1 <= number <= count:
        raise Malformed(f"a number from 1 to {count} is needed, not {number}")
    return number


def read(text: str, count: int) -> tuple[bool, ...]:
    """The verdicts of a judgement with exactly `count` entries numbered 1..count in order.

    Raises:
        Malformed: it is anything else.
    """
    entries = parse(text, Judgement).criteria
    if [entry.number for entry in entries] != list(range(1, count + 1)):
        raise Malformed(
            f"{count} entries numbered 1 to {count} are needed, not {[one.number for one in entries]}"
        )
    return tuple(entry.met for entry in entries)


def boundary(example: Example, *texts: str) -> str:
    """A line that none of the texts can contain by intent: it depends on all of them."""
    return boundary_of(example.model_dump_json(), *texts)


def boundary_of(*texts: str) -> str:
    """The same without an example."""
    digest = sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()
    return f"=== {digest[:24]} ==="
