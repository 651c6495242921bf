"""Which settings `evolve run` would use now, and why: for people who ask before they start. Starts and changes nothing."""

from dataclasses import dataclass

from evolve.configuration.binding import differences
from evolve.configuration.credentials import Need, needs
from evolve.configuration.sources import read_environment
from evolve.opening import Options, holds_calls, read_recorded, run_names, wanted_settings
from evolve.picking import default
from evolve.settings import Effective
from harness.errors import UsageError


@dataclass(frozen=True)
class Foresight:
    """What would hold. run: the one that would go on, None for a new one. refused: what would keep it from going on."""

    run: str | None
    wanted: Effective
    source: str
    keys: tuple[Need, ...]
    refused: tuple[str, ...]


def foresee(options: Options) -> Foresight:
    """The settings of the run that would go on, or of a new one.

    Raises:
        UsageError: no such run, or a setting that cannot be used. StorageError: the database cannot be read.
    """
    names = run_names(options.database)
    if options.run is not None and options.run not in names:
        raise UsageError(
            f"no run {options.run!r} in {str(options.database)!r}; it has {', '.join(names) or 'none'}"
        )
    name = None if options.new else options.run or default(options.database, names)
    recorded = read_recorded(options.database, name) if name else None
    environment = read_environment(options.folder, options.environment)
    wanted, source = wanted_settings(options, recorded, environment)
    bound = name is not None and (options.run is not None or holds_calls(options.folder / "runs" / name))
    refused = differences(recorded.settings, wanted) if recorded is not None and bound else []
    keys = needs(wanted.settings.models, environment)
    return Foresight(name, wanted, source, tuple(keys), tuple(line.strip() for line in refused))
