"""A rollout of a played scaffold against scripted models."""

import asyncio
from pathlib import Path

from fakes import (
    DOCUMENT,
    DRAW,
    Env,
    Play,
    PlayedSandbox,
    ScriptedModels,
    instrument,
)

from harness.rollout import Place, roll_out
from harness.trajectory import Rollout

WEAK, STRONG = (0.3, 0.4, 0.2), (0.8, 0.7, 0.9)


def rolled(models: ScriptedModels, *plays: Play, **allowance: int) -> Rollout:
    """The rollout of a played scaffold."""
    place = Place(models, PlayedSandbox(*plays), instrument(**allowance))
    return asyncio.run(roll_out(place, Path("scaffold"), DOCUMENT, DRAW))


def submits(*submissions: object) -> Play:
    """A scaffold that submits these, one after the other, whatever it hears."""

    async def play(env: Env) -> None:
        for one in submissions:
            await env.submit(one)

    return play
