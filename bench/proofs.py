"""What the proofs of a task catch: tasks with one planted flaw each, and sound ones, all on SIMULATED models.

python bench/proofs.py --items 200

For each kind of task so many are written in the simulated language, attempted three times by the weak and the strong
solver, and proved with every check. Printed is the share that each check fails, of all tasks and of those that preset
`deployed` lets through, and what the checks cost. The figures show that the checks do what they are meant to do
in a world that is known; they say nothing about real models.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from figures import Figure, tell

from harness import gate, proofs, solvers
from harness.documents import document, load
from harness.domains import cs
from harness.errors import InvalidMeasurement
from harness.instrument import Instrument
from harness.models.simulated import complete, items, sources
from harness.models.simulated.world import Effect
from harness.place import Place, Subject
from harness.sandbox import Answer, Level
from harness.trajectory import Allowance, Check, Proof, Step
from harness.types import ROLES, Document, Draw, Model, Reply, Request

STYLE = items.Style(positive_only=True, policy="positive-only", heaviest=7)
SIGNED = items.Style()
PASSAGES = (
    "The {term} keeps {number} slots for every reader, and no more.",
    "At most {number} readers share one {term}.",
)
CAUGHT: Mapping[str, tuple[Check, float | None]] = {
    "wrong reference": ("reference", 0.9),
    "wrong rubric": ("reference", 0.9),
    "wrong reference and rubric": ("agreement", 0.9),
    "reference partly wrong": ("agreement", None),
    "rubric rewards anything": ("null_answers", 0.9),
    "rubric punishes anything": ("reference", None),
    "context states conclusions": ("context_only", 0.9),
    "everybody knows the answer": ("closed_book", 0.9),
    "a number to look up": ("number_recall", 0.9),
}
EARLY, LATE = ("reference", "null_answers", "agreement"), ("closed_book", "context_only")
FALSE_ALARMS = 0.1


class Simulated:
    """The simulated models without a wire between; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    async def ask(self, request: Request) -> Reply:
        self.calls += 1
        messages = [{"role": one.role, "content": one.content} for one in request.messages]
        body = {"model": f"simulated-{request.role}", "messages": messages, "seed": repr(request.draw)}
        said = complete(body, 0)
        choice, usage = said["choices"][0], said["usage"]
        return Reply(
            key=said["id"],
            text=choice["message"]["content"],
            finish_reason=choice["finish_reason"],
            model=said["model"],
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
        )


class Nothing:
    """No scaffold runs here."""

    level: Level = "process"

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        raise NotImplementedError


@dataclass
class Tally:
    """Tasks of one kind, which checks they failed, and the calls of the checks."""

    tasks: int = 0
    missing: int = 0
    calls: int = 0
    late: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def add(self, found: tuple[Proof, ...], calls: int) -> None:
        """late: calls of checks that would not have been made, had they waited for the others."""
        self.tasks += 1
        self.calls += calls
        failed = tuple(one.check for one in found if not one.passed)
        self.failed.update(failed or ("none",))
        if set(failed) & set(EARLY):
            self.late += sum(len(one.calls) for one in found if one.check in LATE)

    def share(self, check: str) -> float:
        return self.failed[check] / self.tasks if self.tasks else 0.0


def written(rng: random.Random, made: items.Plan, style: items.Style, **changes: Any) -> dict[str, Any]:
    """A task as the simulated challenger writes it."""
    kind, *skills = rng.choice(items.TYPES)
    return {
        "question_type": kind,
        "skills": skills,
        "context": items.context(rng, made),
        "question": items.question(rng, made),
        "reference_answer": items.reference(rng, made),
        "rubric_policy": style.policy,
        "rubric": items.rubric(rng, made, style),
    } | changes


def flawed(kind: str, rng: random.Random, source: sources.Source) -> dict[str, Any]:
    """A task with that flaw; sound if it is none that is known."""
    flaws = {"context states conclusions": "leak", "everybody knows the answer": "generic"}
    made = items.plan(rng, source, frozenset({flaws[kind]} if kind in flaws else ()))
    style = rng.choice((STYLE, SIGNED))
    turned = set(made.effects) if kind != "reference partly wrong" else set(sum(made.chains[1::2], ()))
    wrong = replace(
        made,
        effects={
            term: Effect(-one.direction if term in turned else one.direction, one.regime)
            for term, one in made.effects.items()
        },
    )
    if kind == "wrong rubric":
        return written(rng, made, style, rubric=items.rubric(rng, wrong, style))
    if kind in ("wrong reference", "reference partly wrong"):
        return written(rng, made, style, reference_answer=items.reference(rng, wrong))
    if kind == "wrong reference and rubric":
        rubric = items.rubric(rng, wrong, style)
        return written(rng, made, style, reference_answer=items.reference(rng, wrong), rubric=rubric)
    if kind == "rubric rewards anything":
        return written(rng, made, replace(style, broad=True))
    if kind == "rubric punishes anything":
        return written(rng, made, replace(SIGNED, vague_negatives=True))
    return written(rng, made, style)


def look_up(rng: random.Random, about: Document, source: sources.Source) -> tuple[Document, dict[str, Any]]:
    """A task that asks for a number, and the document with the sentence that states it."""
    term, number = rng.choice(source.terms[:12]), rng.randint(21, 999)
    text = f"{about.text}\n\n{rng.choice(PASSAGES).format(term=term, number=number)}\n"
    made = items.plan(rng, source, frozenset())
    question = f"How many readers or slots does the {term} have?"
    return document(about.name, text), written(
        rng, made, STYLE, question=question, reference_answer=f"The {term} has {number}."
    )


async def one(kind: str, rng: random.Random, about: Document, tallies: dict[tuple[str, bool], Tally]) -> None:
    """Write one task, attempt it and prove it."""
    source = sources.read(about.text)
    if kind == "a number to look up":
        about, task = look_up(rng, about, source)
    else:
        task = flawed(kind, rng, source)
    example = cs.read(task)
    models = Simulated()
    place = Place(models, Nothing(), INSTRUMENT)
    subject, draw = Subject(about, example), Draw(0, "production", about.id, trial=rng.randrange(10**9))
    try:
        weak, strong = [
            (await solvers.attempts(place, subject, solver, [draw.at(attempt=at) for at in numbers])).made
            for solver, numbers in (("weak", range(3)), ("strong", range(3, 6)))
        ]
        step = Step(kind="submit", ordinal=0, example=example, weak=weak, strong=strong)
        before = models.calls
        found = await proofs.prove(place, subject, step, proofs.ALL, draw)
    except InvalidMeasurement:
        tallies[kind, False].missing += 1
        return
    passes = gate.verdict(gate.DEPLOYED, [a.score for a in weak], [a.score for a in strong]).accepted
    for gated in (False, True):
        if passes or not gated:
            tallies[kind, gated].add(found, models.calls - before)


INSTRUMENT = Instrument(
    "deployed",
    Allowance(),
    {
        role: Model(name=f"simulated-{role}", base_url="http://simulated.invalid", simulated=True)
        for role in ROLES
    },
)


async def measure(count: int, seed: int) -> dict[tuple[str, bool], Tally]:
    """So many tasks of every kind."""
    texts = [one for one in load(None).documents if len(sources.read(one.text).terms) >= 24]
    tallies = {(kind, gated): Tally() for kind in ("sound", *CAUGHT) for gated in (False, True)}
    for kind in ("sound", *CAUGHT):
        for number in range(count):
            rng = random.Random(f"{seed} {kind} {number}")
            await one(kind, rng, texts[number % len(texts)], tallies)
    return tallies


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=200, help="tasks of each kind (200)")
    parser.add_argument("--seed", type=int, default=0, help="of tasks and models (0)")
    chosen = parser.parse_args()
    tallies = asyncio.run(measure(chosen.items, chosen.seed))
    for gated in (False, True):
        which = "that preset deployed lets through" if gated else "all tasks"
        sys.stdout.write(f"\nshare of tasks that fail a check, simulated; {which}\n")
        heads = "".join(f"{name:>14}" for name in (*proofs.ALL, "none"))
        sys.stdout.write(f"{'':<27}{'tasks':>6}{heads}{'calls':>7}{'late':>6}\n")
        for kind in ("sound", *CAUGHT):
            sys.stdout.write(row(kind, tallies[kind, gated]))
    sys.stdout.write("\n")
    return tell(figures(tallies))


def row(kind: str, tally: Tally) -> str:
    """One line of a table."""
    shares = "".join(f"{tally.share(name):>14.1%}" for name in (*proofs.ALL, "none"))
    tasks = max(1, tally.tasks)
    return f"{kind:<27}{tally.tasks:>6}{shares}{tally.calls / tasks:>7.1f}{tally.late / tasks:>6.1f}\n"


def figures(tallies: dict[tuple[str, bool], Tally]) -> list[Figure]:
    """What is claimed."""
    sound = tallies["sound", True]
    missing = sum(one.missing for one in tallies.values())
    failed = sound.tasks - sound.failed["none"]
    return [
        *(
            Figure(f"{kind}: {check}", tallies[kind, False].share(check), "", bound, "more")
            for kind, (check, bound) in CAUGHT.items()
        ),
        Figure("sound: any check", 1 - tallies["sound", False].share("none"), "", FALSE_ALARMS),
        Figure("sound and through the gate: any check", 1 - sound.share("none")),
        Figure("calls of the proofs for such a task", sound.calls / max(1, sound.tasks)),
        Figure(
            "calls of the proofs for each of them that is proved", sound.calls / max(1, sound.tasks - failed)
        ),
        Figure("tasks that could not be measured", float(missing)),
    ]


if __name__ == "__main__":
    sys.exit(main())
