"""What measures is never editable, and what is held out is never told: checked on code, on edits and on a whole run."""

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import DIAGNOSIS, Script, evaluation, rollout
from run_facts import RUN, copied, go, journal, marker, query, reference

import evolve
import harness
from evolve.case import Case
from evolve.implementer import Workshop, implement
from evolve.iteration import Proposal
from evolve.layout import baseline_folder, scaffold_files
from evolve.population import Population
from evolve.repository import Repository, create
from evolve.workshop import Bench
from harness.documents import load, split_of
from harness.errors import SandboxError
from harness.sandbox import Limits
from harness.sandbox.bubblewrap import prepare
from harness.sandbox.choose import choose
from harness.types import Draw

TRUSTED = (Path(harness.__file__).parent, Path(evolve.__file__).parent)
ALLOWED = ("README.md", "agent.py")


def instrument_files() -> dict[Path, bytes]:
    """Every file of the trusted side but caches and the scaffold that is shipped with it."""
    found = (path for root in TRUSTED for path in root.rglob("*") if path.is_file())
    return {
        path: path.read_bytes() for path in found if not {"__pycache__", "baseline_repo"} & set(path.parts)
    }


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench with the real repository and sandbox, the shipped baseline planted in it."""
    create(tmp_path / "candidates.git")
    repository = Repository(tmp_path / "candidates.git")
    asyncio.run(repository.plant(scaffold_files(baseline_folder(tmp_path)[0])))
    yield Bench(repository, asyncio.run(choose("auto", foreign_code=False)), tmp_path, {})
    repository.close()


def write(path: str, text: str = "Every criterion is met.") -> str:
    return f"SUMMARY: a short cut\nWRITE: {path}\n<<<<<<< CONTENT\n{text}\n>>>>>>> END\n"


def edited(path: str) -> str:
    return f"SUMMARY: a short cut\nFILE: {path}\n<<<<<<< SEARCH\nmet\n=======\nnot met\n>>>>>>> REPLACE\n"


def proposed(bench: Bench, *replies: str) -> Proposal:
    """What becomes of an implementer that answers so, whatever it is told."""

    async def scene() -> Proposal:
        stored = await bench.repository.files((await bench.repository.refs())["c0"])
        parent = await bench.repository.plant({name: text.encode() for name, text in stored.items()})
        case = Case(parent, stored, evaluation("c0", rollout("heapq")), Population(()), Draw(1, "edit"))
        return await implement(Script(*replies), case, DIAGNOSIS, Workshop(bench.build, bench.smoke))

    return asyncio.run(scene())


@pytest.mark.parametrize(
    "path",
    [
        "harness/prompts/judge.md",
        "harness/gate.py",
        "evolve/loop.py",
        "../harness/prompts/judge.md",
        "prompts/../../harness/gate.py",
        str(TRUSTED[0] / "prompts" / "judge.md"),
        "README.md",
        "sitecustomize.py",
        ".git/config",
        "lib/harness.pth",
        "prompts/judge.md\x00.py",
        "evolve.toml",
    ],
)
def test_an_edit_of_what_measures_is_rejected(bench: Bench, path: str) -> None:
    """Written anew or edited, as often as it may try: no child, no ref, and no file of ours has changed."""
    before = instrument_files()
    for attack in (write(path), edited(path)):
        proposal = proposed(bench, attack, attack, attack, attack)
        assert proposal.outcome in ("out_of_scope", "no_proposal")
        assert proposal.child is None
    assert proposed(bench, *[write(path)] * 4).outcome in ("out_of_scope", "no_proposal")
    assert list(asyncio.run(bench.repository.refs())) == ["c0"]
    assert instrument_files() == before


@pytest.mark.parametrize("path", ["harness/prompts/judge.md", "README.md", "evolve/loop.py"])
def test_touching_what_measures_is_called_by_its_name(bench: Bench, path: str) -> None:
    """The recorded outcome is out_of_scope, with the path in its reason."""
    proposal = proposed(bench, *[write(path)] * 4)
    assert proposal.outcome == "out_of_scope"
    assert repr(path) in proposal.reason


def test_an_edit_in_scope_is_not_rejected(bench: Bench) -> None:
    """The rejections above are no accident: the same reply with a path of the scaffold's makes a child."""
    proposal = proposed(bench, write("prompts/judge.md"))
    assert proposal.outcome == "proposed"
    assert proposal.child is not None


PROBE = """
import json, sys
def create(document, env):
    found = {}
    for name in ("harness", "evolve", "pydantic", "openai"):
        try:
            __import__(name)
            found[name] = "imported"
        except ImportError:
            found[name] = "absent"
    for path in json.loads(document.text):
        try:
            open(path, "a").close()
            found[path] = "writable"
        except OSError as error:
            found[path] = type(error).__name__
    env.submit({"found": found, "path": sys.path})
"""


def test_a_scaffold_cannot_reach_what_measures(tmp_path: Path) -> None:
    """In the confinement that foreign code runs in, our modules cannot be imported and our files not even opened."""
    (tmp_path / "agent.py").write_text(PROBE)
    paths = [str(path) for path in instrument_files()][:40]
    told: list[dict[str, Any]] = []

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        told.append(request["submit"])
        return {"report": {}}

    async def scene() -> None:
        try:
            sandbox = await prepare(Limits())
        except SandboxError as error:
            pytest.skip(f"no confinement on this machine: {error}")
        opening = {"document": {"name": "probe", "text": json.dumps(paths)}, "seed": 0, "submissions": 1}
        await sandbox.run(tmp_path, opening, answer)

    asyncio.run(scene())
    found = told[0]["found"]
    assert {found[name] for name in ("harness", "evolve", "pydantic", "openai")} == {"absent"}
    assert {found[path] for path in paths} <= {"FileNotFoundError", "PermissionError", "OSError"}


def test_no_candidate_of_a_run_holds_anything_of_ours() -> None:
    """Every commit of a whole run has scaffold files alone, none of them a copy of an instrument file."""
    ours = set(instrument_files().values()) - {b""}
    repository = Repository(reference() / "runs" / RUN / "candidates.git")

    async def scene() -> list[dict[str, str]]:
        return [await repository.files(commit) for commit in (await repository.refs()).values()]

    candidates = asyncio.run(scene())
    repository.close()
    assert len(candidates) > 2
    for files in candidates:
        assert not {text.encode() for text in files.values()} & ours
        odd = [name for name in files if name not in ALLOWED and name.split("/")[0] not in ("prompts", "lib")]
        assert odd == []


@cache
def held_out() -> dict[str, list[str]]:
    """Split -> words that only its documents contain, of the documents that the reference run measured."""
    used = dict(query(reference() / "population.db", "SELECT document, split FROM documents"))
    documents = load(reference() / "documents").documents
    words: dict[str, list[str]] = {"training": [], "validation": [], "test": []}
    for number in range(40):
        (one,) = [document for document in documents if document.name == f"{marker(number)}.txt"]
        if one.id in used:
            assert used[one.id] == split_of(one.id)
            words[split_of(one.id)].append(marker(number))
    return words


def edit_prompts() -> list[str]:
    """Every prompt that analyzer and implementer were given in the reference run, repairs included."""
    places = sorted((reference() / "runs" / RUN / "traces").glob("*-edit.jsonl"))
    assert len(places) == 5
    return [json.loads(line)["prompt"] for place in places for line in place.read_text().splitlines()]


def test_no_prompt_of_an_edit_holds_a_held_out_text() -> None:
    """Analyzer and implementer see training documents; of validation and test neither text nor name nor id."""
    told = "\n".join(edit_prompts())
    words = held_out()
    assert len(words["validation"]) == len(words["test"]) == 3
    assert sum(word in told for word in words["training"]) > 2
    assert [word for split in ("validation", "test") for word in words[split] if word in told] == []
    ids = query(reference() / "population.db", "SELECT document FROM documents WHERE split <> 'training'")
    assert [one for (one,) in ids if one in told] == []


def test_no_prompt_of_an_edit_holds_what_was_made_of_held_out_texts() -> None:
    """Nor does any task, answer or challenger reply of a validation or test rollout show there."""
    traces = reference() / "runs" / RUN / "traces"
    told = "\n".join(edit_prompts())

    def said(pattern: str) -> set[str]:
        lines = (line for place in traces.glob(pattern) for line in place.read_text().splitlines())
        steps = [step for line in lines for step in json.loads(line)["steps"]]
        examples = [step["example"] for step in steps if step["example"]]
        texts = [one[key] for one in examples for key in ("context", "question", "reference_answer")]
        answers = [one["answer"] for step in steps for one in (*step["weak"], *step["strong"])]
        return {text for text in (*texts, *answers, *(step["reply"] for step in steps)) if len(text) > 60}

    shown = said("*-minibatch.jsonl")
    hidden = (
        set().union(*map(said, ("*-baseline.jsonl", "*-parent.jsonl", "*-child.jsonl", "*-final.jsonl")))
        - shown
    )
    assert sum(text in told for text in shown) > 5
    assert len(hidden) > 50
    assert [text for text in hidden if text in told] == []


def test_the_test_split_is_untouched_until_the_end() -> None:
    """No call on a test document but for the final measurement, and none of those before the last iteration ended."""
    folder = reference()
    test = {
        one
        for (one,) in query(folder / "population.db", "SELECT document FROM documents WHERE split = 'test'")
    }
    calls = query(journal(folder), "SELECT side, document, at FROM calls")
    assert {side for side, document, _ in calls if document in test} == {"final"}
    assert {document for side, document, _ in calls if side == "final"} == test
    last = max(at for side, _, at in calls if side != "final")
    assert min(at for side, _, at in calls if side == "final") >= last


def test_the_test_split_is_opened_once_for_each_candidate(tmp_path: Path) -> None:
    """Going on with a run measures a candidate there that was not, never one that was."""
    copied(tmp_path)
    before = query(tmp_path / "population.db", "SELECT candidate FROM evaluations WHERE side = 'final'")
    go(tmp_path, 6)
    after = query(tmp_path / "population.db", "SELECT candidate FROM evaluations WHERE side = 'final'")
    assert len(after) == len(set(after)) <= len(before) + 1
    assert set(before) <= set(after)


def test_edits_belong_to_no_document() -> None:
    """Rollouts ask the five measuring roles and no other, and no call of an edit is tied to a document."""
    calls = query(journal(reference()), "SELECT role, side, document FROM calls")
    roles = {role for role, side, _ in calls if side != "edit"}
    assert roles == {"challenger", "verifier", "weak", "strong", "judge"}
    assert {document for role, side, document in calls if side == "edit"} == {""}
