"""How a proof of a task measures: answers are marked like any other, and what is in doubt is measured again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol

from harness.gate import Preset
from harness.judge import same
from harness.marking import mark
from harness.modes import ModeChange
from harness.place import Place, Subject
from harness.proof_bounds import AGAIN
from harness.solvers import attempts
from harness.together import together
from harness.trajectory import Attempt, Check, Example, Solver, Step
from harness.types import Draw

FIRST: dict[Check, int] = {
    "reference": 400,
    "null_answers": 410,
    "agreement": 430,
    "closed_book": 440,
    "context_only": 450,
}
FRESH = 460
Within = Callable[[float], bool]


class Scored(Protocol):
    """A marked answer: its score in [0, 1] and the keys of the calls behind it."""

    @property
    def score(self) -> float: ...
    @property
    def calls(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Case:
    """A task to be proved, with the attempts that were made at it."""

    place: Place
    subject: Subject
    step: Step
    draw: Draw

    @property
    def preset(self) -> Preset:
        return self.place.instrument.gate

    @property
    def comparable(self) -> bool:
        return self.place.instrument.domain.comparable

    @property
    def example(self) -> Example:
        return self.subject.example

    def prompt(self, name: str) -> str:
        """A frozen prompt of the domain."""
        return self.place.instrument.domain.prompt(name).strip()

    def at(self, number: int) -> Draw:
        """A draw of one of the proofs' questions, which are numbered apart from all others of the submission."""
        return self.draw.at(attempt=number)


@dataclass(frozen=True)
class Found:
    """A score, whether it is within its bound, and the calls behind it."""

    score: float
    fine: bool
    calls: tuple[str, ...]


async def twice(scored: Callable[[range], Awaitable[Sequence[Scored]]], within: Within) -> Found:
    """One score, if it is within the bound; else the mean of it and two more: noise alone refuses no task."""
    made = list(await scored(range(1)))
    if not within(made[0].score):
        made += await scored(range(1, 1 + AGAIN))
    score = fmean(one.score for one in made)
    return Found(score, within(score), called(made))


async def marked(case: Case, first: int, answer: str, within: Within) -> Found:
    """The mark of an answer that no solver gave. first: number of its first draw."""

    async def scored(numbers: range) -> Sequence[Scored]:
        return await together(mark(case.place, case.example, answer, case.at(first + n)) for n in numbers)

    return await twice(scored, within)


async def attempted(case: Case, solver: Solver, first: int, shown: Example, within: Within) -> Found:
    """The mark of a solver that is used as always, but shown something else and never the source."""
    place = without_source(case.place, solver)
    subject = replace(case.subject, shown=shown)

    async def scored(numbers: range) -> Sequence[Scored]:
        return (await attempts(place, subject, solver, [case.at(first + n) for n in numbers])).made

    return await twice(scored, within)


async def fresh(case: Case) -> tuple[Attempt, ...]:
    """Two more attempts of the strong solver at the task."""
    draws = [case.at(FRESH + number) for number in range(AGAIN)]
    return (await attempts(case.place, case.subject, "strong", draws)).made


async def agreeing(case: Case, made: Sequence[Attempt], first: int) -> tuple[list[str], tuple[str, ...]]:
    """What the judge says of these answers beside the reference answer, and the calls."""
    template = case.prompt("agreement.md")
    found = await together(
        same(case.place.models, template, case.example, one.answer, case.at(number))
        for number, one in enumerate(made, first)
    )
    return [one.verdict for one, _ in found], tuple(key for _, key in found)


def without_source(place: Place, solver: Solver) -> Place:
    """The same place with a solver that does not see the document."""
    instrument = place.instrument
    change = instrument.modes.get(solver, ModeChange()).model_copy(update={"sees": "task"})
    return replace(place, instrument=replace(instrument, modes={**instrument.modes, solver: change}))


def called(made: Sequence[Scored]) -> tuple[str, ...]:
    """All calls behind some marks."""
    return tuple(key for one in made for key in one.calls)
