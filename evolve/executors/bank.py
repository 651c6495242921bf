"""What becomes of tasks in the simulated world: measured in the process with the real gate, kept, and drawn from.

Not an executor: `world` draws its rollouts from here. The stages are those of harness/inspection.py for a gate that
goes by scores alone; tests compare the two.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from harness import gate
from harness.inspection import only_weak, report
from harness.instrument import Instrument
from harness.models.simulated.agents import describe, tidied
from harness.models.simulated.rollouts import Item, Order, attempt, checks, digest, seed_of, written
from harness.parsing import Malformed
from harness.prompting import render
from harness.trajectory import Attempt, Example, Report, Solver, Stage, Step
from harness.types import Document
from harness.verifier import conclude, malformed

SIZE = 512
KEPT = 200_000


@dataclass(frozen=True)
class Entry:
    """One of the results of an order on a document, by number. tidies: the agent tidies what it submits."""

    document: Document
    order: Order
    tidies: bool
    number: int

    @property
    def key(self) -> tuple[object, ...]:
        """What the result depends on."""
        one = self.order
        manner = one.task, one.positive_only, one.policy, one.heaviest, one.tampers
        tidied = self.tidies and "format" in one.slips
        return (
            self.document.id,
            digest(one.source),
            ",".join(sorted(one.slips)),
            manner,
            tidied,
            self.number,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """A measured submission in short: the report, the agent's line on it, and the tokens of the challenger's reply."""

    report: Report
    line: str
    tokens: int


class Bank:
    """Results are measured when they are first drawn. seed: of the simulated world. size: results of an order."""

    def __init__(self, instrument: Instrument, seed: int, size: int = SIZE) -> None:
        self.instrument = instrument
        self.seed = seed
        self.size = size
        self.kept: dict[tuple[object, ...], Result] = {}

    def result(self, entry: Entry) -> Result:
        """The result of an entry, which is always the same."""
        key = entry.key
        if (found := self.kept.get(key)) is None:
            if len(self.kept) >= KEPT:
                self.kept.clear()
            found = self.kept[key] = short(*self.measured(entry))
        return found

    def measured(self, entry: Entry) -> tuple[str, Step]:
        """The same at length: the challenger's reply, and the submission with all that was measured of it."""
        rng = random.Random(seed_of(self.seed, entry.key))
        reply = written(entry.order, rng)
        submission = tidied(reply) if entry.tidies else reply
        try:
            example = self.instrument.domain.read(submission)
        except Malformed as problem:
            step = Step(kind="submit", ordinal=0, malformed=str(submission)[:20_000])
            return reply, ended(step, "malformed", ("malformed",), str(problem))
        return reply, self.inspected(entry.document, example, rng)

    def inspected(self, document: Document, example: Example, rng: random.Random) -> Step:
        """A task measured: form, verifier, weak and strong attempts, gate, and the verifier once more if it is wanted."""
        instrument, domain = self.instrument, self.instrument.domain
        step = Step(kind="submit", ordinal=0, example=example)
        if broken := domain.problems(example):
            found = malformed(example, broken)
            return ended(with_(step, verification=found), "quality", found.reasons, found.feedback)
        item = self.item(document, example)
        found = conclude(example, domain.checks.model_validate(checks(item, rng)))
        step = with_(step, verification=found)
        if not found.passed:
            return ended(step, "quality", found.reasons, found.feedback)
        weak, strong = domain.attempts
        step = with_(step, weak=attempts(item, example, "weak", range(weak), rng))
        decision = gate.weak_verdict(instrument.gate, step.reported[0])
        if decision.accepted:
            step = with_(step, strong=attempts(item, example, "strong", range(weak, weak + strong), rng))
            decision = gate.verdict(instrument.gate, *step.reported)
        step = with_(step, shadow=gate.shadows(domain.presets, *step.reported))
        if not decision.accepted:
            easy = not step.strong or only_weak(decision)
            return ended(step, "too_easy" if easy else "failed_on_strong", decision.reasons)
        if instrument.wants("final_verification"):
            found = conclude(example, domain.checks.model_validate(checks(item, rng)))
            step = with_(step, final=found)
            if not found.passed:
                return ended(step, "quality", tuple(f"final_{one}" for one in found.reasons), found.feedback)
        return ended(step, "accepted", ())

    def item(self, document: Document, example: Example) -> Item:
        """The task as the instrument's roles see it."""
        criteria = tuple((one.category.upper(), " ".join(one.criterion.split())) for one in example.rubric)
        solver = self.instrument.domain.prompt("solver.md")
        prompt = render(solver, context=example.context, question=example.question)
        return Item(document.text, example.context, example.question, example.question_type, criteria, prompt)


def attempts(
    item: Item, example: Example, solver: Solver, numbers: Sequence[int], rng: random.Random
) -> tuple[Attempt, ...]:
    """Attempts with their marks."""
    made = []
    for number in numbers:
        answer, hits = attempt(item, solver, rng)
        score = gate.rubric_score(example.rubric, hits)
        made.append(Attempt(solver=solver, number=number, answer=answer, hits=hits, score=score))
    return tuple(made)


def with_(step: Step, **fields: object) -> Step:
    """The step with more in it."""
    return step.model_copy(update=fields)


def ended(step: Step, stage: Stage, reasons: Sequence[str], feedback: str = "") -> Step:
    """The step with its report."""
    return with_(step, report=report(step, stage, tuple(reasons), feedback))


def short(reply: str, step: Step) -> Result:
    """What is kept of a measured submission."""
    assert step.report is not None
    return Result(step.report, describe(reply, step.report), tokens(reply))


def tokens(text: str) -> int:
    """Tokens as the simulated models count them."""
    return -(-len(text) // 4)
