"""Rollouts of the simulated world without model calls, for studies of the search that need very many of them.

What a scaffold's prompts order from the simulated challenger is read once. What becomes of an order is measured by the
real instrument, a limited number of times for each document, and rollouts are drawn from these results. A scaffold's code is
imitated if it is known (see harness/models/simulated/agents.py); any other runs in the sandbox. All scores are simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from evolve.executors.bank import Bank, Entry, Result, short
from evolve.layout import embedded_scaffold
from evolve.settings import Settings
from harness.errors import UsageError
from harness.instrument import MEASURING, Instrument
from harness.models.simulated.agents import PROMPTS, fill, listing, tidying
from harness.models.simulated.rollouts import Answering, Outline, ordered, outline, seed_of
from harness.modes import Mode
from harness.place import Place
from harness.rollout import roll_out
from harness.sandbox import Sandbox
from harness.sandbox.choose import choose
from harness.trajectory import (
    CHECKS,
    SOLVERS,
    Attempt,
    Outcome,
    Proof,
    Report,
    Rollout,
    Step,
    score_of,
)
from harness.types import Document, Draw, Side

OUTLINES = 1_024
ROOM = 4096
WHOLE: frozenset[Side] = frozenset({"minibatch", "rerun"})
SAMPLE = "### TOO EASY\n\n- (prediction) What happens to the rest? [weak 0.80]"
SUBMITTED = Step(kind="submit", ordinal=0)


class Open(Protocol):
    """Opens the sandbox for scaffolds whose code is not known."""

    async def __call__(self) -> Sandbox:
        """Raises SandboxError: there is none here."""
        ...


def create(settings: Settings, instrument: Instrument) -> "WorldExecutor":
    """The executor of a run's settings and instrument. Latency and faults of the simulation have no effect in it.

    Raises:
        UsageError: they ask for something that is not imitated here.
    """
    if problem := unknown(instrument):
        raise UsageError(f"executor 'world' {problem}; use executor = \"local\"")

    async def opened() -> Sandbox:
        return await choose(settings.sandbox, foreign_code=not settings.models["implementer"].simulated)

    return WorldExecutor(Bank(instrument, settings.simulation.seed), settings.search.seed, opened)


def unknown(instrument: Instrument) -> str:
    """What of the instrument is not imitated, in words; empty if all is."""
    if instrument.source != "cs":
        return f"knows domain 'cs' alone, not {instrument.source!r}"
    if not instrument.gate.plain:
        return f"knows gates that go by scores alone, not measure.preset = {instrument.preset!r}"
    if wanted := [one for one in CHECKS if one != "final_verification" and instrument.wants(one)]:
        return f"does not know the check measure.checks.{wanted[0]}"
    if changed := next((one for one in SOLVERS if instrument.mode(one) != Mode()), None):
        return f"knows solvers that answer once, not measure.{changed} = {instrument.mode(changed)!r}"
    for role in MEASURING:
        model = instrument.models[role]
        if not model.simulated:
            return f"needs simulated models, but models.{role} is {model.name!r}"
        if (room := model.sampling.max_tokens) < ROOM:
            return f"knows whole replies alone, so models.{role}.sampling.max_tokens = {room!r} must be {ROOM} or more"
    return ""


class WorldExecutor:
    """The same draw of the same scaffold is always the same rollout; other trials, sides, iterations are independent.

    Sides in `WHOLE` get trajectories to read, the others only what was reported. bank: of the simulated world, may serve
    many runs. seed: of the run.
    """

    def __init__(self, bank: Bank, seed: int, open_sandbox: Open) -> None:
        self.bank = bank
        self.instrument = bank.instrument
        self.seed = seed
        self.open_sandbox = open_sandbox
        self.sandbox: Sandbox | None = None
        self.outlines: dict[tuple[str, str], tuple[Outline, Outline]] = {}

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        """See `Executor.run`."""
        flow = read_flow(scaffold)
        found = []
        for document in documents:
            drawn = replace(draw, document=document.id)
            if flow is None:
                found.append(await self.confined(scaffold, document, drawn))
            else:
                found.append(self.imitated(flow, document, drawn))
        return tuple(found)

    def imitated(self, flow: "Flow", document: Document, draw: Draw) -> Rollout:
        """One rollout of a scaffold with known code."""
        allowance, course = self.instrument.allowance, Course(document, draw)
        rng = generator((self.bank.seed, self.seed), draw, flow.key)
        first, later = self.outlined(flow, document)
        for number in range(1, allowance.submissions + 1):
            listed = listing(course.failures)
            asked = later if listed else first
            length = asked.length(listed)
            if number > allowance.asks or course.tokens + length // 4 >= allowance.tokens:
                break
            course.tokens += -(-length // 4)
            order = ordered(asked.parts(listed), float(rng.random()))
            entry = Entry(document, order, flow.tidies, int(rng.integers(self.bank.size)))
            result, steps = self.drawn(entry, draw.side, asked, listed)
            if course.add(result, steps, allowance.submissions - number).accepted:
                return course.finish("accepted")
        return course.finish("exhausted")

    def drawn(self, entry: Entry, side: Side, asked: Outline, listed: str) -> tuple[Result, Sequence[Step]]:
        """The result of one round and its steps, of which the last is the submission."""
        if side not in WHOLE:
            return self.bank.result(entry), (SUBMITTED,)
        reply, step = self.bank.measured(entry)
        ask = Step(kind="ask", ordinal=0, prompt=asked.text(listed), reply=reply, finish_reason="stop")
        return short(reply, step), (ask, step)

    def outlined(self, flow: "Flow", document: Document) -> tuple[Outline, Outline]:
        """The prompts of the first and of the later rounds."""
        key = flow.key, document.id
        if key not in self.outlines:
            if len(self.outlines) >= OUTLINES:
                self.outlines.clear()
            self.outlines[key] = flow.outlines(document)
        return self.outlines[key]

    async def confined(self, scaffold: Path, document: Document, draw: Draw) -> Rollout:
        """One rollout of any other scaffold: its code in the sandbox, the models in this process."""
        if self.sandbox is None:
            self.sandbox = await self.open_sandbox()
        seed = seed_of(self.bank.seed, self.seed, draw.iteration, draw.side, draw.document, draw.trial)
        place = Place(Answering(seed), self.sandbox, self.instrument)
        found = await roll_out(place, scaffold, document, draw)
        steps = tuple(map(uncalled, found.steps))
        return found.model_copy(update={"steps": steps, "trial": draw.trial, "tokens": 0})


def generator(seeds: tuple[int, int], draw: Draw, key: str) -> np.random.Generator:
    """The randomness of one rollout. seeds: of the world and of the run."""
    parts = f"{seeds} {draw.iteration} {draw.side} {draw.document} {draw.trial} {key}"
    return np.random.default_rng(int.from_bytes(sha256(parts.encode()).digest()[:16], "big"))


@dataclass(frozen=True)
class Flow:
    """A scaffold with known code. prompts: as in `PROMPTS`. key: stands for all of it."""

    prompts: tuple[str, ...]
    tidies: bool
    key: str

    def outlines(self, document: Document) -> tuple[Outline, Outline]:
        """The prompts of the first and of the later rounds."""
        challenger, first, later = self.prompts
        values = {"name": document.name, "document": document.text}
        return (
            outline(fill(challenger, **values, request=first), SAMPLE),
            outline(fill(challenger, **values, request=fill(later, failures=SAMPLE)), SAMPLE),
        )


def read_flow(scaffold: Path) -> Flow | None:
    """The scaffold of a folder; None if its code is not known, or a file is missing or no text."""
    try:
        agent = (scaffold / "agent.py").read_text("utf-8")
        prompts = tuple((scaffold / "prompts" / name).read_text("utf-8") for name in PROMPTS)
    except (OSError, ValueError):
        return None
    if (tidies := tidying(agent, embedded_agent())) is None:
        return None
    return Flow(prompts, tidies, sha256(repr((prompts, tidies)).encode("utf-8", "replace")).hexdigest())


@cache
def embedded_agent() -> str:
    """The agent.py that comes with domain cs."""
    return (embedded_scaffold("cs") / "agent.py").read_text("utf-8")


@dataclass
class Course:
    """One imitated rollout on its way."""

    document: Document
    draw: Draw
    steps: list[Step] = field(default_factory=list)
    failures: list[tuple[Report, str]] = field(default_factory=list)
    asks: int = 0
    tokens: int = 0

    def add(self, result: Result, steps: Sequence[Step], left: int) -> Report:
        """Add a round: what came of its submission, and its steps, the submission the last; the report as it is told."""
        report = result.report.model_copy(update={"submissions_left": left})
        submitted = {"ordinal": 2 * self.asks + 1, "report": report}
        asks = [one.model_copy(update={"ordinal": 2 * self.asks}) for one in steps[:-1]]
        self.steps += [*asks, steps[-1].model_copy(update=submitted)]
        self.failures.append((report, result.line))
        self.asks += 1
        self.tokens += result.tokens
        return report

    def finish(self, outcome: Outcome, detail: str = "") -> Rollout:
        """The rollout. Nothing was paid: it counts no tokens."""
        return Rollout(
            document=self.document.id,
            name=self.document.name,
            outcome=outcome,
            score=score_of(outcome),
            trial=self.draw.trial,
            detail=detail,
            example=self.steps[-1].example if outcome == "accepted" else None,
            steps=tuple(self.steps),
            submissions=self.asks,
            asks=self.asks,
        )


def uncalled(step: Step) -> Step:
    """A step without the empty keys of calls that were never made."""
    changes: dict[str, Any] = {
        name: one.model_copy(update={"calls": ()})
        for name in ("verification", "opinion", "final")
        if (one := getattr(step, name)) is not None
    }
    changes |= {name: free(getattr(step, name)) for name in ("weak", "strong", "proofs")}
    if (fresh := step.confirmation) is not None:
        changes["confirmation"] = fresh.model_copy(
            update={"weak": free(fresh.weak), "strong": free(fresh.strong)}
        )
    return step.model_copy(update=changes)


def free(made: Sequence[Attempt | Proof]) -> tuple[Attempt | Proof, ...]:
    """Attempts or proofs without keys of calls."""
    return tuple(one.model_copy(update={"calls": ()}) for one in made)
