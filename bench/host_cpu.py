"""CPU time of the host: an iteration outside of its calls and rollouts, a call beyond the bare client, a rollout beyond
a bare interpreter.

python bench/host_cpu.py

Iterations and calls are counted in CPU seconds (`getrusage`), which depend little on what else the machine does;
rollouts, whose processes end unseen, by the clock, one at a time, in turn with bare interpreters. An iteration is the
real loop with the default settings, its races as the survival rule asks for them, and its real records (population.db,
traces, git ref); only what analyzer, implementer and rollouts answer is there already. The traces of its rollouts are
counted apart, with the quoting of what they said: that grows with the rollouts, not with the iterations.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from figures import Figure, tell
from serving import PROMPT, Load, bare, served
from synthetic import CAUSE, DIAGNOSIS, INSTRUMENT, LINE, REASONS, STEPS, documents, rollout, run_row

from evolve.analyzer import analyzer_prompt
from evolve.assigning import Policy, maker, task_of
from evolve.case import Case
from evolve.evaluation import SPLITS
from evolve.history import History
from evolve.implementer import implementer_prompt
from evolve.iteration import Candidate, Cause, Diagnosis, Evaluation, Exchange, Iteration, Proposal, Spend
from evolve.layout import baseline_folder, scaffold_files
from evolve.loop import Parts, Plan, Task, evolve
from evolve.operators import Attempt
from evolve.operators.unguided import unguided_prompt, without_history
from evolve.population import Population
from evolve.race import Draws, Track, record
from evolve.repository import Repository, create
from evolve.results import Results
from evolve.rows import DocumentRow
from evolve.rules import pressure_of, rules_of
from evolve.settings import Settings
from evolve.trace_folder import TraceFolder
from evolve.workshop import STUB_EXAMPLE, STUB_OPENING, Stub
from harness.budget import Budget, BudgetLimits
from harness.gate import PRESETS, in_words
from harness.gateway import Gateway, Terms
from harness.journal import Journal
from harness.models.openai import Endpoint
from harness.sandbox.choose import choose
from harness.sandbox.pipe import ENVIRONMENT, FLAGS, interpreter
from harness.trajectory import Rollout, Step
from harness.types import ROLES, Document, Draw, Message, Model, Request, Side

SLOTS = 8
VALIDATION = 25
TRIALS = 64  # of a document on one side of one iteration, at most
SIDES: tuple[Side, ...] = ("baseline", "minibatch", "rerun", "parent", "child", "record")
ENDS = [*((one, False) for one in STEPS), (STEPS[-1], True)]
SPEND = tuple(Spend(role, 15, 30_000, 9_000, 0.02) for role in ROLES)


@dataclass(frozen=True)
class Cpu:
    """CPU seconds, user and system: of this process with its threads, and of the processes it waited for."""

    own: float
    children: float

    @classmethod
    def now(cls) -> "Cpu":
        own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
        return cls(own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime)

    def since(self, before: "Cpu", number: int) -> "Cpu":
        """Milliseconds for each of so many."""
        return Cpu(1000 * (self.own - before.own) / number, 1000 * (self.children - before.children) / number)


async def calls(folder: Path, number: int) -> list[Figure]:
    """The gateway with journal and budget, beside the client alone, against the same server."""
    load = Load(SLOTS, 0.02)
    with served(load, folder / "server.log") as url:
        await bare(url, load, 1.0)
        alone = await bare(url, load, number * load.latency / SLOTS)
        async with gateway(folder, url) as ask:
            for one in range(2 * SLOTS):
                await ask(-1 - one)
            before = Cpu.now()
            async with asyncio.TaskGroup() as group:
                for place in range(SLOTS):
                    group.create_task(in_turn(ask, range(place, number, SLOTS)))
            mine = Cpu.now().since(before, number)
    return [
        Figure("a call by the bare client", 1000 * alone.cpu, "ms"),
        Figure("a call through the gateway", mine.own, "ms"),
        Figure("a call beyond the bare client", mine.own - 1000 * alone.cpu, "ms", 1),
    ]


async def in_turn(ask: Callable[[int], Awaitable[object]], numbers: range) -> None:
    for number in numbers:
        await ask(number)


@asynccontextmanager
async def gateway(folder: Path, url: str) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Asks question number n of the weak solver."""
    model = Model(name="simulated-weak", base_url=url, slots=SLOTS, input_price=1.0, output_price=1.0)
    journal = Journal(folder / "calls.db")
    door = Gateway(
        {"weak": model}, {model.account: Endpoint(model)}, journal, Budget(BudgetLimits(), {}), Terms(0)
    )

    async def ask(number: int) -> object:
        message = Message(role="user", content=PROMPT)
        return await door.ask(Request("weak", (message,), Draw(1, "child", f"{number}")))

    try:
        yield ask
    finally:
        await door.close()
        journal.close()


async def rollouts(number: int) -> list[Figure]:
    """The baseline scaffold in the sandbox, with canned answers, beside an interpreter that does nothing."""
    scaffold, _ = baseline_folder(Path("/nonexistent"))
    sandbox = await choose("auto", foreign_code=False)
    starts, wholes, host = [], [], 0.0
    for _ in range(number):
        began = perf_counter()
        empty = await asyncio.create_subprocess_exec(
            str(interpreter()), *FLAGS, "-c", "pass", env=ENVIRONMENT
        )
        await empty.wait()
        starts.append(1000 * (perf_counter() - began))
        before, began = Cpu.now(), perf_counter()
        await sandbox.run(scaffold, STUB_OPENING, Stub().answer)
        wholes.append(1000 * (perf_counter() - began))
        host += Cpu.now().since(before, number).own
    return [
        Figure("a bare interpreter from start to end, by the clock", median(starts), "ms"),
        Figure(f"a rollout without models ({sandbox.level}), by the clock", median(wholes), "ms"),
        Figure("a rollout beyond a bare interpreter", median(wholes) - median(starts), "ms", 30),
        Figure("  of it CPU time of the host", host, "ms"),
    ]


class World:
    """Parts of the loop that answer at once. What they answer is made beforehand; what is recorded is real.

    Settings are the defaults. One child in ten is better than its parent by 0.2, all others are like it; every draw of a
    document is luck of its own.
    """

    def __init__(self, folder: Path, iterations: int, text: bool) -> None:
        rng, settings = np.random.default_rng(0), Settings()
        self.folder, self.text, self.search = folder, text, settings.search
        self.rows = documents(VALIDATION)
        self.places = {one.document: at for at, one in enumerate(self.rows)}
        self.training, self.validation = (
            tuple(Document(one.document, one.name, "text") for one in self.rows if one.split == split)
            for split in ("training", "validation")
        )
        self.luck = rng.random((iterations + 1, len(SIDES), TRIALS, len(self.places)))
        self.ease = rng.uniform(-0.2, 0.2, len(self.places))
        self.rates = {"c0": 0.3}
        self.pool = pooled(self.rows, text)
        self.causes = causes(rng)
        select, rule = rules_of(settings, VALIDATION)
        self.policy = Policy(
            select, pressure_of(settings), self.search.control, self.search.operator, agent=False
        )
        self.track = Track(rule, self.validation, self.evaluate)

    async def __aenter__(self) -> "World":
        create(self.folder / "candidates.git")
        self.repository = Repository(self.folder / "candidates.git")
        self.history = await History.open(self.folder / "population.db")
        await self.history.open_run(run_row(), self.rows)
        (self.folder / "traces").mkdir()
        self.traces = TraceFolder(self.folder / "traces")
        files = scaffold_files(baseline_folder(Path("/nonexistent"))[0])
        self.files = {name: data.decode() for name, data in files.items()}
        self.baseline = await self.repository.plant(files)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.repository.close()
        self.traces.close()
        await self.history.close()

    def parts(self) -> Parts:
        return Parts(
            task=partial(task_of, self.policy),
            minibatch=self.minibatch,
            case=self.case,
            make=maker(self.make),
            track=self.track,
            record=self.record,
            rerun=self.search.rerun,
            screen=self.search.screen,
        )

    def minibatch(self, rng: np.random.Generator) -> tuple[Document, ...]:
        return tuple(self.training[int(at)] for at in rng.choice(len(self.training), 4, replace=False))

    async def evaluate(self, candidate: Candidate, draws: Draws, iteration: int, side: Side) -> Evaluation:
        luck, rate = self.luck[iteration, SIDES.index(side)], self.rates[candidate.id]
        places = ((self.places[document.id], trial) for document, trial in draws)
        rollouts = (
            self.pool[at, trial][ended(luck[trial, at], rate + self.ease[at])] for at, trial in places
        )
        return Evaluation(candidate.id, iteration, side, SPLITS[side], INSTRUMENT, tuple(rollouts))

    async def case(self, task: Task, measured: Evaluation, seen: Population, draw: Draw) -> Case:
        rules = in_words(PRESETS["meta"])
        return Case(task.choice.parent, self.files, measured, seen.arms[task.arm], draw, rules)

    async def make(self, task: Task, case: Case) -> Attempt:
        """The prompts are real. A merge is taken to have no clash, so that nobody is asked."""
        if task.operator == "merge":
            return Attempt(None, self.proposal(case))
        if task.operator == "random":
            return Attempt(None, self.proposal(case, unguided_prompt(case)))
        known = without_history(case) if task.arm == "best_of" else case
        asked = Exchange("analyzer", "0" * 32, analyzer_prompt(known), LINE * 30)
        at = 3 * case.draw.iteration % len(self.causes)
        diagnosis = Diagnosis(summary=DIAGNOSIS.summary, causes=self.causes[at : at + 3])
        return Attempt(diagnosis, self.proposal(case, implementer_prompt(known, diagnosis)), (asked,))

    def proposal(self, case: Case, *prompts: str) -> Proposal:
        """The child with its rate; its commit is the baseline's."""
        number, parent = case.draw.iteration, case.parent.id
        self.rates[f"c{number}"] = self.rates[parent] + 0.2 * (number % 10 == 3)
        child = Candidate(f"c{number}", number, parent, self.baseline.commit, f"{number:040x}", LINE * 20)
        asked = tuple(Exchange("implementer", "0" * 32, one, LINE * 30) for one in prompts)
        return Proposal("proposed", "", f"Changed {number}.", child, asked, f"{number:064x}")

    async def record(self, iteration: Iteration) -> Iteration:
        assert iteration.child is not None
        await self.repository.publish(iteration.child)
        said = iteration if self.text else replace(iteration, evaluations=())
        traces = await self.traces.save(said)
        return await self.history.record("run-001", replace(iteration, spend=SPEND), traces)


def pooled(rows: Sequence[DocumentRow], text: bool) -> dict[tuple[int, int], list[Rollout]]:
    """Place of a document and trial -> a rollout for each way to end; training documents are drawn once."""
    trials = {"training": 1, "validation": TRIALS, "test": 0}
    return {
        (at, trial): [told(rollout(at, steps, lost, trial), text) for steps, lost in ENDS]
        for at, one in enumerate(rows)
        for trial in range(trials[one.split])
    }


def ended(luck: float, rate: float) -> int:
    """Place in ENDS: accepted, refused for one of the reasons, or, one in fifty, without a score."""
    if luck < rate:
        return 0
    return len(ENDS) - 1 if luck > 0.98 else 1 + int(1000 * luck) % len(REASONS)


def causes(rng: np.random.Generator) -> tuple[Cause, ...]:
    """Thirty that come again, their titles as unlike as different ideas; each says that the first rollout gets better."""
    words = sorted({word for one in STUB_EXAMPLE.values() for word in str(one).split() if word.isalpha()})
    titles = (" ".join(rng.choice(words, 8, replace=False)) for _ in range(30))
    return tuple(CAUSE.model_copy(update={"title": one, "fixes": (1,)}) for one in titles)


def told(one: Rollout, text: bool) -> Rollout:
    """With a trajectory as long as a real one: three questions and what was said to them, some 70 kB."""
    ask = Step(kind="ask", ordinal=0, prompt=LINE * 150, reply=LINE * 30, finish_reason="stop", call="0" * 32)
    return one.model_copy(update={"steps": (ask, ask, ask, *one.steps)}) if text else one


async def loop(folder: Path, number: int, text: bool) -> Cpu:
    """The loop, eight at once, without calls and rollouts; CPU milliseconds of an iteration."""
    folder.mkdir()
    async with World(folder, number, text) as world:
        trials = range(world.track.rule.record)
        zero = await record(world.track, world.baseline, 0, "baseline", trials)
        first = Iteration(
            0, "baseline", "", "c0", 0, world.baseline, evaluations=(zero,), started=1e9, finished=1e9
        )
        results = Results([await world.record(first)])
        before = Cpu.now()
        await evolve(Plan(0, 8, 8, number), world.parts(), results)
        each = Cpu.now().since(before, number)
        assert len(results.finished) == number + 1
    return each


async def iterations(folder: Path, number: int) -> list[Figure]:
    """Once with what rollouts say, once without: to show it to the analyzer and to write it down is their cost."""
    plain, whole = await loop(folder / "plain", number, False), await loop(folder / "text", number, True)
    return [
        Figure("an iteration outside of calls and rollouts", plain.own, "ms", 5),
        Figure("  and to quote and write down what its rollouts said", whole.own - plain.own, "ms"),
        Figure("  and git in a process of its own, one ref", plain.children, "ms"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--rollouts", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=200)
    chosen = parser.parse_args()
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="evolve-cpu-") as scratch:
        figures += asyncio.run(iterations(Path(scratch), chosen.iterations))
        figures += asyncio.run(calls(Path(scratch), chosen.calls))
        figures += asyncio.run(rollouts(chosen.rollouts))
    return tell(figures)


if __name__ == "__main__":
    sys.exit(main())
