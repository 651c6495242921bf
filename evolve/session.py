"""A run from start to end: baseline, iterations, final test. Starts, resumes and stops; the method is in loop.py."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import monotonic, time
from typing import Literal, get_args

from evolve import __version__
from evolve.assembly import Tools, bench_of, gather_documents, open_tools
from evolve.disk import refuse_full, release
from evolve.iteration import Arm, Evaluation, Iteration
from evolve.layout import baseline_folder, scaffold_files
from evolve.loop import Plan, evolve
from evolve.opening import Opening, Options, resolve
from evolve.picking import unpick
from evolve.race import record
from evolve.report.progress import Phase, Snapshot
from evolve.results import Results
from evolve.rows import RunRow
from evolve.rules import rules_of
from evolve.scope import FROZEN, check
from evolve.showing import document_rows, snapshot, tool_notices, watched
from evolve.testing import open_split, refuse, refuse_level, spend_of
from evolve.wiring import assemble, track_of
from harness.errors import BudgetSpent, EvolveError, OurFault, UsageError


@dataclass(frozen=True)
class Summary:
    """How a start of a run ended. `message`: what stopped it early, if anything did."""

    run: str
    outcome: Literal["finished", "budget"]
    message: str


DEFAULT_ITERATIONS = 50
Watch = Callable[["Run"], Awaitable[None]]


async def start(options: Options, watch: Watch) -> Summary:
    """Start or resume the run that the options mean and go on until it is complete or its budget is spent.

    watch: runs beside it and is cancelled when it ends; it may look at `notices` and `snapshot()`.

    Raises:
        EvolveError: by kind, see harness/errors.py. Everything recorded stands; the same command goes on.
    """
    opening = resolve(options)
    refuse_full(opening.layout.home, opening.settings.storage.free_space)
    refuse(opening)
    rules_of(opening.settings, 2)
    splits = await gather_documents(opening)
    async with open_tools(opening, splits) as tools:
        run = Run(options, opening, tools)
        async with watched(run.watched(watch)):
            return await run.execute()


class Run:
    """One start of one run, and the state that a display may look at."""

    def __init__(self, options: Options, opening: Opening, tools: Tools) -> None:
        self.options = options
        self.opening = opening
        self.recorded = opening.recorded
        self.tools = tools
        self.name = opening.layout.run
        last = opening.recorded.iterations if opening.recorded is not None else None
        self.iterations = options.iterations or last or DEFAULT_ITERATIONS
        lag = opening.settings.search.lag or options.workers
        self.lag = lag if opening.recorded is None else opening.recorded.lag
        self.baseline_from, scaffold = baseline_folder(options.folder, opening.settings.measure.domain)
        self.notices = (
            f"{'resuming' if opening.recorded else 'new'} run {self.name}",
            *opening.notices,
            scaffold if opening.recorded is None else "scaffold: the baseline this run began with",
            *tool_notices(tools),
        )
        self.warnings: tuple[str, ...] = ()
        self.phase: Phase = "starting"
        self.results = Results([])
        self.began = monotonic()
        self.done_before = 0
        self.ready = asyncio.Event()

    async def watched(self, watch: Watch) -> None:
        """Let the display look as soon as there is something to see."""
        await self.ready.wait()
        await watch(self)

    async def execute(self) -> Summary:
        """All phases, recorded as one session."""
        refuse_level(self.tools, self.opening)
        if self.recorded is None:
            await self.record_start()
        history = self.tools.history
        session = await history.start_session(self.name, self.options.workers, self.iterations)
        outcome = "stopped"
        try:
            summary = await self.phases()
            outcome = summary.outcome
            return summary
        except (EvolveError, ExceptionGroup):
            outcome = "failed"
            release(self.tools.layout.home)
            raise
        except asyncio.CancelledError:
            self.phase = "stopping"
            raise
        finally:
            await history.end_session(self.name, session, outcome)

    async def phases(self) -> Summary:
        """Baseline, iterations, final test: each skipped as far as it is recorded."""
        self.results = Results(await self.tools.history.load(self.name))
        self.done_before = max(0, len(self.results.finished) - 1)
        await self.tools.repository.tidy(self.recorded_children())
        self.ready.set()
        try:
            if 0 not in self.results.finished:
                self.phase = "baseline"
                await self.measure_baseline()
            self.phase = "iterations"
            plan = Plan(self.tools.settings.search.seed, self.lag, self.options.workers, self.iterations)
            if spent := await evolve(plan, assemble(self.tools, self.record), self.results):
                return Summary(self.name, "budget", str(spent))
            self.phase = "final test"
            await self.measure_test()
        except BudgetSpent as spent:
            return Summary(self.name, "budget", str(spent))
        self.phase = "done"
        return Summary(self.name, "finished", "")

    async def record_start(self) -> None:
        """Plant the baseline and record the run with its documents.

        Raises:
            UsageError: the baseline scaffold does not start, or holds what no candidate may hold.
        """
        tools = self.tools
        await tools.repository.tidy(())
        files = scaffold_files(self.baseline_from)
        try:
            baseline = await tools.repository.plant(files)
        except ValueError as odd:
            raise UsageError(f"the scaffold in {str(self.baseline_from)!r} cannot be stored: {odd}") from None
        entries = await tools.repository.entries(baseline.tree)
        if problem := check(entries, {one.path: one.id for one in entries if one.path == FROZEN}):
            raise UsageError(
                f"the scaffold in {str(self.baseline_from)!r} is out of its own scope: {problem}"
            )
        if problem := await bench_of(tools, self.results.population).smoke(baseline):
            raise UsageError(f"the scaffold in {str(self.baseline_from)!r} does not start: {problem}")
        settings = tools.settings.model_dump_json(indent=2)
        tools.layout.write_settings(settings)
        row = RunRow(
            run=self.name,
            version=__version__,
            seed=tools.settings.search.seed,
            lag=self.lag,
            instrument=tools.instrument.hash,
            sandbox=tools.sandbox.level,
            simulated=tools.settings.simulated,
            settings=settings,
            scaffold_tree=baseline.tree,
            folder=str(tools.layout.home.relative_to(tools.layout.folder)),
        )
        await tools.history.open_run(row, document_rows(tools))
        unpick(tools.layout.database)

    async def measure_baseline(self) -> None:
        """Iteration 0: the baseline on the validation documents, once, and if that says anything as often as the rule asks.

        Raises:
            OurFault: not one of them could be measured.
        """
        started, repository = time(), self.tools.repository
        stored = await repository.files((await repository.refs())["c0"])
        baseline = await repository.plant({path: text.encode() for path, text in stored.items()})
        track = track_of(self.tools)
        evaluation = await record(track, baseline, 0, "baseline", range(1))
        if evaluation.mean is None:
            raise OurFault(
                "not one validation document could be measured for the baseline; the first reason: "
                f"{evaluation.rollouts[0].detail}. Check the models of verifier, weak, strong and judge."
            )
        if problem := unheard(evaluation):
            raise OurFault(problem)
        self.warnings = tuple(filter(None, (unmeasured(evaluation),)))
        if track.rule.record > 1:
            rest = range(1, track.rule.record)
            evaluation = evaluation.plus(await record(track, baseline, 0, "baseline", rest))
        iteration = Iteration(0, "baseline", "", baseline.id, 0, child=baseline, evaluations=(evaluation,))
        self.results.add(await self.record(replace(iteration, started=started, finished=time())))

    async def record(self, iteration: Iteration) -> Iteration:
        """Ref, traces, then the rows in one transaction. Returns what a resume would load."""
        tools = self.tools
        if iteration.child is not None:
            await tools.repository.publish(iteration.child)
        traces = await tools.traces.save(iteration)
        sums = await tools.journal.totals("iteration = ? AND side != 'final'", (iteration.number,))
        iteration = replace(iteration, spend=tuple(map(spend_of, sums)))
        recorded = await tools.history.record(self.name, iteration, traces)
        refuse_full(tools.layout.home, tools.settings.storage.free_space)
        return recorded

    async def measure_test(self) -> None:
        """Open the test split for baseline, best candidate and the best of each arm, once in the life of a run."""
        population = self.results.population
        arms = [population.best_of(arm).candidate for arm in get_args(Arm)]
        chosen = (population.baseline, population.best.candidate, *arms)
        await open_split(self.tools, self.name, chosen)

    def recorded_children(self) -> set[str]:
        """Candidates that have a row; refs of others were left by a killed process."""
        return {"c0", *(one.child.id for one in self.results.finished.values() if one.child is not None)}

    def snapshot(self) -> Snapshot:
        """What a display shows; see `evolve.report.progress.Snapshot`."""
        now = (self.name, self.phase, monotonic() - self.began)
        seen = snapshot(self.tools, self.results, (self.done_before, self.iterations), now)
        return replace(seen, warnings=(*self.warnings, *seen.warnings))


def unheard(evaluation: Evaluation) -> str:
    """Why the baseline measured nothing but our own settings: not one answer of the challenger was whole."""
    asks = [step for rollout in evaluation.rollouts for step in rollout.steps if step.kind == "ask"]
    if not asks or any(step.finish_reason == "stop" and step.reply.strip() for step in asks):
        return ""
    return (
        f"not one of {len(asks)} answers of the challenger was whole; the first ended with {asks[0].finish_reason!r}. "
        "Give its model more max_tokens or a larger context, or shorter documents, in a new run (--new)."
    )


def unmeasured(evaluation: Evaluation) -> str:
    """Why every score of the baseline is zero before any solver was asked; nothing if one of its tasks was measured."""
    reports = [step.report for one in evaluation.rollouts for step in one.steps if step.report is not None]
    if any(one.stage != "malformed" and one.reasons != ("unanswerable",) for one in reports):
        return ""
    if not reports:
        one = next(one for one in evaluation.rollouts if one.score is not None)
        return f"the baseline submitted nothing for any document; the first rollout: {one.outcome} {one.detail}".rstrip()
    return (
        f"not one of the {len(reports)} submissions of the baseline could be measured; the first was told: "
        f"{reports[0].feedback} See `evolve show 0 --trace`"
    )
