"""CPU time of the host: an iteration outside of its calls and rollouts, a call beyond the bare client, a rollout beyond
a bare interpreter.

python bench/host_cpu.py

Iterations and calls are counted in CPU seconds (`getrusage`), which depend little on what else the machine does;
rollouts, whose processes end unseen, by the clock, one at a time, in turn with bare interpreters. An iteration is the
real loop with its real records (population.db, traces, git ref), only what analyzer, implementer and rollouts answer is
there already. The traces of its rollouts are counted apart, with the quoting of what they said: that grows with the
rollouts, not with the iterations.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from figures import Figure, tell
from serving import PROMPT, Load, bare, served
from synthetic import DIAGNOSIS, LINE, documents, evaluation, run_row

from evolve.case import Case, exchanges_text, files_text, history_text, scores_text
from evolve.history import History
from evolve.iteration import Candidate, Choice, Diagnosis, Evaluation, Exchange, Iteration, Proposal
from evolve.layout import baseline_folder, scaffold_files
from evolve.loop import Parts, Plan, evolve
from evolve.population import Population
from evolve.repository import Repository, create
from evolve.results import Results
from evolve.selection.boltzmann import select
from evolve.selection.strict import survives
from evolve.trace_folder import TraceFolder
from evolve.workshop import STUB_OPENING, Stub
from harness.budget import Budget, BudgetLimits
from harness.gateway import Gateway, Terms
from harness.journal import Journal
from harness.models.openai import Endpoint
from harness.sandbox.choose import choose
from harness.sandbox.pipe import ENVIRONMENT, FLAGS, interpreter
from harness.trajectory import Step
from harness.types import Document, Draw, Message, Model, Request, Side

SLOTS = 8


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
    """Parts of the loop that answer at once. What they answer is made beforehand; what is recorded is real."""

    def __init__(self, folder: Path, iterations: int, text: bool) -> None:
        rng = random.Random(0)
        self.folder = folder
        self.text = text
        self.documents = [Document(one.document, one.name, "text") for one in documents()]
        places: list[tuple[Side, float]] = [
            ("baseline", 0.2),
            ("minibatch", 0.3),
            ("parent", 0.3),
            ("child", 0.5),
        ]
        self.measured = {
            (number, side): told(evaluation(rng, "", (number, side), chance), text)
            for number in range(iterations + 1)
            for side, chance in places
        }

    async def __aenter__(self) -> "World":
        create(self.folder / "candidates.git")
        self.repository = Repository(self.folder / "candidates.git")
        self.history = await History.open(self.folder / "population.db")
        await self.history.open_run(run_row(), documents())
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
            select=self.select,
            minibatch=lambda rng: tuple(self.documents[int(n)] for n in rng.choice(81, 4, replace=False)),
            validation=tuple(self.documents[81:91]),
            evaluate=self.evaluate,
            case=self.case,
            diagnose=self.diagnose,
            implement=self.implement,
            survives=lambda parent, child: survives(parent, child, 1),
            record=self.record,
        )

    def select(self, population: Population, rng: np.random.Generator) -> Choice:
        return select(population, 0.1, rng)

    async def evaluate(
        self, candidate: Candidate, documents: tuple[Document, ...], iteration: int, side: Side
    ) -> Evaluation:
        return replace(self.measured[iteration, side], candidate=candidate.id)

    async def case(self, parent: Candidate, measured: Evaluation, seen: Population, draw: Draw) -> Case:
        return Case(parent, self.files, measured, seen, draw)

    async def diagnose(self, case: Case) -> tuple[Diagnosis | None, tuple[Exchange, ...]]:
        prompt = "\n".join((files_text(case), history_text(case), scores_text(case), exchanges_text(case)))
        return DIAGNOSIS, (Exchange("analyzer", "0" * 32, prompt, LINE * 30),)

    async def implement(self, case: Case, diagnosis: Diagnosis) -> Proposal:
        number = case.draw.iteration
        child = Candidate(
            f"c{number}", number, case.parent.id, self.baseline.commit, f"{number:040x}", LINE * 20
        )
        prompt = "\n".join((files_text(case), history_text(case)))
        return Proposal(
            "proposed", "", "Changed.", child, (Exchange("implementer", "0" * 32, prompt, LINE * 30),)
        )

    async def record(self, iteration: Iteration) -> Iteration:
        assert iteration.child is not None
        await self.repository.publish(iteration.child)
        said = iteration if self.text else replace(iteration, evaluations=())
        traces = await self.traces.save(said)
        return await self.history.record("run-001", iteration, traces)


def told(measured: Evaluation, text: bool) -> Evaluation:
    """With trajectories as long as real ones: three questions and what was said to them, some 70 kB a rollout."""
    ask = Step(kind="ask", ordinal=0, prompt=LINE * 150, reply=LINE * 30, finish_reason="stop", call="0" * 32)
    long = (one.model_copy(update={"steps": (ask, ask, ask, *one.steps)}) for one in measured.rollouts)
    return replace(measured, rollouts=tuple(long)) if text else measured


async def loop(folder: Path, number: int, text: bool) -> Cpu:
    """The loop, eight at once, without calls and rollouts; CPU milliseconds of an iteration."""
    folder.mkdir()
    async with World(folder, number, text) as world:
        zero = replace(world.measured[0, "baseline"], candidate="c0")
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
