"""`evolve generate`: a recorded candidate over documents. Uses a run, changes nothing of it; has a journal of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from evolve.again import other_instrument, reopen
from evolve.assembly import instrument_of
from evolve.disk import refuse_full
from evolve.iteration import Candidate
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.opening import Opening, Options
from evolve.places import open_place
from evolve.report.journal import Receipt
from evolve.report.progress import Work
from evolve.repository import Repository
from evolve.seal import unsealed
from evolve.showing import model_notices, sandbox_notice, used, watched
from harness.advice import advice
from harness.budget import BudgetLimits
from harness.documents import divide, load_async
from harness.errors import BudgetSpent, UsageError
from harness.gateway import Gateway
from harness.generate import Order, Provenance, Roll, Tally, generate
from harness.journal import Journal
from harness.rollout import Place, roll_out
from harness.trajectory import Rollout
from harness.types import Document, Draw

Watch = Callable[["Making"], Awaitable[None]]


@dataclass(frozen=True)
class Job:
    """What to produce: a candidate of a run, from documents (None: the run's training documents), into a file.

    other_instrument: also if this would measure acceptance with another instrument than the run did.
    """

    layout: Layout
    candidate: Candidate
    out: Path
    wanted: int
    passes: int = 1
    documents: Path | None = None
    budget: BudgetLimits = field(default_factory=BudgetLimits)
    other_instrument: bool = False


@dataclass(frozen=True)
class Production:
    """How it went: the tally; what was paid in this start and for the whole file; what stopped it early, if anything."""

    tally: Tally
    provenance: Provenance
    documents: int
    paid: Receipt
    paid_in_all: Receipt
    message: str = ""

    @property
    def cost_of_one(self) -> float | None:
        """US dollars for an accepted example, over all starts; None while there is none."""
        return self.paid_in_all.cost / self.tally.accepted if self.tally.accepted else None


@dataclass(frozen=True)
class Tools:
    """What a production works with, open for as long as it lasts."""

    place: Place
    gateway: Gateway
    journal: Journal
    scaffold: Path


async def unwatched(_: "Making") -> None:
    """Nobody looks."""


async def produce(job: Job, watch: Watch = unwatched) -> Production:
    """Generate until enough examples are in the file, the documents are used up, or the budget is spent.

    Every call is journalled in `<out>.calls.db`: the same command goes on and pays for nothing twice.
    watch: runs beside it and is cancelled when it ends; it may look at `notices` and `snapshot()`.

    Raises:
        UsageError: it would measure with another instrument than the run did.
        EvolveError: by kind; what is in the file stands.
    """
    opening = reopen(Options(job.layout.folder, job.layout.database), job.layout.run)
    opening = replace(opening, settings=opening.settings.model_copy(update={"budget": job.budget}))
    refuse_full(job.out.absolute().parent, opening.settings.storage.free_space)
    refuse(job, opening)
    documents, left_out = await documents_of(job, opening)
    async with opened(job, opening) as tools:
        making = Making(job, opening, tools, documents)
        making.notices = (*making.notices, *left_out)
        async with watched(watch(making)):
            return await making.execute()


def refuse(job: Job, opening: Opening) -> None:
    """Examples accepted by another instrument are not what the scaffold was selected for.

    Raises:
        UsageError: it says what differs.
    """
    if job.other_instrument or opening.recorded is None:
        return
    now = instrument_of(opening.settings).hash
    if problem := other_instrument(job.layout.run, opening.recorded, opening.settings, now):
        raise UsageError(
            f"{problem}\nIts scaffolds were selected for the other one. Go back to that, or give --other-instrument; "
            "every example says which instrument accepted it."
        )


class Making:
    """One production, and the state that a display may look at."""

    def __init__(self, job: Job, opening: Opening, tools: Tools, documents: tuple[Document, ...]) -> None:
        self.job = job
        self.tools = tools
        self.documents = documents
        self.tally = Tally()
        self.began = monotonic()
        instrument, level = tools.place.instrument, tools.place.sandbox.level
        self.provenance = Provenance(
            run=job.layout.run,
            candidate=job.candidate.id,
            commit=job.candidate.commit,
            instrument=instrument.hash,
            domain=instrument.domain.name,
            preset=instrument.preset,
            sandbox=level,
            simulated=instrument.simulated,
        )
        self.live = 2 * max(model.slots for model in opening.settings.models.values())
        self.notices = (
            f"generating with {job.candidate.id} of {job.layout.run} from {len(documents):,} documents into {job.out}",
            *opening.notices,
            *model_notices(opening.settings),
            sandbox_notice(level),
        )

    async def execute(self) -> Production:
        """Generate; a spent budget ends it quietly."""
        order = Order(
            self.job.wanted, self.job.passes, self.live, self.job.candidate.iteration, self.provenance
        )
        roll, message = roller(self.tools.place, self.tools.scaffold), ""
        try:
            await generate(roll, self.documents, order, self.job.out, self.tally)
        except BudgetSpent as spent:
            message = str(spent)
        await (
            self.tools.gateway.close()
        )  # calls of rollouts that are not needed any more are under way, and paid for
        now = receipt_of((one.calls, one.tokens, one.cost) for one in self.tools.gateway.spent.values())
        sums = [one.spent for one in await self.tools.journal.totals()]
        paid = receipt_of((one.calls, one.tokens, one.cost) for one in sums)
        return Production(self.tally, self.provenance, len(self.documents), now, paid, message)

    def snapshot(self) -> Work:
        """What a display shows."""
        work = Work(
            run=self.job.layout.run,
            phase=f"generate with {self.job.candidate.id}",
            simulated=self.provenance.simulated,
            unit="examples",
            total=self.job.wanted,
            done=self.tally.accepted,
            outcomes=dict(self.tally.outcomes),
            advice=advice(self.tally.mix),
        )
        fresh = self.tally.outcomes.get("accepted", 0)
        return used(self.tools.gateway, work, monotonic() - self.began, fresh)


def receipt_of(amounts: Iterable[tuple[int, int, float]]) -> Receipt:
    """Calls, tokens and US dollars, added up."""
    columns = list(zip(*amounts, strict=True)) or [(), (), ()]
    return Receipt(sum(columns[0]), sum(columns[1]), sum(columns[2]))


async def documents_of(job: Job, opening: Opening) -> tuple[tuple[Document, ...], tuple[str, ...]]:
    """The documents to work on, never the run's sealed test documents, and what was left out, in words.

    Of the run's own documents the training split.

    Raises:
        UsageError: nothing but test documents was given.
    """
    wanted, place = opening.settings.documents, job.documents
    if place is None:
        collection = await load_async(None if wanted.path is None else job.layout.folder / wanted.path)
        return divide(collection, wanted.validation, wanted.test).training, ()
    given = (await load_async(place)).documents
    free = unsealed(given, opening.recorded.documents if opening.recorded is not None else {})
    run, sealed = job.layout.run, len(given) - len(free)
    if not free:
        raise UsageError(
            f"all {sealed} documents in {str(place)!r} are test documents of run {run!r}, which only `evolve test` opens; "
            "name others with --docs"
        )
    return free, ((f"{sealed} test documents of {run} are left out: they are sealed",) if sealed else ())


@asynccontextmanager
async def opened(job: Job, opening: Opening) -> AsyncIterator[Tools]:
    """A place to measure at and a fresh checkout of the scaffold, for as long as the block lasts."""
    settings = opening.settings
    async with AsyncExitStack() as stack:
        stack.enter_context(RunLock(job.out.with_name(f"{job.out.name}.lock")))
        foreign = job.candidate.id != "c0" and not settings.models["implementer"].simulated
        calls = job.out.with_name(f"{job.out.name}.calls.db")
        found = await stack.enter_async_context(
            open_place(settings, opening.keys, calls, job.layout.folder, foreign_code=foreign)
        )
        repository = Repository(job.layout.candidates)
        stack.callback(repository.close)
        scaffold = Path(stack.enter_context(TemporaryDirectory(prefix="evolve-generate-"))) / "scaffold"
        await repository.checkout(job.candidate.commit, scaffold)
        yield Tools(found.place, found.gateway, found.journal, scaffold)


def roller(place: Place, scaffold: Path) -> Roll:
    """Rollouts of one scaffold at one place."""

    async def roll(document: Document, draw: Draw) -> Rollout:
        return await roll_out(place, scaffold, document, replace(draw, document=document.id))

    return roll
