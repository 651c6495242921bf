"""A place to measure at that belongs to no run: sandbox, journal, budget, gateway, checker. `generate` and `compare`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from evolve.assembly import instrument_of, open_calling
from evolve.serving import refuse_missing
from evolve.settings import Settings
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
        calling = open_calling(settings, keys, calls, folder)
        journal, gateway, checker = await stack.enter_async_context(calling)
        place = Place(gateway, sandbox, instrument_of(settings, production=True), checker)
        yield OpenPlace(place, gateway, journal)
