"""Where a child is made and first started: tree, scope check, commit, and a stub rollout that costs no model call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolve.disk import scratch
from evolve.implementer import Rejected
from evolve.iteration import Candidate
from evolve.repository import Repository
from evolve.scope import FROZEN, check
from harness.errors import CandidateFault, Stalled
from harness.rollout import STALLS
from harness.sandbox import Sandbox

STUB_DOCUMENT = {
    "name": "smoke-run.txt",
    "text": "A cache keeps recent answers. When it is full, the entry unused for longest is dropped. "
    "Under a scan longer than the cache every lookup misses, although memory is in use. " * 4,
}
STUB_OPENING = {"document": STUB_DOCUMENT, "seed": 0, "submissions": 3}
STUB_EXAMPLE = {
    "question_type": "prediction",
    "skills": ["causal reasoning", "trade-offs"],
    "context": "A cache of fixed size drops the entry unused for longest.",
    "question": "What happens to the hit rate under a cyclic scan one entry longer than the cache?",
    "reference_answer": "It falls to zero: each entry is dropped just before it is asked for again.",
    "rubric_policy": "signed",
    "rubric": [
        *({"criterion": f"States consequence {n}", "weight": n, "category": "positive"} for n in range(1, 8)),
        *({"criterion": f"Commits error {n}", "weight": -n, "category": "negative"} for n in range(1, 4)),
    ],
}
ELSEWHERE = {"answer_kind": "expression"}  # what scaffolds of other domains look for before they submit


@dataclass(frozen=True)
class Bench:
    """The tools: where candidates are stored, where they are started, and which trees are known (hash -> id)."""

    repository: Repository
    sandbox: Sandbox
    folder: Path
    known: Mapping[str, str]

    async def build(
        self, parent: Candidate, files: Mapping[str, str], iteration: int, message: str
    ) -> Candidate | Rejected:
        """The files as a commit on the parent, or why they are not made a candidate."""
        tree = await self.repository.write_tree(files)
        before = await self.repository.entries(parent.tree)
        frozen = {entry.path: entry.id for entry in before if entry.path == FROZEN}
        if reason := check(await self.repository.entries(tree), frozen):
            return Rejected("out_of_scope", reason)
        if tree == parent.tree or tree in self.known:
            return Rejected("no_change", f"these are exactly the files of {self.known.get(tree, parent.id)}")
        return await self.repository.commit(tree, parent, iteration, message)

    async def smoke(self, candidate: Candidate) -> str | None:
        """None if the scaffold comes through a stub rollout (one refusal, then acceptance), else what broke."""
        with scratch(self.folder, f"smoke-{candidate.id}-") as folder:
            scaffold = folder / "scaffold"
            await self.repository.checkout(candidate.commit, scaffold)
            for again in range(STALLS + 1):
                stub = Stub()
                try:
                    await self.sandbox.run(scaffold, STUB_OPENING, stub.answer)
                except CandidateFault as fault:
                    if isinstance(fault, Stalled) and again < STALLS:
                        continue
                    return str(fault)
                break
        return None if stub.requests else "it returned without asking or submitting anything"


class Stub:
    """Answers a scaffold from canned values: an item for every question, a refusal, then acceptance."""

    def __init__(self) -> None:
        self.requests = 0
        self.submitted = 0

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The canned answer to one request; after twenty of them the allowance is spent."""
        self.requests += 1
        if self.requests > 20:
            return {"spent": "asks"}
        if "ask" in request:
            item = json.dumps(STUB_EXAMPLE | ELSEWHERE)
            return (
                {"texts": [item] * len(request["ask"])}
                if isinstance(request["ask"], list)
                else {"text": item}
            )
        self.submitted += 1
        if self.submitted > 3:
            return {"spent": "submissions"}
        return {"report": stub_report(self.submitted)}


def stub_report(number: int) -> dict[str, Any]:
    """The report on the first submission is a refusal, on the second an acceptance."""
    accepted = number > 1
    return {
        "accepted": accepted,
        "stage": "accepted" if accepted else "too_easy",
        "reasons": [] if accepted else ["weak_mean_high"],
        "feedback": "",
        "weak_mean": 0.4 if accepted else 0.8,
        "weak_best": 0.5 if accepted else 0.9,
        "strong_mean": 0.8 if accepted else None,
        "gap": 0.4 if accepted else None,
        "submissions_left": 3 - number,
    }
