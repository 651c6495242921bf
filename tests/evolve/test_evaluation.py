"""Measuring a candidate: from a fresh checkout of its commit, and nothing stays behind."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import pytest
from evolve_fakes import rollout

from evolve.evaluation import SPLITS, Evaluator
from evolve.iteration import Candidate
from evolve.race import once
from evolve.repository import Repository, create
from harness.errors import BudgetSpent
from harness.trajectory import Rollout
from harness.types import Document, Draw, Side

DOCUMENTS = (Document("a", "a.txt", "text"), Document("b", "b.txt", "text"))


@dataclass
class Watching:
    """An executor that keeps what it found in the checkout, and spoils it."""

    error: Exception | None = None
    found: list[tuple[dict[str, bytes], Draw]] = field(default_factory=list)

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        files = {
            path.relative_to(scaffold).as_posix(): path for path in scaffold.rglob("*") if path.is_file()
        }
        self.found.append(({name: path.read_bytes() for name, path in files.items()}, draw))
        (scaffold / "agent.py").write_text("spoilt")
        if self.error:
            raise self.error
        return tuple(rollout(one.id, 1.0) for one in documents)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    create(tmp_path / "candidates.git")
    made = Repository(tmp_path / "candidates.git")
    yield made
    made.close()


FILES = {"agent.py": b"x = 1\r\n", "prompts/a.md": b"no last newline"}


async def measured(repository: Repository, work: Path, executor: Watching) -> tuple[Candidate, Evaluator]:
    work.mkdir()
    return await repository.plant(FILES), Evaluator(repository, executor, "hash", work)


def test_every_measurement_has_its_own_exact_checkout(repository: Repository, tmp_path: Path) -> None:
    """What one rollout writes into its checkout, the next never sees; the folder is empty afterwards."""
    executor = Watching()

    async def scene() -> None:
        candidate, evaluator = await measured(repository, tmp_path / "work", executor)
        for side in ("parent", "child"):
            found = await evaluator(candidate, once(DOCUMENTS), 4, side)
            assert (found.candidate, found.iteration, found.side) == ("c0", 4, side)
            assert (found.split, found.instrument) == ("validation", "hash")
            assert found.scores == {"a": 1.0, "b": 1.0}

    asyncio.run(scene())
    assert executor.found == [(FILES, Draw(4, "parent")), (FILES, Draw(4, "child"))]
    assert list((tmp_path / "work").iterdir()) == []


def test_a_stop_leaves_no_checkout(repository: Repository, tmp_path: Path) -> None:
    """A spent budget goes through, and the folder is empty even then."""

    async def scene() -> None:
        candidate, evaluator = await measured(repository, tmp_path / "work", Watching(BudgetSpent("spent")))
        with pytest.raises(BudgetSpent):
            await evaluator(candidate, once(DOCUMENTS), 4, "minibatch")

    asyncio.run(scene())
    assert list((tmp_path / "work").iterdir()) == []


def test_sides_and_splits() -> None:
    """Only minibatch and rerun are of the training split, only the final measurement of the test split."""
    assert [side for side, split in SPLITS.items() if split == "training"] == ["minibatch", "rerun"]
    assert [side for side, split in SPLITS.items() if split == "test"] == ["final"]
    assert set(SPLITS) == set(get_args(Side)) - {"edit", "production"}
