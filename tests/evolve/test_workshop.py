"""Where a child is made: the scope of its tree, known trees, and whether it starts."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolve.implementer import Rejected
from evolve.iteration import Candidate
from evolve.layout import baseline_folder, scaffold_files
from evolve.repository import Repository, create
from evolve.workshop import STUB_EXAMPLE, Bench, Stub
from harness.domains import cs
from harness.errors import CandidateFault, SandboxError, Stalled
from harness.sandbox import Answer, Level, Limits
from harness.sandbox.process import Process

GOOD = "def create(document, env):\n    env.submit(env.ask(document.text))\n"
FILES = {"README.md": b"About.\n", "agent.py": GOOD.encode(), "prompts/a.md": b"Ask.\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    create(tmp_path / "candidates.git")
    made = Repository(tmp_path / "candidates.git")
    yield made
    made.close()


class Broken:
    """A sandbox that raises one error after another, then is content; it never runs anything."""

    level: Level = "process"

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.runs = 0

    async def run(self, scaffold: Path, opening: dict[str, Any], answer: Answer) -> None:
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)
        await answer({"ask": "anything"})


async def planted(
    repository: Repository, sandbox: Any, known: dict[str, str] | None = None
) -> tuple[Candidate, Bench]:
    parent = await repository.plant(FILES)
    return parent, Bench(repository, sandbox, repository.path.parent, known or {})


def build(repository: Repository, changes: dict[str, str | None], known: dict[str, str] | None = None) -> Any:
    """What becomes of the files with changes; None deletes."""

    async def scene() -> Candidate | Rejected:
        parent, bench = await planted(repository, Broken(), known)
        files = {name: data.decode() for name, data in FILES.items()} | changes
        return await bench.build(parent, {k: v for k, v in files.items() if v is not None}, 3, "message")

    return asyncio.run(scene())


def test_an_edit_in_scope_becomes_a_commit(repository: Repository) -> None:
    """The child has the parent's commit as its parent, holds exactly the files, and is not published yet."""
    child = build(repository, {"prompts/a.md": "Ask well.\r\n", "lib/more.py": "x = 1\n"})
    assert (child.id, child.iteration, child.parent) == ("c3", 3, "c0")
    files = asyncio.run(repository.files(child.commit))
    assert (files["prompts/a.md"], files["lib/more.py"]) == ("Ask well.\r\n", "x = 1\n")
    assert list(asyncio.run(repository.refs())) == ["c0"]


@pytest.mark.parametrize(
    "changes",
    [
        {"harness/prompts/judge.md": "Every criterion is met."},
        {"evolve/loop.py": "x"},
        {"README.md": "changed"},
        {"README.md": None},
        {"agent.py": None},
        {"prompts/a.py": "x"},
        {"sitecustomize.py": "x"},
        {"prompts/a.md": "x" * 70_000},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_edit_out_of_scope_is_refused_by_its_tree(
    repository: Repository, changes: dict[str, str | None]
) -> None:
    """Whatever names the edit used: what the tree would hold decides."""
    found = build(repository, changes)
    assert isinstance(found, Rejected)
    assert found.outcome == "out_of_scope"


def test_a_known_tree_is_no_change(repository: Repository) -> None:
    """The parent's own tree, or that of any earlier candidate, costs nothing."""
    same = build(repository, {})
    assert same == Rejected("no_change", "these are exactly the files of c0")
    child = build(repository, {"prompts/a.md": "Other.\n"})
    again = build(repository, {"prompts/a.md": "Other.\n"}, {child.tree: "c2"})
    assert again == Rejected("no_change", "these are exactly the files of c2")


def smoke(repository: Repository, sandbox: Any, agent: str | None = None) -> str | None:
    """What the stub rollout says of a scaffold."""

    async def scene() -> str | None:
        parent, bench = await planted(repository, sandbox)
        if agent is not None:
            built = await bench.build(parent, {"README.md": "About.\n", "agent.py": agent}, 1, "m")
            assert isinstance(built, Candidate)
            parent = built
        found = await bench.smoke(parent)
        assert [one.name for one in bench.folder.iterdir()] == ["candidates.git"]
        return found

    return asyncio.run(scene())


@pytest.mark.parametrize(
    ("agent", "problem"),
    [
        (GOOD + "# changed\n", None),
        ("def create(document, env):\n    while True:\n        env.ask('again')\n", None),
        ("import nothing_like_this\n", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("def create(document, env)\n    pass\n", "SyntaxError"),
        ("x = 1\n", "has no attribute 'create'"),
        ("def create(document, env):\n    env.submit(env.ask(7))\n", "TypeError: a prompt is a str, not int"),
        ("def create(document, env):\n    pass\n", "it returned without asking or submitting anything"),
        (
            "def create(document, env):\n    r = env.submit(env.ask('x'))\n    if not r['accepted']: 1 / 0\n",
            "ZeroDivisionError",
        ),
        (
            "def create(document, env):\n    if not env.submit(env.ask('x'))['accepted']:\n"
            "        env.submit(env.ask('y'))['gap'] + None\n",
            "TypeError",
        ),
        ("def create(document, env):\n    while True: pass\n", "hung"),
    ],
)
def test_only_what_starts_is_measured(repository: Repository, agent: str, problem: str | None) -> None:
    """In a real process: what breaks at import, at the first call, on a refusal or on acceptance is named."""
    found = smoke(repository, Process(Limits(cpu_seconds=1, wall_seconds=20)), agent)
    assert found == problem if problem is None else problem in (found or "")


def test_the_baseline_starts(tmp_path: Path) -> None:
    """The scaffold that is shipped comes through the stub rollout."""
    create(tmp_path / "candidates.git")
    repository = Repository(tmp_path / "candidates.git")

    async def scene() -> str | None:
        baseline = await repository.plant(scaffold_files(baseline_folder(tmp_path)[0]))
        return await Bench(repository, Process(), tmp_path, {}).smoke(baseline)

    assert asyncio.run(scene()) is None
    repository.close()


def test_a_stall_is_tried_again_and_a_crash_is_not(repository: Repository) -> None:
    """Only the clock deserves a second try, and a third; the sandbox's own failure is nobody's fault here."""
    busy = Broken(Stalled("slow"), Stalled("slow"))
    assert smoke(repository, busy) is None
    assert busy.runs == 3
    asleep = Broken(*(Stalled("slow") for _ in range(9)))
    assert smoke(repository, asleep) == "hung: slow"
    assert asleep.runs == 3
    crashing = Broken(CandidateFault("crashed", "NameError"))
    assert smoke(repository, crashing) == "crashed: NameError"
    assert crashing.runs == 1
    with pytest.raises(SandboxError):
        smoke(repository, Broken(SandboxError("no bwrap")))


def test_the_stub_is_what_the_host_would_say() -> None:
    """Its item passes the real parser and count rules, and its reports have the fields of a real one."""
    example = cs.read(dict(STUB_EXAMPLE))
    assert cs.count_problems(example.rubric_policy, example.rubric) == ()

    async def scene() -> list[dict[str, Any]]:
        stub = Stub()
        return [await stub.answer({"submit": {}}) for _ in range(4)]

    *reports, last = asyncio.run(scene())
    assert [one["report"]["accepted"] for one in reports] == [False, True, True]
    assert [one["report"]["submissions_left"] for one in reports] == [2, 1, 0]
    assert last == {"spent": "submissions"}
    from harness.trajectory import Report

    assert set(reports[0]["report"]) == set(Report.model_fields)


CRASHES = (
    "raise ValueError(object())",
    "raise KeyError(create)",
    "(__import__('pathlib').Path(__file__).parent / 'prompts' / 'none.md').read_text()",
)


@pytest.mark.parametrize("crash", CRASHES)
def test_the_same_crash_is_told_in_the_same_words(repository: Repository, crash: str) -> None:
    """What broke goes into the next prompt: no address and no path of one checkout may make a replay ask another."""
    agent = f"def create(document, env):\n    {crash}\n"
    first, second = smoke(repository, Process(), agent), smoke(repository, Process(), agent)
    assert first is not None
    assert "Error" in first
    assert first == second


def test_what_a_scaffold_is_handed_looks_the_same_every_time(tmp_path: Path) -> None:
    """A prompt made of the objects themselves, by mistake, is the same prompt again in another process."""
    (tmp_path / "agent.py").write_text("def create(document, env):\n    env.ask(f'{document} {env}')\n")
    asked: list[str] = []

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["ask"])
        return {"text": ""}

    opening = {"document": {"name": "a.txt", "text": "text"}, "seed": 0, "submissions": 2}
    for _ in range(2):
        asyncio.run(Process().run(tmp_path, opening, answer))
    assert asked[0] == asked[1]
