"""Weak and strong solvers: a task attempted several times, each attempt a draw of its own, each one marked.

An attempt that gives nothing usable is missing data: it is made again, once it is known that the models answer at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.answers import largest_class
from harness.errors import InvalidMeasurement, SandboxError, Unanswerable
from harness.judge import boundary, pick
from harness.marking import mark
from harness.measuring import measure, user
from harness.modes import Mode
from harness.parsing import Malformed, without_thought
from harness.place import Place, Subject
from harness.prompting import fitted, render
from harness.together import together
from harness.trajectory import Attempt, Solver
from harness.types import Draw, Reply, Request, Role

AGAIN = 2
NEXT = 10_000  # apart from the numbers of other attempts
SAMPLE = 100_000
PROBE = 999
TERMS = (17, 25)


@dataclass(frozen=True)
class Attempts:
    """Attempts in the order of their draws, and what was missing before they were made again, each in a few words."""

    made: tuple[Attempt, ...]
    missing: tuple[str, ...] = ()


async def attempts(place: Place, subject: Subject, solver: Solver, draws: Sequence[Draw]) -> Attempts:
    """One attempt for every draw, all at once; those that are missing are made again, twice at most.

    Raises:
        InvalidMeasurement: an attempt stays missing; raised when all attempts have ended, so that what is spent does not
            depend on which of them failed first.
        Unanswerable: not one was answered, and that is the prompt's doing, which the scaffold wrote.
        ProviderError, BudgetSpent: as the gateway raises them, at once.
    """
    missing: list[str] = []
    made: dict[int, Attempt] = {}
    for again in range(AGAIN + 1):
        wanted = [at for at in range(len(draws)) if at not in made]
        fresh = [draws[at].at(attempt=draws[at].attempt + again * NEXT) for at in wanted]
        results = await together(outcome(place, subject, solver, draw) for draw in fresh)
        came = {at: one for at, one in zip(wanted, results, strict=True) if isinstance(one, Attempt)}
        lost = [one for one in results if isinstance(one, InvalidMeasurement)]
        made |= came
        missing += [named(solver, one) for one in lost]
        if not lost:
            return Attempts(tuple(made[at] for at in range(len(draws))), tuple(missing))
        if not made and all(isinstance(one, Unanswerable) for one in lost):
            raise lost[0]
        if again < AGAIN and not came:
            await probe(place, solver, lost, fresh[0])
    raise InvalidMeasurement(
        f"{lost[0].reason}; {len(lost)} of {len(draws)} {solver} attempts stayed missing when they were made again "
        f"{AGAIN} times, though the model answers other questions",
        lost[0].cause,
    )


def named(solver: Solver, lost: InvalidMeasurement) -> str:
    """A missing attempt in a few words: whose it was and what was wrong, be it with its mark."""
    return f"{solver}: {'judge ' if lost.role == 'judge' else ''}{lost.cause}"


async def probe(place: Place, solver: Solver, lost: Sequence[InvalidMeasurement], draw: Draw) -> None:
    """Ask whoever gave nothing usable for a trivial sum: a model that can do that is up, and it is the task that got
    no answer. What could be read but not marked needs no such question.

    Raises:
        InvalidMeasurement: it gives no sum either; then nothing was measured but the endpoint.
    """
    for role in sorted({one.role for one in lost if one.cause != "undecided"}):
        await control("judge" if role == "judge" else solver, place, draw)


async def control(role: Role, place: Place, draw: Draw) -> None:
    """The trivial sum, put to one role.

    Raises:
        InvalidMeasurement: it gives no answer.
    """
    first, second = TERMS
    text = place.instrument.domain.prompt("sum.md")
    question = render(text, first=str(first), second=str(second))
    request = Request(role, user(question.strip()), draw.at(attempt=draw.attempt + PROBE))
    try:
        await measure(place.models, request, answered)
    except InvalidMeasurement as silent:
        raise InvalidMeasurement(f"{silent.reason}; and that to a trivial sum", silent.cause) from None


def answered(text: str) -> str:
    """Any answer will do: even small models speak, and what they say of a sum is not what is measured."""
    return read(text)


async def outcome(place: Place, subject: Subject, solver: Solver, draw: Draw) -> Attempt | InvalidMeasurement:
    """The attempt, or why it is missing."""
    try:
        return await attempt(place, subject, solver, draw)
    except InvalidMeasurement as missing:
        return missing


async def attempt(place: Place, subject: Subject, solver: Solver, draw: Draw) -> Attempt:
    """One answer, perhaps out of several samples, and its mark.

    Raises:
        InvalidMeasurement: the solver or the judge gave no usable answer.
    """
    answer, calls = await answer_of(place, subject, solver, draw)
    marked = await mark(place, subject.example, answer, draw)
    return Attempt(
        solver=solver,
        number=draw.attempt % NEXT,
        answer=answer,
        hits=marked.hits,
        score=marked.score,
        final=marked.final,
        how=marked.how,
        calls=(*calls, *marked.calls),
    )


async def answer_of(
    place: Place, subject: Subject, solver: Solver, draw: Draw
) -> tuple[str, tuple[str, ...]]:
    """The answer that the solver's mode arrives at, and the calls it took, the deciding one first.

    Raises:
        InvalidMeasurement: a sample, or the pick among them, is not usable.
    """
    mode = place.instrument.mode(solver)
    request = Request(solver, user(prompt_of(place, subject, mode)), draw, limit=mode.max_tokens)
    numbers = [draw.attempt + SAMPLE * number for number in range(mode.samples)]
    requests = [replace(request, draw=draw.at(attempt=number)) for number in numbers]
    results = await together(sampled(place, one) for one in requests)
    found = [one for one in results if not isinstance(one, InvalidMeasurement)]
    if 2 * len(found) <= len(results):  # an answer of the few that came through would be another solver's
        lost = [one for one in results if isinstance(one, InvalidMeasurement)]
        raise next((one for one in lost if not isinstance(one, Unanswerable)), lost[0])
    texts, keys = [text for text, _ in found], [reply.key for _, reply in found]
    chosen, more = await aggregate(place, subject, mode, texts, draw)
    return texts[chosen], (keys[chosen], *(key for at, key in enumerate(keys) if at != chosen), *more)


async def sampled(place: Place, request: Request) -> tuple[str, Reply] | InvalidMeasurement:
    """One sample, or why it is missing."""
    try:
        return await measure(place.models, request, read)
    except InvalidMeasurement as missing:
        return missing


async def aggregate(
    place: Place, subject: Subject, mode: Mode, texts: Sequence[str], draw: Draw
) -> tuple[int, tuple[str, ...]]:
    """Index of the answer that stands for all, and the calls that deciding it took.

    Raises:
        InvalidMeasurement: the judge's model gave no usable pick.
    """
    if len(texts) == 1:
        return 0, ()
    example, domain = subject.task, place.instrument.domain
    if mode.aggregation == "pick":
        number, call = await pick(place.models, domain, example, texts, draw)
        return number, (call,)
    if place.checker is None or (kind := domain.kind_of(example)) is None:
        raise SandboxError("a majority needs answers that can be compared; set aggregation to 'pick'")
    finals = [domain.final(example, one) for one in texts]
    return (await largest_class(place.checker, finals, kind))[0], ()


def prompt_of(place: Place, subject: Subject, mode: Mode) -> str:
    """What a solver is asked: the task, and the source before it if the mode gives it."""
    domain, example = place.instrument.domain, subject.task
    task = render(domain.prompt(mode.prompt), context=example.context, question=example.question)
    source = {"task": "", "passage": example.passage, "document": subject.document.text}[mode.sees]
    if not source:
        return task
    before = fitted(domain.prompt("source.md"), source=source, boundary=boundary(example, source))
    return f"{before.strip()}\n\n{task}"


def read(text: str) -> str:
    """The answer without a leading thought, which some servers leave in the text.

    Raises:
        Malformed: nothing is left.
    """
    answer = without_thought(text).strip()
    if not answer:
        raise Malformed("a thought and no answer")
    return answer
