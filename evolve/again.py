"""Measuring with a recorded run again, after its search: with which settings, and whether scores stay comparable.

Used by `test` and `generate`. A run that goes on is held to more than this; see opening.py.
"""

from collections.abc import Iterator

from evolve.configuration.binding import fixed
from evolve.configuration.credentials import keys_of
from evolve.configuration.sources import read_environment
from evolve.layout import Layout
from evolve.opening import Opening, Options, Recorded, read_recorded, wanted_settings
from evolve.settings import Settings
from harness.instrument import MEASURING

OF_A_MODEL = ("name", "sampling", "simulated")


def reopen(options: Options, run: str) -> Opening:
    """A recorded run, to be measured with once more.

    Models, sandbox and budget are what evolve.toml, the environment and the flags say now, over what the run began
    with: a server may have moved. Documents and search stay as recorded, whatever is set for a next run.

    Raises:
        UsageError: something there cannot be used. ProviderError: the key of a measuring role is not set.
    """
    recorded = read_recorded(options.database, run)
    environment = read_environment(options.folder, options.environment)
    wanted, source = wanted_settings(options, recorded, environment)
    began = recorded.settings
    models = {
        role: model if role in MEASURING else model.model_copy(update={"key_variable": None})
        for role, model in wanted.settings.models.items()
    }  # who only searches is asked nothing
    settings = wanted.settings.model_copy(
        update={"documents": began.documents, "search": began.search, "models": models}
    )
    keys = keys_of(settings.models, environment)
    layout = Layout(options.folder, options.database, run)
    return Opening(layout, settings, recorded, (source, *wanted.notices), wanted.origins, keys)


def other_instrument(run: str, recorded: Recorded, settings: Settings, now: str) -> str:
    """What to tell if the instrument is another than the run's; nothing if it is the same.

    now: the hash of the instrument that `settings` describe.
    """
    if now == recorded.instrument:
        return ""
    rows = tuple(changed(recorded.settings, settings))
    why = (
        "\n".join(rows)
        or "  The settings are the same: evolve itself has other prompts or another gate since."
    )
    return f"run {run!r} was measured with instrument {recorded.instrument!r}, this is {now!r}:\n{why}"


def changed(began: Settings, now: Settings) -> Iterator[str]:
    """The settings of the instrument that differ, each with both values."""
    old, new = dict(measuring(began)), dict(measuring(now))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield f"  {key}: began with {old.get(key)!r}, now {new.get(key)!r}"


def measuring(settings: Settings) -> Iterator[tuple[str, object]]:
    """The settings that the instrument is made of, by dotted name."""
    for key, value in fixed(settings):
        section, *rest = key.split(".")
        model = section == "models" and rest[0] in MEASURING and rest[1] in OF_A_MODEL
        world = key == "simulation.seed" and bool(settings.simulated)
        if model or world or section == "measure":
            yield key, value
