"""A recorded run, for programs: what it measured, its scaffolds, and making examples with one. Never changes the run."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from evolve.iteration import Candidate
from evolve.layout import DATABASE, Layout
from evolve.production import Job, Production, produce
from evolve.report import overview
from evolve.report.overview import Entry, Node, Overview
from evolve.report.store import opened, resolve
from evolve.repository import Repository
from harness.budget import BudgetLimits
from harness.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class RecordedRun:
    """One run in a database. Each call reads it as of that moment, also while the run goes on in another process.

    Candidates are named as on the command line: "best", "baseline", "c12", or the beginning of a commit.
    """

    database: Path
    run: str

    def overview(self) -> Overview:
        """Scores of baseline and best with their intervals, their difference, failures, cost."""
        with opened(self.database, self.run) as store:
            return overview.overview(store)

    def log(self) -> tuple[Entry, ...]:
        """Every recorded iteration, by number; the baseline is number 0."""
        with opened(self.database, self.run) as store:
            return overview.log(store)

    def lineage(self) -> tuple[Node, ...]:
        """Every candidate in order of birth, with its parent and its score."""
        with opened(self.database, self.run) as store:
            return overview.lineage(store)

    def diff(self, candidate: str = "best", against: str = "baseline") -> str:
        """What was changed between two scaffolds, as a unified diff that `git apply` takes.

        Raises:
            UsageError: there is no such candidate.
        """
        old, new = self._candidate(against), self._candidate(candidate)
        return self._in_repository(lambda repository: repository.diff(old.commit, new.commit))

    def files(self, candidate: str = "best") -> dict[str, str]:
        """Path -> text of every file of a scaffold.

        Raises:
            UsageError: there is no such candidate.
        """
        commit = self._candidate(candidate).commit
        return self._in_repository(lambda repository: repository.files(commit))

    def export(self, to: str | Path, candidate: str = "best") -> Path:
        """Write a scaffold's files into a new folder.

        Raises:
            UsageError: there is no such candidate, or the folder is there already.
        """
        place, commit = Path(to), self._candidate(candidate).commit
        if place.exists():
            raise UsageError(f"{str(place)!r} is there already; name a folder that is not")
        self._in_repository(lambda repository: repository.checkout(commit, place))
        return place

    def generate(
        self,
        out: str | Path,
        wanted: int = 100,
        *,
        candidate: str = "best",
        docs: str | Path | None = None,
        passes: int = 1,
        budget: BudgetLimits | None = None,
        other_instrument: bool = False,
    ) -> Production:
        """Make accepted examples with a scaffold, one JSON line each, as `evolve generate` does; blocks.

        docs: a folder or file; None: the run's training documents. Called again it goes on and pays for nothing twice.
        budget: what the whole file may cost; if it is spent, `message` says so. other_instrument: also if this installation
        would measure acceptance with another one than the run did.

        Raises:
            UsageError: there is no such candidate, the documents cannot be used, or a loop runs in this thread.
            EvolveError: by kind; what is in the file stands.
        """
        refuse_running_loop("agenerate")
        return asyncio.run(
            self.agenerate(
                out,
                wanted,
                candidate=candidate,
                docs=docs,
                passes=passes,
                budget=budget,
                other_instrument=other_instrument,
            )
        )

    async def agenerate(
        self,
        out: str | Path,
        wanted: int = 100,
        *,
        candidate: str = "best",
        docs: str | Path | None = None,
        passes: int = 1,
        budget: BudgetLimits | None = None,
        other_instrument: bool = False,
    ) -> Production:
        """The same inside an event loop."""
        file = Path(out)
        if not file.absolute().parent.is_dir():
            raise UsageError(f"{str(file.parent)!r} is no folder; make it, or name another file")
        layout = Layout(self.database.parent, self.database, self.run)
        documents = Path(docs).absolute() if docs is not None else None
        job = Job(layout, self._candidate(candidate), file, wanted, passes, documents)
        return await produce(replace(job, budget=budget or BudgetLimits(), other_instrument=other_instrument))

    def _candidate(self, name: str) -> Candidate:
        with opened(self.database, self.run) as store:
            return resolve(store, name)

    def _in_repository(self, work: Callable[[Repository], Awaitable[T]]) -> T:
        """Do it in a thread with a loop of its own: this one may have a loop that runs."""

        async def done() -> T:
            repository = Repository(Layout(self.database.parent, self.database, self.run).candidates)
            try:
                return await work(repository)
            finally:
                repository.close()

        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(lambda: asyncio.run(done())).result()


def open_run(folder: str | Path = ".", run: str | None = None) -> RecordedRun:
    """A run that is recorded in a folder: the named one, else the one that the command line would take.

    Raises:
        StorageError: there is no database in it, or it cannot be read. UsageError: no such run.
    """
    database = Path(folder).absolute() / DATABASE
    with opened(database, run) as store:
        return RecordedRun(database, store.run.run)


def refuse_running_loop(other: str) -> None:
    """Blocking would hang the loop that runs in this thread.

    Raises:
        UsageError: one does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(f"an event loop runs in this thread, as in a notebook: use `await {other}(...)` instead")
