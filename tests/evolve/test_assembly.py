"""What a run is put together from, and what stands where it is opened."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_facts import SMALL, write_documents

from evolve.assembly import Tools, faults, gather_documents, instrument_of, open_tools
from evolve.iteration import Iteration
from evolve.opening import Opening, Options, resolve
from evolve.settings import Settings, SimulationSettings
from evolve.wiring import assemble
from harness.documents import Splits
from harness.errors import SandboxError, UsageError
from harness.trajectory import Allowance
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


def test_the_instrument_follows_the_domain() -> None:
    """What is not set is as the domain has it; what is set wins; production has a preset of its own."""
    usual = instrument_of(Settings())
    assert (usual.preset, usual.allowance, usual.wants("final_verification")) == ("meta", Allowance(), False)
    assert instrument_of(Settings(), production=True).preset == "confirmed"
    chosen = {
        "preset": "deployed",
        "allowance": {"submissions": 5},
        "weak": {"max_tokens": 64},
        "checks": {"final_verification": False, "reference": True},
    }
    own = instrument_of(Settings.model_validate({"measure": chosen}))
    assert (own.preset, own.allowance.submissions, own.allowance.asks) == ("deployed", 5, 8)
    assert (own.mode("weak").max_tokens, own.mode("strong").max_tokens) == (64, None)
    assert (own.wants("final_verification"), own.wants("reference")) == (False, True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"measure": {"preset": "met"}}, r"measure.preset = 'met': must be .*'cs'; did you mean 'meta'\?"),
        ({"production": {"preset": "x"}}, r"production.preset = 'x': must be deployed, .*confirmed"),
        ({"measure": {"domain": "c"}}, "no domain 'c'.*did you mean 'cs'"),
        ({"measure": {"domain": "mine.py"}}, "mine.py': there is no such file"),
    ],
)
def test_an_instrument_that_does_not_exist(settings: dict[str, Any], words: str) -> None:
    """A wrong domain or preset is named before anything is measured, with what there is."""
    with pytest.raises(UsageError, match=words):
        instrument_of(Settings.model_validate(settings))
