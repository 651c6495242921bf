"""A repository with a small lineage, and a workshop that builds in it and starts nothing, for tests of operators."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from cases import FILES, evaluation, rollout

from evolve.case import Case
from evolve.implementer import Workshop
from evolve.iteration import Candidate, Evaluation, Iteration
from evolve.population import Population
from evolve.repository import Repository, create
from evolve.workshop import Bench
from harness.types import Draw

T = TypeVar("T")
BASELINE = Candidate("c0", 0, None, "0" * 40, "0" * 40)


class Shop:
    """Candidates in git, and what was recorded of their iterations. broken: what the stub rollout says of a child."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.iterations: list[Iteration] = []
        self.broken: str | None = None
        self.started: list[Candidate] = []

    async def plant(self, files: Mapping[str, str] = FILES) -> Candidate:
        made = await self.repository.plant({name: text.encode() for name, text in files.items()})
        self.note(made, "baseline", "")
        return made

    async def child(
        self, parent: Candidate, changes: Mapping[str, str | None], summary: str = "", number: int = 0
    ) -> Candidate:
        """A survivor: the parent's files with changes; None deletes."""
        files = await self.repository.files(parent.commit)
        files |= {path: text for path, text in changes.items() if text is not None}
        kept = {path: text for path, text in files.items() if changes.get(path, text) is not None}
        number = number or len(self.iterations)
        made = await self.repository.commit(
            await self.repository.write_tree(kept), parent, number, summary or f"change {number}"
        )
        self.note(made, "survived", summary or f"change {number}")
        return made

    def note(self, made: Candidate, outcome: str, summary: str, **more: object) -> None:
        """Record the iteration in which a candidate was born."""
        side = "baseline" if made.iteration == 0 else "child"
        found = scored(made, [1.0, 0.0], side)
        self.iterations.append(
            Iteration(
                made.iteration,
                outcome,
                "",
                made.parent or "c0",
                0,
                made,
                summary=summary,
                evaluations=(found,),
                **more,
            )
        )

    @property
    def seen(self) -> Population:
        return Population(self.iterations)

    async def case(self, parent: Candidate, number: int = 9) -> Case:
        """The case of an iteration that starts from that parent."""
        files = await self.repository.files(parent.commit)
        nothing = evaluation(parent.id, side="minibatch", iteration=number)
        return Case(parent, files, nothing, self.seen, Draw(number, "edit"))

    @property
    def workshop(self) -> Workshop:
        bench = Bench(self.repository, None, self.repository.path.parent, self.seen.trees)

        async def smoke(candidate: Candidate) -> str | None:
            self.started.append(candidate)
            return self.broken

        return Workshop(bench.build, smoke)


def within(folder: Path, scene: Callable[[Shop], Awaitable[T]]) -> T:
    """Play a scene in a fresh repository below the folder."""

    async def whole() -> T:
        create(folder / "candidates.git")
        repository = Repository(folder / "candidates.git")
        try:
            return await scene(Shop(repository))
        finally:
            repository.close()

    return asyncio.run(whole())


def lineage(*links: tuple[int, int] | tuple[int, int, int], scores: Sequence[float] = ()) -> Population:
    """Survivors by (number, parent) or (number, parent, partner), each with its score over ten documents."""
    iterations = [measured(BASELINE, 0.3)]
    for at, (number, parent, *partner) in enumerate(links):
        child = Candidate(f"c{number}", number, f"c{parent}", f"{number:040x}", f"{number + 1000:040x}")
        score = scores[at] if at < len(scores) else 0.5
        second = f"c{partner[0]}" if partner else None
        iterations.append(replace(measured(child, score), partner=second))
    return Population(iterations)


def measured(candidate: Candidate, score: float) -> Iteration:
    """The iteration of a survivor with that share of ten documents passed."""
    wins = round(10 * score)
    first = candidate.iteration == 0
    found = scored(candidate, [1.0] * wins + [0.0] * (10 - wins), "baseline" if first else "record")
    outcome = "baseline" if first else "survived"
    return Iteration(
        candidate.iteration, outcome, "", candidate.parent or "c0", 0, candidate, evaluations=(found,)
    )


def scored(candidate: Candidate, scores: Sequence[float], side: str) -> Evaluation:
    """A measurement in the iteration that the candidate was born in, on documents v0, v1, ..."""
    rollouts = (rollout(f"v{at}", score=score) for at, score in enumerate(scores))
    return evaluation(candidate.id, *rollouts, side=side, iteration=candidate.iteration)
