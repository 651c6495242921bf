"""The judge: one answer against one rubric, criterion by criterion. It never sees the reference answer or the weights."""

from hashlib import sha256

from pydantic import Field, StrictBool, StrictInt

from harness.gateway import Models
from harness.measuring import measure, user
from harness.parsing import Malformed, parse
from harness.prompting import load, numbered, render
from harness.types import Draw, Example, Request, Wire


class Judged(Wire):
    """The judge's word on one criterion."""

    number: StrictInt
    evidence: str = ""
    met: StrictBool


class Judgement(Wire):
    """What the judge model returns; see prompts/judge.md."""

    criteria: tuple[Judged, ...] = Field(min_length=1)


async def judge(models: Models, example: Example, answer: str, draw: Draw) -> tuple[tuple[bool, ...], str]:
    """Which criteria the answer meets, in the order of the rubric, and the key of the deciding call.

    Raises:
        InvalidMeasurement: the judge gave no usable answer.
    """
    count = len(example.rubric)
    prompt = render(
        load("harness", "judge.md"),
        question=example.question,
        answer=answer,
        boundary=boundary(example, answer),
        criteria=numbered(example.rubric),
        count=str(count),
    )
    request = Request("judge", user(prompt), draw, schema=Judgement)
    hits, reply = await measure(models, request, lambda text: read(text, count))
    return hits, reply.key


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
    digest = sha256("\0".join((example.model_dump_json(), *texts)).encode("utf-8", "replace")).hexdigest()
    return f"=== {digest[:24]} ==="
