"""Opening the test split of a run: `open_split` is the one door to it, for every command and for programs.

Each candidate is measured on it once in the life of a run, after a row in the database that says so. A run does it for
baseline and best when its search ends; `evolve test` does it for others, within the rules of seal.py.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, get_args

from evolve.again import other_instrument, reopen
from evolve.assembly import Tools, gather_documents, instrument_of, open_tools
from evolve.disk import refuse_full, release
from evolve.executors import Executor
from evolve.iteration import Arm, Candidate, Evaluation, Spend
from evolve.layout import Layout
from evolve.opening import Opening, Options
from evolve.population import Population
from evolve.race import once
from evolve.report.journal import receipt
from evolve.report.progress import Work
from evolve.seal import BASELINE, Purpose, Request, Unsealed, additions
from evolve.showing import model_notices, sandbox_notice, used, watched
from harness.advice import advice
from harness.errors import BudgetSpent, EvolveError, UsageError, bare
from harness.journal import RoleSum
from harness.together import together
from harness.trajectory import Rollout
from harness.types import Document, Draw

NO_WORKERS = 0  # of the session of a test: it works on no iteration
Watch = Callable[["FinalTest"], Awaitable[None]]


@dataclass(frozen=True)
class Job:
    """Which candidates of a run to open the test split for.

    limits: a budget for this alone, by name of the limit.
    """

    layout: Layout
    candidates: tuple[Candidate, ...]
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The candidates that were measured now. `message`: what stopped it early, if anything did."""

    candidates: tuple[str, ...]
    message: str = ""


async def start(job: Job, watch: Watch) -> Done:
    """Measure those candidates on the test documents that have not been; each is recorded as soon as it is measured.

    Calls are journalled with the run's: the same command goes on after a kill and pays for nothing twice.
    watch: runs beside it and is cancelled when it ends; it may look at `notices` and `snapshot()`.

    Raises:
        UsageError: this measures with another instrument, sandbox level or other documents than the run; or it would be
            a second opening for selection.
        EvolveError: by kind. What was recorded stands.
    """
    options = Options(job.layout.folder, job.layout.database, overrides=allowed(job))
    opening = reopen(options, job.layout.run)
    refuse_full(job.layout.home, opening.settings.storage.free_space)
    refuse(opening)
    splits = await gather_documents(opening)
    async with open_tools(opening, splits) as tools:
        refuse_level(tools, opening)
        testing = FinalTest(job, opening, tools)
        await testing.find_wanted()
        async with watched(watch(testing)):
            return await testing.execute()


def allowed(job: Job) -> dict[str, Any]:
    """The budget as flags would give it: what this may spend, on top of what the run has spent."""
    spent = vars(receipt(job.layout.calls))
    return {f"budget.{name}": value + spent.get(name, 0) for name, value in job.limits.items()}


def refuse(opening: Opening) -> None:
    """Scores of another instrument are not comparable with those recorded.

    Asked before anything is opened: a version of evolve that may not go on with a run does not change its files, which
    the version it began with could not read any more.

    Raises:
        UsageError: it says what differs.
    """
    now = instrument_of(
        opening.settings
    ).hash  # refuses, also of a new run, what no instrument can be made of
    if opening.recorded is None:
        return
    if problem := other_instrument(opening.layout.run, opening.recorded, opening.settings, now):
        raise UsageError(
            f"{problem}\nScores would not be comparable. Go on with the settings and the version of evolve that it began "
            "with, nothing of it was changed; or start another run: `evolve run --new`."
        )


def refuse_level(tools: Tools, opening: Opening) -> None:
    """Nor are those of another sandbox.

    Raises:
        UsageError: it says what differs.
    """
    recorded, run = opening.recorded, opening.layout.run
    if recorded is not None and tools.sandbox.level != recorded.sandbox:
        raise UsageError(
            f"run {run!r} was measured with sandbox level {recorded.sandbox!r}, this is {tools.sandbox.level!r}; scores "
            "would not be comparable. Go on where it began, or start another run: `evolve run --new`."
        )


class FinalTest:
    """One opening of the test split, and the state that a display may look at."""

    def __init__(self, job: Job, opening: Opening, tools: Tools) -> None:
        self.run = job.layout.run
        self.candidates = job.candidates
        self.limits = job.limits
        self.iterations = opening.recorded.iterations if opening.recorded is not None else None
        self.executor = Counting(tools.evaluator.executor)
        self.tools = replace(tools, evaluator=replace(tools.evaluator, executor=self.executor))
        self.notices = (*opening.notices, *model_notices(tools.settings), sandbox_notice(tools.sandbox.level))
        self.wanted: list[Candidate] = []
        self.began = monotonic()

    async def find_wanted(self) -> None:
        """Who has not been measured; under the run's lock nobody else will.

        Raises:
            UsageError: a second opening for selection; nothing was done.
        """
        log = await self.tools.history.openings(self.run)
        request = await request_of(self.tools, self.run, self.candidates)
        fresh = additions(log, self.candidates, request, "")
        self.wanted = [one for one in self.candidates if one.id not in log.measured]
        named, size = ", ".join(one.id for one in self.wanted), len(self.tools.splits.test)
        again = "" if fresh else " again, to go on where it was stopped"
        once = ", for selection: a run has one such opening" if any_choice(fresh) else ""
        self.notices = (
            f"opening the test split of {self.run} ({size} documents){again} for {named}{once}",
            *self.notices,
        )

    async def execute(self) -> Done:
        """Measure and record, as one session of the run."""
        history = self.tools.history
        session = await history.start_session(self.run, NO_WORKERS, self.iterations or 0)
        outcome, message = "stopped", ""
        try:
            await open_split(self.tools, self.run, self.wanted)
            outcome = "finished"
        except BudgetSpent as spent:
            outcome, message = "budget", self.spent(spent)
        except (EvolveError, ExceptionGroup):
            outcome = "failed"
            release(self.tools.layout.home)
            raise
        finally:
            await history.end_session(self.run, session, outcome)
        opened = {one.candidate for one in await history.finals(self.run)}
        return Done(tuple(one.id for one in self.wanted if one.id in opened), message)

    def spent(self, problem: BudgetSpent) -> str:
        """What the end of the budget was, in the figures that the user gave."""
        given = [
            f"{name} {value:g}" for name, value in self.limits.items() if f"{name} limit" in str(problem)
        ]
        return f"the budget for this test is spent ({given[0]})" if given else str(problem)

    def snapshot(self) -> Work:
        """What a display shows."""
        done = self.executor.outcomes.total()
        work = Work(
            run=self.run,
            phase=f"test split: {', '.join(one.id for one in self.wanted)}",
            simulated=self.tools.instrument.simulated,
            unit="rollouts",
            total=len(self.wanted) * len(self.tools.splits.test),
            done=done,
            outcomes=self.executor.outcomes,
            advice=advice(self.tools.mix),
        )
        return used(self.tools.gateway, work, monotonic() - self.began, done)


class Counting:
    """An executor that tells how the rollouts ended that are done so far."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.outcomes: Counter[str] = Counter()

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        """See `Executor.run`; document by document, so that each can be counted when it is done."""
        return await together(self.one(scaffold, document, draw) for document in documents)

    async def one(self, scaffold: Path, document: Document, draw: Draw) -> Rollout:
        """One rollout, counted."""
        (rollout,) = await self.executor.run(scaffold, (document,), draw)
        self.outcomes[rollout.outcome] += 1
        return rollout


async def open_split(tools: Tools, run: str, candidates: Iterable[Candidate]) -> None:
    """Measure candidates on the test split, all at once, and record each when it and those before it are measured.

    That it is opened for them is in the database before the first rollout begins, also if the process dies then: see
    seal.py for who may be opened. Who was measured is left alone. Who was opened and not recorded, as after a kill, is
    gone on with: the draws are keyed by the birth of a candidate, so its calls replay, and it counts once. The order of
    the records does not depend on speed.

    What it is for is decided here: `report` if all are the baseline or the best candidate of an arm by what is recorded, as
    often as a run ends with another best; else `selection`, of which a run has one.

    Raises:
        UsageError: a second opening for selection. EvolveError: as measuring raises it.
    """
    chosen = tuple({one.id: one for one in candidates}.values())
    log = await tools.history.unseal(run, chosen, await request_of(tools, run, chosen))
    permits = {one.candidate: one for one in log.rows}
    wanted = [one for one in chosen if one.id not in log.measured]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(measure(tools, one, permits[one.id])) for one in wanted]
            for task in tasks:
                await record(tools, run, await task)
    except BaseExceptionGroup as failed:
        raise bare(failed) from None


async def request_of(tools: Tools, run: str, candidates: Iterable[Candidate]) -> Request:
    """What an opening for them is recorded with; those that were opened before do not matter."""
    opened = (await tools.history.openings(run)).opened
    fresh = {one.id for one in candidates}.difference(opened)
    purpose: Purpose = "report"
    if fresh - {BASELINE}:
        population = Population(await tools.history.load(run))
        best = {population.best_of(arm).candidate.id for arm in get_args(Arm)}
        purpose = "report" if fresh <= {BASELINE, *best} else "selection"
    return Request(purpose, len(tools.splits.test), tools.instrument.hash)


def any_choice(rows: Iterable[Unsealed]) -> bool:
    """Whether one of them is for selection."""
    return any(one.purpose == "selection" for one in rows)


async def measure(tools: Tools, candidate: Candidate, permit: Unsealed) -> Evaluation:
    """One candidate on the test documents."""
    evaluator = replace(tools.evaluator, permit=permit)
    return await evaluator(candidate, once(tools.splits.test), candidate.iteration, "final")


async def record(tools: Tools, run: str, evaluation: Evaluation) -> None:
    """Trace, then the rows in one transaction."""
    trace = await tools.traces.save_final(evaluation)
    sums = await tools.journal.totals("side = 'final' AND iteration = ?", (evaluation.iteration,))
    await tools.history.record_final(run, [evaluation], map(spend_of, sums), {evaluation.candidate: trace})


def spend_of(row: RoleSum) -> Spend:
    """A journal sum as it is stored with what it was spent for."""
    return Spend(row.role, row.calls, row.prompt_tokens, row.completion_tokens, row.cost)
