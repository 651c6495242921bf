"""The library as a program uses it: docs/library.md as it stands, stopping, threads, errors, and a cheap import."""

import ast
import asyncio
import inspect
import json
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import aclosing, closing
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from run_facts import QUICK, SMALL, differences, facts, reference, write_documents

import evolve
from evolve.lock import RunLock

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
BLOCK = re.compile(r"^```python( notebook)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def small(folder: Path, **more: Any) -> dict[str, Any]:
    """Parameters of a run that is as small as those of other tests; its documents are written."""
    write_documents(folder / "documents")
    return {"folder": folder, "workers": 3, "settings": SMALL} | more


def outcomes(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "population.db")) as connection:
        return [row[0] for row in connection.execute("SELECT outcome FROM sessions ORDER BY number")]


def free(folder: Path) -> bool:
    """Whether nobody holds the run."""
    with RunLock(folder / "runs" / "run-001" / "lock"):
        return True


async def collected(**parameters: Any) -> list[evolve.Event]:
    return [event async for event in evolve.events(**parameters)]


def test_the_page_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every Python block of docs/library.md, in its order, in one empty folder, does what the page says."""
    monkeypatch.chdir(tmp_path)
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)  # the page does not say what a decision may cost
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    assert len(blocks) == 6
    for notebook, source in blocks:
        code = compile(source, PAGE.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if notebook else 0)
        names: dict[str, Any] = {"__name__": "__main__"}
        running = eval(code, names)  # the page is ours
        if notebook:
            assert inspect.iscoroutine(running)
            asyncio.run(running)
            assert names["result"].outcome == "finished"
    said = capsys.readouterr().out
    for words in (
        "finished c",
        "simulated",
        "did you mean",
        "run-001: 0 of 50 done before",
        "baseline 0.",
        "no database",
    ):
        assert words in said, words
    assert outcomes(tmp_path / "followed") == ["stopped", "finished"]
    assert (tmp_path / "winner" / "agent.py").is_file()
    assert len((tmp_path / "data.jsonl").read_text().splitlines()) <= 3


def test_a_program_and_the_command_line_make_the_same_run(tmp_path: Path) -> None:
    """Rows, commits and scores are those of the same run started otherwise; the result is what is recorded."""
    result = evolve.run(**small(tmp_path, iterations=5))
    assert differences(facts(reference()), facts(tmp_path)) == []
    assert result.outcome == "finished"
    assert result.best is not None
    assert result.best.validation is not None
    assert result.best.validation.simulated
    assert result.recorded.overview() == result.overview
    assert result.folder == tmp_path / "runs" / "run-001"


def test_events_tell_every_iteration_once(tmp_path: Path) -> None:
    """Start, baseline, all iterations, end; started again, those that are new."""
    parameters = small(tmp_path, docs=tmp_path / "documents")
    first = asyncio.run(collected(**parameters, iterations=2))
    assert [type(one).__name__ for one in first] == [
        "RunStarted",
        "BaselineMeasured",
        "IterationDone",
        "IterationDone",
        "RunFinished",
    ]
    again = asyncio.run(collected(**parameters, iterations=4))
    assert again[0] == evolve.RunStarted("run-001", True, 2, 4, again[0].notices)  # type: ignore[union-attr]
    told = [one.entry for one in (*first, *again) if isinstance(one, evolve.IterationDone)]
    assert sorted(told, key=lambda one: one.number) == list(evolve.open(tmp_path).log()[1:])
    assert isinstance(again[-1], evolve.RunFinished)
    assert len(asyncio.run(collected(**parameters, iterations=4))) == 2


@pytest.mark.parametrize("way", ["closed", "left", "cancelled"])
def test_leaving_stops_in_order(tmp_path: Path, way: str) -> None:
    """However a program leaves, the session is recorded as stopped, nothing holds the run, and it ends as if never left."""
    parameters = small(tmp_path, iterations=5)

    async def read(done: asyncio.Event) -> None:
        async for event in evolve.events(**parameters):
            if isinstance(event, evolve.IterationDone):
                done.set()

    async def leave() -> None:
        if way == "cancelled":
            done = asyncio.Event()
            task = asyncio.create_task(read(done))
            await done.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif way == "closed":
            async with aclosing(evolve.events(**parameters)) as stream:
                async for event in stream:
                    if isinstance(event, evolve.IterationDone):
                        break
            assert free(tmp_path)
        else:
            async for event in evolve.events(**parameters):
                if isinstance(event, evolve.IterationDone):
                    break

    asyncio.run(leave())
    assert free(tmp_path)
    assert outcomes(tmp_path) == ["stopped"]
    assert evolve.run(**parameters).outcome == "finished"
    assert differences(facts(reference()), facts(tmp_path)) == []


def test_it_works_in_a_thread(tmp_path: Path) -> None:
    """A run needs no main thread."""
    found: list[evolve.Result] = []
    thread = threading.Thread(target=lambda: found.append(evolve.run(**small(tmp_path, iterations=1))))
    thread.start()
    thread.join()
    assert [one.outcome for one in found] == ["finished"]


def test_a_handler_of_the_program_stays(tmp_path: Path) -> None:
    """What the program does about signals is its own affair, during the run and after it."""

    def mine(number: int, frame: FrameType | None) -> None: ...

    seen = []

    async def watched() -> None:
        async for _ in evolve.events(**small(tmp_path, iterations=1)):
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.signal(signal.SIGTERM, mine)
    try:
        asyncio.run(watched())
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
    assert set(seen) == {mine}


def test_blocking_inside_a_loop_is_refused() -> None:
    """Where it would hang a notebook, the message says what to call instead."""

    async def notebook() -> None:
        evolve.run()

    with pytest.raises(evolve.UsageError, match=r"await evolve\.arun"):
        asyncio.run(notebook())


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"settings": {"serach.seed": 1}}, r"serach"),
        ({"settings": {"documents": {"validatoin": 4}}}, r"did you mean .*documents\.validation"),
        ({"settings": {"documents.validation": "many"}}, r"documents\.validation"),
        ({"workers": 0}, r"workers=0"),
        ({"iterations": 0}, r"iterations=0"),
        ({"docs": "no/such/folder"}, r"no/such/folder|folder"),
        ({"run": "a/b"}, r"'a/b'"),
    ],
)
def test_wrong_parameters_are_named(tmp_path: Path, parameters: dict[str, Any], words: str) -> None:
    """Whatever cannot be used is a UsageError that names it, before anything is made."""
    with pytest.raises(evolve.UsageError, match=words):
        evolve.run(folder=tmp_path / "new", **parameters)
    assert not (tmp_path / "new" / "runs").exists()


def test_settings_in_all_forms_are_one(tmp_path: Path) -> None:
    """Dotted names, tables and a typed tree start the same run; models are taken as they are given."""
    nested = {"documents": {"path": "documents", "minibatch": 2, "validation": 3, "test": 3}}
    nested |= {"search": {"effect": 0.5, "block": 3, "overlook": 0.9}}
    allowance = {"measure": {"allowance": {"submissions": 1}}}
    typed = evolve.Settings.model_validate(nested | allowance)
    evolve.run(**small(tmp_path, iterations=1))
    for settings in (nested | allowance, nested | {"measure.allowance.submissions": 1}, typed, None):
        assert evolve.run(**small(tmp_path, iterations=1, settings=settings)).outcome == "finished"
    assert outcomes(tmp_path) == ["finished"] * 5
    default = {"name": "some-model", "base_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(evolve.UsageError, match="some-model"):
        evolve.run(**small(tmp_path, settings=SMALL | {"models": {"default": default}}, run="run-001"))


def test_a_spent_budget_is_an_outcome(tmp_path: Path) -> None:
    """A run that could not finish says so in its result, and goes on with more."""
    settings = SMALL | {"budget.calls": 60}
    result = evolve.run(**small(tmp_path, iterations=2, settings=settings))
    assert result.outcome == "budget"
    assert "60" in result.message
    assert (
        evolve.run(**small(tmp_path, iterations=2, settings=SMALL | {"budget.calls": 10_000})).outcome
        == "finished"
    )


def test_a_recorded_run_is_read_inside_a_loop() -> None:
    """Scaffolds and diffs are there wherever one asks, and unknown candidates are named."""
    folder = reference()

    async def read() -> None:
        record = evolve.open(folder)
        assert set(record.files("baseline")) >= {"agent.py", "README.md"}
        assert record.diff("baseline") == ""
        assert [one.number for one in record.log()] == list(range(6))
        assert record.lineage()[0].candidate == "c0"
        with pytest.raises(evolve.UsageError, match="c99"):
            record.diff("c99")
        with pytest.raises(evolve.UsageError, match="agenerate"):
            record.generate("x.jsonl")

    asyncio.run(read())


def test_import_is_cheap_and_complete() -> None:
    """`import evolve` loads nothing heavy; every public name is there, typed, and `evolve.run` stays a function."""
    script = """
import json, sys, evolve
heavy = sorted({"pydantic", "openai", "numpy", "git", "sqlite_utils", "rich", "click"} & set(sys.modules))
names = [name for name in evolve.__all__ if getattr(evolve, name) is None or name not in dir(evolve)]
from evolve.session import start
from evolve import run
print(json.dumps([heavy, names, run is evolve.run, callable(run), start.__module__]))
"""
    out = subprocess.check_output([sys.executable, "-W", "error", "-c", script], text=True)
    assert json.loads(out) == [[], [], True, True, "evolve.session"]
    with pytest.raises(AttributeError, match="nonsense"):
        _ = evolve.nonsense  # type: ignore[attr-defined]
    assert set(re.findall(r"evolve\.([A-Z]\w+)", PAGE.read_text("utf-8"))) <= set(evolve.__all__)
