"""The loop judge: reads the diagnostic packet of a task and says whether it is worth keeping, and what to improve."""

import re
from collections.abc import Sequence
from typing import Literal

from harness.judge import boundary
from harness.measuring import measure, user
from harness.packet import labels, packet
from harness.parsing import Malformed, parse
from harness.place import Place, Subject
from harness.prompting import render
from harness.trajectory import Attempt, Example, Opinion, Step
from harness.types import Draw, Request, Wire

ATTEMPT = 800  # of its draw: apart from other calls of the verifier's model
LONGEST_ANSWER = 6_000
LABEL = re.compile(r"\b[WS]\d{1,3}\b")


class LoopVerdict(Wire):
    """What the loop judge returns; see prompts/legal/loop_judge.md."""

    weak_pattern: str
    strong_pattern: str
    gap_interpretation: str
    rubric_concerns: str
    grpo_suitability: Literal["high", "medium", "low"]
    verdict: Literal["accept", "improve"]
    reason: str
    suggestion: str


async def opinion(place: Place, subject: Subject, step: Step, earlier: Sequence[Step], draw: Draw) -> Opinion:
    """The judge's opinion on a task whose attempts are all there.

    Raises:
        InvalidMeasurement: it gave no usable answer.
    """
    example = subject.example
    shown = packet(step, earlier)
    edge = boundary(example, shown, *(one.answer for one in (*step.weak, *step.strong)))
    prompt = render(
        place.instrument.domain.prompt("loop_judge.md"),
        boundary=edge,
        question=example.question,
        reference=example.reference_answer,
        packet=shown,
        attempts=answers(step, edge),
    )
    there = labels(step)
    request = Request("verifier", user(prompt), draw.at(attempt=ATTEMPT), schema=LoopVerdict)
    found, reply = await measure(place.models, request, lambda text: read(text, there))
    facts = found.model_dump(exclude={"grpo_suitability"})
    return Opinion(
        **facts,
        suitability=found.grpo_suitability,
        cited=cited(found, there),
        overrides=(*place.instrument.domain.overrides(example), *contradiction(found)),
        packet=shown,
        calls=(reply.key,),
    )


def answers(step: Step, edge: str) -> str:
    """All attempts under their labels, each between boundary lines; of very long ones the beginning."""
    made: tuple[Attempt, ...] = (*step.weak, *step.strong)
    return "\n\n".join(
        f"### {label}, score {one.score:.2f}\n\n{edge}\n{one.answer[:LONGEST_ANSWER]}\n{edge}"
        for label, one in zip(labels(step), made, strict=True)
    )


def read(text: str, there: Sequence[str]) -> LoopVerdict:
    """The verdict of a reply, with the labels of the attempts that it may cite.

    Raises:
        Malformed: it is none, or it accepts without citing an attempt of each solver.
    """
    found = parse(text, LoopVerdict)
    solvers = {label[0] for label in cited(found, there)}
    if found.verdict == "accept" and solvers != {"W", "S"}:
        raise Malformed(f"an accept cites at least one weak and one strong attempt of {', '.join(there)}")
    return found


def cited(found: LoopVerdict, there: Sequence[str]) -> tuple[str, ...]:
    """The existing attempts that the judge's words name, in the order of their labels."""
    words = (found.weak_pattern, found.strong_pattern, found.gap_interpretation, found.reason)
    named = set(LABEL.findall(" ".join(words)))
    return tuple(label for label in there if label in named)


def contradiction(found: LoopVerdict) -> tuple[str, ...]:
    """The name of what speaks against an accept in the judge's own words."""
    return ("suitability_low",) if found.verdict == "accept" and found.grpo_suitability == "low" else ()


def advice(opinion: Opinion) -> str:
    """What the scaffold is told: the judge's words, then the packet under a heading of its own."""
    rows = [
        f"{opinion.reason} {opinion.suggestion}".strip(),
        f"Weak attempts: {opinion.weak_pattern}",
        f"Strong attempts: {opinion.strong_pattern}",
        f"The gap: {opinion.gap_interpretation}",
        f"Rubric: {opinion.rubric_concerns}",
        "# Diagnostic packet",
        opinion.packet,
    ]
    return "\n\n".join(rows)


def forced(example: Example, overrides: Sequence[str]) -> str:
    """What the scaffold is told where the verdict was `improve` before anybody was asked."""
    return (
        f"The verdict is improve whatever a judge would say: {', '.join(overrides)}. "
        f"The question has {len(example.question):,} characters."
    )
