"""Marking one answer: by the rubric, or by comparing it with the reference. The score follows in code."""

from dataclasses import dataclass

from harness.errors import InvalidMeasurement, SandboxError
from harness.gate import rubric_score
from harness.instrument import Instrument
from harness.judge import judge, same
from harness.place import Place
from harness.trajectory import Example
from harness.types import Draw


@dataclass(frozen=True)
class Mark:
    """hits: criteria met, empty where answers are compared. final, how: what was compared, and what decided."""

    score: float
    hits: tuple[bool, ...] = ()
    final: str = ""
    how: str = ""
    calls: tuple[str, ...] = ()


async def mark(place: Place, example: Example, answer: str, draw: Draw) -> Mark:
    """The mark of one answer, in [0, 1].

    Raises:
        InvalidMeasurement: the judge gave no usable answer, or it cannot be told whether the answer is right.
    """
    domain = place.instrument.domain
    if domain.comparable:
        return await compared(place, example, answer, draw)
    hits, call = await judge(place.models, domain, example, answer, draw)
    return Mark(rubric_score(example.rubric, hits), hits, calls=(call,))


async def compared(place: Place, example: Example, answer: str, draw: Draw) -> Mark:
    """Right or wrong: the checker decides, and the judge's model only what the checker leaves open.

    Raises:
        InvalidMeasurement: neither can tell.
    """
    instrument = place.instrument
    kind = instrument.domain.kind_of(example)
    if place.checker is None or kind is None:
        raise SandboxError("answers cannot be compared here: no checker was opened for this domain")
    final = instrument.domain.final(example, answer)
    found = await place.checker.compare(example.reference_answer, final, kind)
    if found.verdict != "unknown":
        return Mark(float(found.verdict == "equal"), final=final, how=found.how)
    template = instrument.domain.prompt("equivalence.md")
    opinion, call = await same(place.models, template, example, final, draw)
    if opinion.verdict == "unsure":
        raise InvalidMeasurement(
            f"judge: it cannot be told whether {final[:200]!r} equals the reference ({found.how})"
        )
    return Mark(
        float(opinion.verdict == "same"),
        final=final,
        how=f"{found.how}, {judge_of(instrument)}",
        calls=(call,),
    )


def judge_of(instrument: Instrument) -> str:
    """What to call the judge where it has decided on an answer: a simulated one says nothing about a real model's."""
    return "simulated judge" if instrument.models["judge"].simulated else "judge"
