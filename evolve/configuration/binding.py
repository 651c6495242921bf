"""Which settings a run is bound to by the scores it has, and how those wanted now differ. No I/O."""

from collections.abc import Iterator

from evolve.configuration.fields import leaves
from evolve.configuration.sources import BY_DEFAULT
from evolve.settings import Effective, Settings

FREE = (
    "budget",
    "sandbox",
    "provider",
    "storage",
    "production",
    "agent.environment",
    "agent.visible",
    "agent.seconds",
    "simulation.latency",
    "simulation.faults",
)
FREE_OF_A_MODEL = ("base_url", "key_variable", "input_price", "output_price", "deadline", "slots", "local")


def differences(began: Settings, wanted: Effective) -> list[str]:
    """The settings that scores depend on and that are not as the run began with: both values, and who wants the new."""
    old, new = dict(fixed(began)), dict(fixed(wanted.settings))
    return [
        f"  {key}: began with {old.get(key)!r}, now {new.get(key)!r} ({wanted.origins.get(key, BY_DEFAULT)})"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def fixed(settings: Settings) -> Iterator[tuple[str, object]]:
    """The settings that may not change during a run, by dotted name. `search.lag` is stored apart."""
    for key, value in leaves(settings):
        parts = key.split(".")
        free = any(key == one or key.startswith(f"{one}.") for one in FREE)
        free_of_model = parts[0] == "models" and parts[-1] in FREE_OF_A_MODEL
        if not (free or free_of_model or key == "search.lag"):
            yield key, value
