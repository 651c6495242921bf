"""Traces are written whole or not at all, and say what they said."""

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cases import ask, evaluation, rollout, submission
from evolve_fakes import child

from evolve.iteration import Exchange, Iteration
from evolve.report.traces import read_exchanges, read_rollouts
from evolve.trace_folder import TraceFolder
from harness.errors import StorageError

MEASURED = evaluation(
    "c0", rollout("d1", ask(), submission(["weak \x85 \u2028 words"])), rollout("d2", score=None)
)
PARENT = evaluation("c0", rollout("d3", ask()), side="parent")
EXCHANGES = (
    Exchange("analyzer", "k", "prompt\nof \u00e9", "reply", ""),
    Exchange("implementer", "l", "p", "r", "bad"),
)
ITERATION = Iteration(
    7, "dropped", "", "c0", 0, child(7), exchanges=EXCHANGES, evaluations=(MEASURED, PARENT)
)


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[TraceFolder]:
    folder = TraceFolder(tmp_path)
    yield folder
    folder.close()


def test_an_iteration_is_one_file_a_side(traces: TraceFolder) -> None:
    """Rollouts and exchanges come back as they were; the hash is that of the bytes; nothing else is left."""
    written = asyncio.run(traces.save(ITERATION))
    assert {side: one.file for side, one in written.items()} == {
        "minibatch": "traces/000007-minibatch.jsonl",
        "parent": "traces/000007-parent.jsonl",
        "edit": "traces/000007-edit.jsonl",
    }
    for one in written.values():
        assert sha256((traces.folder / Path(one.file).name).read_bytes()).hexdigest() == one.sha256
    assert len(list(traces.folder.iterdir())) == 3
    assert tuple(read_rollouts(traces.folder / "000007-parent.jsonl")) == PARENT.rollouts
    assert tuple(read_exchanges(traces.folder / "000007-edit.jsonl")) == EXCHANGES


def test_odd_characters_do_not_break_a_line(traces: TraceFolder) -> None:
    """Every rollout is one line of valid UTF-8, whatever line separators its texts have."""
    asyncio.run(traces.save(ITERATION))
    data = (traces.folder / "000007-minibatch.jsonl").read_bytes()
    lines = data.decode("utf-8").split("\n")
    assert [json.loads(line)["document"] for line in lines[:-1]] == ["d1", "d2"]
    assert lines[-1] == ""
    first, second = read_rollouts(traces.folder / "000007-minibatch.jsonl")
    assert first.steps[1].weak[0].answer == "weak \x85 \u2028 words"
    assert second == MEASURED.rollouts[1]


def test_the_same_again_is_the_same_file(traces: TraceFolder) -> None:
    """A resumed iteration replaces what a killed one left, half-written or whole, by equal bytes."""
    (traces.folder / "000007-edit.jsonl.part").write_text("half")
    (traces.folder / "000007-edit.jsonl").write_text("old")
    assert asyncio.run(traces.save(ITERATION)) == asyncio.run(traces.save(ITERATION))
    assert len(list(traces.folder.iterdir())) == 3
    assert tuple(read_exchanges(traces.folder / "000007-edit.jsonl")) == EXCHANGES


def test_an_iteration_without_an_edit_has_no_edit_trace(traces: TraceFolder) -> None:
    """No exchange, no file."""
    bare = Iteration(0, "baseline", "", "c0", 0, evaluations=(MEASURED,))
    assert list(asyncio.run(traces.save(bare))) == ["minibatch"]


def test_final_traces_are_named_by_candidate(traces: TraceFolder) -> None:
    """Two candidates on the test split do not write over each other."""
    names = [
        asyncio.run(traces.save_final(evaluation(one, rollout("d"), side="final"))).file
        for one in ("c0", "c5")
    ]
    assert names == ["traces/c0-final.jsonl", "traces/c5-final.jsonl"]


def test_a_disk_that_refuses_is_named(traces: TraceFolder) -> None:
    """The error carries the file and says that nothing recorded is lost; nothing takes the trace's place."""
    (traces.folder / "000007-minibatch.jsonl.part").mkdir()
    with pytest.raises(
        StorageError, match=r"000007-minibatch.jsonl' cannot be written: .*nothing .* is lost"
    ):
        asyncio.run(traces.save(ITERATION))
    assert not (traces.folder / "000007-minibatch.jsonl").exists()
