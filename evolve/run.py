"""A run from start to end: baseline, iterations, final test. Starts, resumes and stops; the method is in loop.py."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import monotonic, time
from typing import Literal

from evolve import __version__
from evolve.assembly import Tools, assemble, bench_of, gather_documents, open_tools, rules_of
from evolve.layout import baseline_folder, scaffold_files
from evolve.loop import Plan, evolve
from evolve.opening import Opening, Options, resolve
from evolve.population import Candidate, Evaluation, Iteration, Spend
from evolve.report.progress import Phase, Snapshot
from evolve.results import Results
from evolve.rows import RunRow
from evolve.scope import FROZEN, check
from evolve.showing import document_rows, snapshot, tool_notices
from evolve.stopping import stopping_on_sigterm
from harness.errors import BudgetSpent, EvolveError, OurFault, UsageError, bare
from harness.journal import RoleSum


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
    rules_of(opening.settings)
    splits = await gather_documents(opening)
    async with open_tools(opening, splits) as tools:
        run = Run(options, opening, tools)
        watching = asyncio.create_task(run.watched(watch))
        try:
            with stopping_on_sigterm():
                return await run.execute()
        except BaseExceptionGroup as group:
            raise bare(group) from None
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


class Run:
    """One start of one run, and the state that a display may look at."""

    def __init__(self, options: Options, opening: Opening, tools: Tools) -> None:
        self.options = options
        self.recorded = opening.recorded
        self.tools = tools
        self.name = opening.layout.run
        last = opening.recorded.iterations if opening.recorded is not None else None
        self.iterations = options.iterations or last or DEFAULT_ITERATIONS
        lag = opening.settings.search.lag or options.workers
        self.lag = lag if opening.recorded is None else opening.recorded.lag
        self.baseline_from, scaffold = baseline_folder(options.folder)
        self.notices = (
            f"{'resuming' if opening.recorded else 'new'} run {self.name}",
            *opening.notices,
            scaffold if opening.recorded is None else "scaffold: the baseline this run began with",
            *tool_notices(tools),
        )
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
        await self.refuse_other_instrument()
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

    async def refuse_other_instrument(self) -> None:
        """Scores of another instrument or sandbox are not comparable with those recorded.

        Raises:
            UsageError: this installation measures with another one than the run began with.
        """
        if self.recorded is None:
            return
        now = {"instrument": self.tools.instrument.hash, "sandbox level": self.tools.sandbox.level}
        began = {"instrument": self.recorded.instrument, "sandbox level": self.recorded.sandbox}
        for what, value in now.items():
            if value != began[what]:
                raise UsageError(
                    f"run {self.name!r} was measured with {what} {began[what]!r}, this is {value!r}; scores would "
                    "not be comparable. Go on where it began, or start another run with --new."
                )

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
        (tools.layout.home / "config.json").write_text(settings + "\n", "utf-8")
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

    async def measure_baseline(self) -> None:
        """Iteration 0: the baseline on the validation documents.

        Raises:
            OurFault: not one of them could be measured.
        """
        started, repository = time(), self.tools.repository
        stored = await repository.files((await repository.refs())["c0"])
        baseline = await repository.plant({path: text.encode() for path, text in stored.items()})
        evaluation = await self.tools.evaluator(baseline, self.tools.splits.validation, 0, "baseline")
        if evaluation.mean is None:
            raise OurFault(
                "not one validation document could be measured for the baseline; the first reason: "
                f"{evaluation.rollouts[0].detail}. Check the models of verifier, weak, strong and judge."
            )
        if problem := unheard(evaluation):
            raise OurFault(problem)
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
        return await tools.history.record(self.name, iteration, traces)

    async def measure_test(self) -> None:
        """Open the test split for baseline and best candidate, each once in the life of a run."""
        population = self.results.population
        opened = {one.candidate for one in await self.tools.history.finals(self.name)}
        chosen = {one.id: one for one in (population.baseline, population.best.candidate)}
        wanted = [one for key, one in chosen.items() if key not in opened]
        if not wanted:
            return
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.measure_final(one)) for one in wanted]
        except BaseExceptionGroup as failed:
            raise bare(failed) from None
        evaluations = [task.result() for task in tasks]
        traces = {one.candidate: await self.tools.traces.save_final(one) for one in evaluations}
        births = ", ".join(str(one.iteration) for one in wanted)
        sums = await self.tools.journal.totals(f"side = 'final' AND iteration IN ({births})")
        await self.tools.history.record_final(self.name, evaluations, map(spend_of, sums), traces)

    async def measure_final(self, candidate: Candidate) -> Evaluation:
        """One candidate on the test documents; its draws are keyed by its birth."""
        return await self.tools.evaluator(candidate, self.tools.splits.test, candidate.iteration, "final")

    def recorded_children(self) -> set[str]:
        """Candidates that have a row; refs of others were left by a killed process."""
        return {"c0", *(one.child.id for one in self.results.finished.values() if one.child is not None)}

    def snapshot(self) -> Snapshot:
        """What a display shows; see `evolve.progress.Snapshot`."""
        plan = (self.done_before, self.iterations)
        return snapshot(self.tools, self.results, plan, (self.name, self.phase, monotonic() - self.began))


def unheard(evaluation: Evaluation) -> str:
    """Why the baseline measured nothing but our own settings: not one answer of the challenger was whole."""
    asks = [step for rollout in evaluation.rollouts for step in rollout.steps if step.kind == "ask"]
    if not asks or any(step.finish_reason == "stop" and step.reply.strip() for step in asks):
        return ""
    return (
        f"not one of {len(asks)} answers of the challenger was whole; the first ended with {asks[0].finish_reason!r}. "
        "Give its model more max_tokens or a larger context, or shorter documents, in a new run (--new)."
    )


def spend_of(row: RoleSum) -> Spend:
    """A journal sum as it is stored with an iteration."""
    return Spend(row.role, row.calls, row.prompt_tokens, row.completion_tokens, row.cost)
