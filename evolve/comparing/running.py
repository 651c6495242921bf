"""One start of a comparison: every arm on every document, then best of k at the spend of the others."""

from collections import Counter
from dataclasses import dataclass, field, replace
from time import monotonic, time

from evolve import __version__
from evolve.comparing import best_of, filing
from evolve.comparing.arms import Entrant
from evolve.comparing.books import SHARED, Books, Sharing, books
from evolve.comparing.job import Ready
from evolve.comparing.stored import Compared
from evolve.comparing.values import WITHOUT_VERDICT, Arm, Row, row_of, submissions, verified
from evolve.places import OpenPlace
from evolve.report.journal import Receipt
from evolve.report.progress import Work
from evolve.rows import moment
from evolve.showing import model_notices, sandbox_notice, used
from harness.advice import Mix, advice
from harness.errors import BudgetSpent, StorageError
from harness.place import Place
from harness.rollout import roll_out
from harness.slots import Slots
from harness.together import together
from harness.trajectory import Rollout, Step
from harness.types import Document, Draw


@dataclass(frozen=True)
class Comparison:
    """What came of it. paid: in this start; message: what stopped it early; unstored: why the database has it not.

    again: it was read from the database, nothing was asked. advice: how the first documents went, arm by arm.
    """

    compared: Compared
    paid: Receipt = field(default_factory=Receipt)
    message: str = ""
    unstored: str = ""
    again: bool = False
    advice: tuple[str, ...] = ()


class Comparing:
    """One start of a comparison, and the state that a display may look at."""

    def __init__(self, ready: Ready, name: str, tools: OpenPlace) -> None:
        self.ready = ready
        self.name = name
        self.tools = tools
        self.began = monotonic()
        self.arms = ready.facts.arms
        self.rollouts: dict[tuple[str, str], Rollout] = {}
        self.pool: dict[tuple[str, int], Rollout] = {}
        self.again: dict[tuple[str, int], Step | None] = {}
        self.best: tuple[Arm, ...] = ()
        self.mixes = {one.name: Mix() for one in self.arms}
        self.outcomes: Counter[str] = Counter()
        self.total = len(self.arms) * len(ready.documents)
        self.phase = "arms"
        slots = max(model.slots for model in ready.settings.models.values())
        self.live = Slots(max(1, 2 * slots // len(self.arms)))
        documents = len(ready.documents)
        self.notices = (
            f"{name}: {', '.join(one.name for one in self.arms)} on {documents} documents, preset {ready.facts.preset}",
            *ready.notices,
            *model_notices(ready.settings),
            sandbox_notice(tools.place.sandbox.level),
        )

    async def execute(self) -> Comparison:
        """All arms, then best of k at their spend; a spent budget ends it quietly."""
        message = ""
        try:
            await together(self.document(place, one) for place, one in enumerate(self.ready.documents))
            if self.ready.facts.spend_unit != "none":
                await self.measure_best()
        except BudgetSpent as spent:
            message = str(spent)
        await self.tools.gateway.close()
        found = self.compared(await books(self.tools.journal))
        spent_now = self.tools.gateway.spent.values()
        paid = Receipt(
            *(sum(column) for column in zip(*((s.calls, s.tokens, s.cost) for s in spent_now), strict=True))
        )
        comparison = Comparison(found, paid, message, advice=self.advice())
        if message:
            return comparison
        home = self.ready.job.layout.folder / filing.FOLDER / self.name
        filing.write_traces(home, self.rollouts, self.pool, self.again)
        try:
            await filing.store(self.ready.job.layout.database, found, (__version__, self.ready.settings))
        except StorageError as problem:
            return replace(comparison, unstored=str(problem))
        return comparison

    async def document(self, place: int, document: Document) -> None:
        """Every arm on one document; the earlier document goes first."""
        async with self.live.hold(place):
            await together(
                self.roll(number, one, document) for number, one in enumerate(self.ready.entrants, SHARED + 1)
            )

    async def roll(self, number: int, entrant: Entrant, document: Document) -> None:
        """One arm on one document."""
        draw = Draw(number, "production", document.id)
        place = self.place(thorough=entrant.arm.kind == "cot")
        rollout = await roll_out(place, entrant.scaffold, document, draw)
        self.rollouts[entrant.arm.name, document.id] = rollout
        self.mixes[entrant.arm.name].add(rollout)
        self.outcomes[word(rollout, one_shot=entrant.arm.one_shot)] += 1

    def place(self, *, thorough: bool = False) -> Place:
        """Where an arm is measured. thorough: both solvers try whatever the verifier passes."""
        place = self.tools.place
        models = Sharing(place.models, place.instrument.domain.extraction)
        return replace(place, models=models, instrument=replace(place.instrument, thorough=thorough))

    @property
    def suitable(self) -> list[Document]:
        """The documents that an extractor, where there is one, found suitable."""
        cot = [(one, self.rollouts["cot", one.id]) for one in self.ready.documents]
        return [one for one, rollout in cot if rollout.outcome != "doc_not_suitable"]

    @property
    def pool_number(self) -> int:
        """The number under which the generations of best of k are recorded."""
        return len(self.arms) + 1

    async def measure_best(self) -> None:
        """One generation of every document to see what one costs, then as many as each other arm's spend allows."""
        self.phase = "best of k"
        if not self.suitable:
            return
        await self.generate(1)
        spent, unit = await books(self.tools.journal), self.ready.facts.spend_unit
        one = spent.spent(self.pool_number, trial=1).of(unit)
        again = self.measuring(spent)
        allowed = {
            arm.name: best_of.generations(spent.spent(number).of(unit), one, again)
            for number, arm in enumerate(self.arms, SHARED + 1)
            if arm.kind != "cot"
        }
        await together(self.generate(trial) for trial in range(2, max(allowed.values()) + 1))
        several = len(allowed) > 1
        best = []
        for name, k in allowed.items():
            title = f"best of {k}" + (f" ({name})" if several else "")
            best.append(
                replace(self.arms[self.names.index("cot")], name=title, kind="best_of", generations=k)
            )
            best[-1] = replace(best[-1], spend_of=name)
            await together(self.measure_again(k, document) for document in self.suitable)
        self.best = tuple(best)

    def measuring(self, spent: Books) -> float:
        """What measuring one task of every document with the whole gate takes, as the one-shot arm shows it."""
        tried = sum(
            bool(step.weak and step.strong)
            for one in self.suitable
            for step in submissions(self.rollouts["cot", one.id])
        )
        paid = spent.spent(self.names.index("cot") + SHARED + 1, made=False).of(self.ready.facts.spend_unit)
        return paid / tried * len(self.suitable) if tried else 0.0

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.arms]

    async def generate(self, trial: int) -> None:
        """One more one-shot task of every document."""
        self.total += len(self.suitable)
        await together(self.one_more(trial, place, one) for place, one in enumerate(self.suitable))

    async def one_more(self, trial: int, place: int, document: Document) -> None:
        """One more one-shot task of a document, verified and tried by both solvers."""
        scaffold = self.ready.entrants[self.names.index("cot")].scaffold
        where = self.place()
        where = replace(where, instrument=best_of.screening(where.instrument))
        async with self.live.hold(place):
            draw = Draw(self.pool_number, "production", document.id, trial)
            self.pool[document.id, trial] = await roll_out(where, scaffold, document, draw)
        self.outcomes[word(self.pool[document.id, trial], one_shot=True)] += 1

    def generations(self, document: str, k: int) -> list[Rollout]:
        """The first k generations of a document."""
        return [self.pool[document, trial] for trial in range(1, k + 1)]

    async def measure_again(self, k: int, document: Document) -> None:
        """The best of the first k generations, on fresh attempts."""
        choice = best_of.best(self.generations(document.id, k))
        if choice.trial is not None and (document.id, choice.trial) not in self.again:
            draw = Draw(self.pool_number, "production", document.id)
            self.again[document.id, choice.trial] = await best_of.measured_again(
                self.place(), document, choice, draw
            )

    def compared(self, spent: Books) -> Compared:
        """The comparison as far as it has come: documents that every arm is done with."""
        done = [
            one.id
            for one in self.ready.documents
            if all((name, one.id) in self.rollouts for name in self.names)
        ]
        rows = [
            row_of(arm, self.rollouts[arm.name, one], spent.bill(number, one, one_shot=arm.one_shot))
            for number, arm in enumerate(self.arms, SHARED + 1)
            for one in done
        ]
        rows += [self.best_row(arm, one, spent) for arm in self.best for one in done]
        facts = replace(self.ready.facts, documents=tuple(done))
        level = self.tools.place.sandbox.level
        return Compared(self.name, moment(time()), facts, level, (*self.arms, *self.best), tuple(rows))

    def best_row(self, arm: Arm, document: str, spent: Books) -> Row:
        """Best of k on one document; one that is not suitable is that for all arms."""
        first = self.rollouts["cot", document]
        if first.outcome == "doc_not_suitable":
            return row_of(arm, first, spent.bill(SHARED, document, one_shot=True))
        found = self.generations(document, arm.generations)
        trial = best_of.best(found).trial
        bill = spent.best_bill(self.pool_number, document, arm.generations, trial)
        again = self.again.get((document, trial)) if trial is not None else None
        return best_of.row_of(arm, found, again, bill)

    def advice(self) -> tuple[str, ...]:
        """What the first documents of each arm that hears back say should be changed."""
        return tuple(
            f"{one.name}: {text}"
            for one in self.arms
            if not one.one_shot and (text := advice(self.mixes[one.name]))
        )

    def snapshot(self) -> Work:
        """What a display shows."""
        done = self.outcomes.total()
        work = Work(
            run=self.name,
            phase=self.phase,
            simulated=self.ready.facts.measured_by_simulation,
            unit="rollouts",
            total=self.total,
            done=done,
            outcomes=dict(self.outcomes),
            advice=next(iter(self.advice()), ""),
        )
        return used(self.tools.gateway, work, monotonic() - self.began, done)


def word(rollout: Rollout, *, one_shot: bool) -> str:
    """How a rollout ended, for a display: of a one-shot arm, whether the verifier passes its task."""
    if not one_shot or rollout.outcome in WITHOUT_VERDICT:
        return rollout.outcome
    return "verified" if verified(submissions(rollout)) else "turned down"
