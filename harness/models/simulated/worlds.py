"""Which simulated world a prompt belongs to: research questions unless one of the others recognises its own.

A world is a module with `recognises(role, prompt)` and `reply(role, prompt, rng)`; like every simulated role it sees the
messages alone. What the outer loop asks is the same in every world.
"""

import random
from importlib import import_module
from types import ModuleType

NAMES = ("comparing", "legal", "maths", "passages")


def world_of(role: str, prompt: str) -> ModuleType | None:
    """The world that takes the prompt for its own; None for research questions."""
    for name in NAMES:
        world = import_module(f"harness.models.simulated.{name}")
        if world.recognises(role, prompt):
            return world
    return None


def reply(role: str, prompt: str, rng: random.Random) -> str | None:
    """The answer of the world that recognises the prompt; None if none does."""
    world = world_of(role, prompt)
    return None if world is None else str(world.reply(role, prompt, rng))
