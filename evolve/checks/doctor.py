"""Everything that `evolve doctor` looks at, in order. It decides nothing, repairs nothing and pays for nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

from evolve.checks import Finding, bad, folder, machine, ok, records, services
from evolve.configuration.sources import Environment, read_environment
from evolve.settings import FILE, Settings, effective, gathered
from harness.errors import UsageError


async def examine(database: Path) -> AsyncIterator[Finding]:
    """One finding after the other: of the machine, the folder of the database, what runs left there, and the models.

    With settings that cannot be read the rest is held against the defaults.
    """
    place = database.absolute().parent
    settings, environment, about = settings_of(place)
    for one in (machine.python(), machine.sqlite(), machine.git(), machine.open_files(settings)):
        yield one
    yield await services.sandbox(settings)
    for one in folder.examine(place, settings.storage.free_space):
        yield one
    if place.is_dir():
        for one in records.examine(database.absolute()):
            yield one
    yield about
    for one in services.keys(settings, environment):
        yield one
    for one in services.local_models(settings, place):
        yield one
    for one in await services.endpoints(settings, environment):
        yield one


def settings_of(place: Path) -> tuple[Settings, Environment, Finding]:
    """The settings of a folder, or the defaults, its variables, and what is to be said about evolve.toml."""
    try:
        environment = read_environment(place)
        settings = effective(gathered(place, environment), environment).settings
    except UsageError as error:
        text = " ".join(str(error).split())
        return Settings(), Environment(), bad("settings", text, "correct that; until then nothing runs here")
    there = f"{FILE} can be used" if (place / FILE).exists() else f"no {FILE} here; the defaults hold"
    return settings, environment, ok("settings", there)
