"""What a run is put together from, and what stands where it is opened."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from run_facts import SMALL, write_documents

from evolve.assembly import Tools, assemble, faults, gather_documents, instrument_of, open_tools
from evolve.opening import Opening, Options, resolve
from evolve.population import Iteration
from evolve.settings import Settings, SimulationSettings
from harness.documents import Splits
from harness.errors import SandboxError
from harness.types import Model

NOTHING = Splits((), (), ())


def opening(folder: Path) -> Opening:
    return resolve(Options(folder, folder / "population.db", 1, 1, overrides=SMALL))


async def recorded(iteration: Iteration) -> Iteration:
    return iteration


def test_what_a_killed_process_left_is_gone(tmp_path: Path) -> None:
    """Checkouts of a process that died do not stay for ever."""
    found = opening(tmp_path)
    left = found.layout.work / "3-child-abc" / "scaffold"
    left.mkdir(parents=True)
    (left / "agent.py").write_text("")

    async def there() -> list[Path]:
        async with open_tools(found, NOTHING):
            return list(found.layout.work.iterdir())

    assert asyncio.run(there()) == []


def test_edits_of_a_real_model_need_a_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing confines them, a run whose implementer is no simulation does not begin."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = opening(tmp_path)
    real = Model(name="m", base_url="http://127.0.0.1:9/v1", input_price=0.0, output_price=0.0)
    models = {**found.settings.models, "implementer": real}

    async def begin() -> None:
        async with open_tools(
            replace(found, settings=found.settings.model_copy(update={"models": models})), NOTHING
        ):
            pass

    with pytest.raises(SandboxError, match="bwrap is not installed"):
        asyncio.run(begin())


def test_a_minibatch_has_every_document_once(tmp_path: Path) -> None:
    """As many different training documents as asked for, whatever the draw; all of them if there are fewer."""
    write_documents(tmp_path / "documents")
    found = opening(tmp_path)

    async def parts() -> tuple[Tools, list[set[str]]]:
        splits = await gather_documents(found)
        async with open_tools(found, splits) as tools:
            draw = assemble(tools, recorded).minibatch
            return tools, [{one.id for one in draw(np.random.default_rng(seed))} for seed in range(50)]

    tools, draws = asyncio.run(parts())
    known = {one.id for one in tools.splits.training}
    assert {len(one) for one in draws} == {min(SMALL["documents.minibatch"], len(known))}
    assert set().union(*draws) == known


def test_another_simulated_world_is_another_instrument() -> None:
    """Scores under another seed of the simulation are not comparable."""
    other = Settings(simulation=SimulationSettings(seed=1))
    assert instrument_of(Settings()).hash != instrument_of(other).hash


def test_failing_attempts_are_the_share_that_was_asked_for() -> None:
    """All ways to fail together make up the share."""
    chances = {name: value for name, value in asdict(faults(0.3)).items() if name != "retry_after"}
    assert sum(chances.values()) == pytest.approx(0.3)
