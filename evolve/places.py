"""A place to measure at that belongs to no run: sandbox, journal, budget, gateway, checker. `generate` and `compare`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from evolve.assembly import endpoints, instrument_of, terms_of
from evolve.serving import refuse_missing, serving
from evolve.settings import Settings
from harness.answers import Checker
from harness.budget import Budget
from harness.gateway import Gateway
from harness.journal import Journal
from harness.place import Place
from harness.sandbox.choose import choose


@dataclass(frozen=True)
class OpenPlace:
    """The place, with what pays for its calls."""

    place: Place
    gateway: Gateway
    journal: Journal


@asynccontextmanager
async def open_place(
    settings: Settings, keys: Mapping[str, str], calls: Path, folder: Path, *, foreign_code: bool
) -> AsyncIterator[OpenPlace]:
    """Open it for as long as the block lasts; its instrument is that of production, its budget that of the settings.

    calls: the journal; what it holds counts as spent. folder: where relative paths of local models begin. foreign_code:
    whether scaffolds that a real model wrote will run.

    Raises:
        StorageError, SandboxError, UsageError: something does not open; what was opened is closed again.
    """
    refuse_missing(settings, folder)
    async with AsyncExitStack() as stack:
        sandbox = await choose(settings.sandbox, foreign_code=foreign_code)
        journal = Journal(calls)
        stack.callback(journal.close)
        budget = Budget(settings.budget, {one.role: one.spent for one in await journal.totals()})
        told: list[str] = []
        running = await stack.enter_async_context(serving(settings, folder, told.append))
        gateway = Gateway(running.models, endpoints(running, keys), journal, budget, terms_of(settings))
        gateway.told = told
        stack.push_async_callback(gateway.close)
        checker = Checker()
        stack.push_async_callback(checker.close)
        place = Place(gateway, sandbox, instrument_of(settings, production=True), checker)
        yield OpenPlace(place, gateway, journal)
