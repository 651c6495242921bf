"""`evolve generate`: a recorded candidate over documents. Uses a run, changes nothing of it; has a journal of its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from evolve.assembly import endpoints, instrument_of
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.opening import read_recorded
from evolve.population import Candidate
from evolve.repository import Repository
from evolve.settings import Settings
from evolve.stopping import stopping_on_sigterm
from harness.budget import Budget, BudgetLimits
from harness.documents import divide, load_async
from harness.gateway import Gateway
from harness.generate import Order, Provenance, Roll, Tally, generate
from harness.journal import Journal
from harness.rollout import Place, roll_out
from harness.sandbox.choose import choose
from harness.types import Document, Draw, Rollout


@dataclass(frozen=True)
class Job:
    """What to produce: a candidate of a run, from documents (None: the run's training documents), into a file."""

    layout: Layout
    candidate: Candidate
    out: Path
    wanted: int
    passes: int = 1
    documents: Path | None = None
    budget: BudgetLimits = field(default_factory=BudgetLimits)


@dataclass(frozen=True)
class Production:
    """How it went: the tally, and what was paid in this start (calls, tokens, US dollars)."""

    tally: Tally
    provenance: Provenance
    documents: int
    calls: int
    tokens: int
    cost: float


async def produce(job: Job) -> Production:
    """Generate until enough examples are in the file, the documents are used up, or something ends it.

    Every call is journalled in `<out>.calls.db`: the same command goes on and pays for nothing twice.

    Raises:
        EvolveError: by kind; what is in the file stands.
    """
    recorded = read_recorded(job.layout.database, job.layout.run)
    settings = recorded.settings.model_copy(update={"budget": job.budget})
    documents = await documents_of(job, settings)
    async with opened(job, settings) as (place, gateway, scaffold):
        provenance = Provenance(
            run=job.layout.run,
            candidate=job.candidate.id,
            commit=job.candidate.commit,
            instrument=place.instrument.hash,
            preset=place.instrument.preset,
            sandbox=place.sandbox.level,
            simulated=place.instrument.simulated,
        )
        live = 2 * max(model.slots for model in settings.models.values())
        order = Order(job.wanted, job.passes, live, job.candidate.iteration, provenance)
        with stopping_on_sigterm():
            tally = await generate(roller(place, scaffold), documents, order, job.out)
        spent = list(gateway.spent.values())
    calls, tokens = sum(one.calls for one in spent), sum(one.tokens for one in spent)
    return Production(tally, provenance, len(documents), calls, tokens, sum(one.cost for one in spent))


async def documents_of(job: Job, settings: Settings) -> tuple[Document, ...]:
    """The documents to work on; those of a run without its validation and test splits."""
    if job.documents is not None:
        return (await load_async(job.documents)).documents
    wanted = settings.documents
    collection = await load_async(None if wanted.path is None else job.layout.folder / wanted.path)
    return divide(collection, wanted.validation, wanted.test).training


@asynccontextmanager
async def opened(job: Job, settings: Settings) -> AsyncIterator[tuple[Place, Gateway, Path]]:
    """Sandbox, journal, clients and a fresh checkout of the scaffold, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        stack.enter_context(RunLock(job.out.with_name(f"{job.out.name}.lock")))
        foreign = job.candidate.id != "c0" and not settings.models["implementer"].simulated
        sandbox = await choose(settings.sandbox, foreign_code=foreign)
        repository = Repository(job.layout.candidates)
        stack.callback(repository.close)
        folder = stack.enter_context(TemporaryDirectory(prefix="evolve-generate-"))
        scaffold = Path(folder) / "scaffold"
        await repository.checkout(job.candidate.commit, scaffold)
        journal = Journal(job.out.with_name(f"{job.out.name}.calls.db"))
        stack.callback(journal.close)
        budget = Budget(settings.budget, {one.role: one.spent for one in await journal.totals()})
        gateway = Gateway(settings.models, endpoints(settings), journal, budget, settings.search.seed)
        stack.push_async_callback(gateway.close)
        yield Place(gateway, sandbox, instrument_of(settings)), gateway, scaffold


def roller(place: Place, scaffold: Path) -> Roll:
    """Rollouts of one scaffold at one place."""

    async def roll(document: Document, draw: Draw) -> Rollout:
        return await roll_out(place, scaffold, document, replace(draw, document=document.id))

    return roll
