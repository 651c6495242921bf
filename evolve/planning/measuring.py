"""The pilot that a plan pays for: the baseline scaffold on a few training documents, by the run's own instrument."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from evolve.assembly import gather_documents, instrument_of
from evolve.comparing.arms import Entrant, plain
from evolve.comparing.filing import write
from evolve.configuration.credentials import keys_of
from evolve.configuration.sources import read_environment
from evolve.disk import refuse_full
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.opening import Opening
from evolve.places import OpenPlace, open_place
from evolve.planning.reading import CALLS, DONE, FOLDER, finished
from evolve.report.progress import Work
from evolve.settings import Settings
from evolve.showing import model_notices, sandbox_notice, used, watched
from harness.domains import domain
from harness.errors import BudgetSpent
from harness.instrument import MEASURING
from harness.place import Place
from harness.rollout import roll_out
from harness.together import together
from harness.trajectory import Rollout
from harness.types import Document, Draw


@dataclass(frozen=True)
class Job:
    """What to measure. home: folder of the pilot, see `home_of`; environment: variables that hold settings and keys."""

    layout: Layout
    settings: Settings
    home: Path
    documents: int
    environment: Mapping[str, str] | None = field(default=None, repr=False)


class Piloting:
    """A pilot under way, and the state that a display may look at."""

    def __init__(self, job: Job, tools: OpenPlace, notices: tuple[str, ...]) -> None:
        self.job = job
        self.tools = tools
        self.done = finished(job.home)
        self.before = len(self.done)
        self.outcomes: Counter[str] = Counter()
        self.total = job.documents
        self.began = monotonic()
        level = tools.place.sandbox.level
        self.notices = (
            f"pilot: the baseline scaffold on {job.documents} training documents",
            *notices,
            *model_notices(job.settings),
            sandbox_notice(level),
        )

    async def execute(self, scaffold: Path, documents: tuple[Document, ...], place: Place) -> None:
        """All of them at once; those that were done are skipped.

        Raises:
            BudgetSpent: before a single one was done. OurFault: as the harness raises it; what was paid for stands.
        """
        wanted = [one for one in documents if one.id not in self.done]
        self.total = len(wanted)
        try:
            await together(self.one(scaffold, document, place) for document in wanted)
        except BudgetSpent:
            if not self.done:
                raise

    async def one(self, scaffold: Path, document: Document, place: Place) -> Rollout:
        """One rollout, written down as done when it is."""
        rollout = await roll_out(place, scaffold, document, Draw(0, "minibatch", document.id))
        self.outcomes[rollout.outcome] += 1
        self.done[document.id] = rollout.outcome
        write(self.job.home / DONE, json.dumps(self.done, indent=2) + "\n")
        return rollout

    def snapshot(self) -> Work:
        """What a display shows."""
        done = self.outcomes.total()
        work = Work(
            run=self.job.home.name,
            phase="pilot",
            simulated=bool(self.job.settings.simulated),
            unit="rollouts",
            total=self.total,
            done=done,
            outcomes=dict(self.outcomes),
        )
        return used(self.tools.gateway, work, monotonic() - self.began, done)


Watch = Callable[[Piloting], Awaitable[None]]


def scaffold_of(settings: Settings, folder: Path, scratch: Path) -> Entrant:
    """The baseline scaffold as a folder that nothing else changes, and its tree.

    Raises:
        UsageError: there is none for the domain.
    """
    wanted = settings.measure.domain
    return plain("agentic", folder, (wanted, domain(wanted)), scratch)


def home_of(settings: Settings, folder: Path, tree: str) -> Path:
    """Where the pilot of this instrument and this scaffold is kept."""
    return folder / FOLDER / f"{instrument_of(settings).hash}-{tree[:8]}"


async def measure(job: Job, watch: Watch) -> None:
    """Roll the baseline out on so many training documents; the same command pays for nothing twice.

    Raises:
        UsageError: settings, documents or scaffold cannot be used. EvolveError: by kind; what was paid for stands.
    """
    settings, layout = job.settings, job.layout
    keys = keys_of(
        {role: settings.models[role] for role in MEASURING}, read_environment(layout.folder, job.environment)
    )
    splits = await gather_documents(Opening(layout, settings, None, ()))
    refuse_full(job.home, settings.storage.free_space)
    async with AsyncExitStack() as stack:
        scratch = stack.enter_context(TemporaryDirectory(prefix="evolve-plan-"))
        scaffold = scaffold_of(settings, layout.folder, Path(scratch)).scaffold
        stack.enter_context(RunLock(job.home / "lock"))
        calls = job.home / CALLS
        tools = await stack.enter_async_context(
            open_place(settings, keys, calls, layout.folder, foreign_code=False)
        )
        place = Place(tools.place.models, tools.place.sandbox, instrument_of(settings), tools.place.checker)
        piloting = Piloting(job, tools, splits.notices)
        async with watched(watch(piloting)):
            await piloting.execute(scaffold, splits.training[: job.documents], place)
        await tools.gateway.close()
