"""The pilot of a plan, read from journals."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from evolve.planning.reading import measured, of_run
from harness.journal_schema import prepare
from harness.types import ROLES

CHALLENGER, JUDGE, ANALYZER = (ROLES.index(role) for role in ("challenger", "judge", "analyzer"))
Call = tuple[str, int, str, str, int, str]  # role, iteration, side, document, trial, second of its end


def journal(path: Path, calls: Iterable[Call]) -> Path:
    """calls.db with those calls: 100 tokens asked, 10 said, 2 seconds each."""
    with closing(sqlite3.connect(path)) as connection:
        prepare(connection, path)
        for key, (role, iteration, side, document, trial, second) in enumerate(calls):
            draw = (iteration, side, document, trial, 0, 0, 0)
            row = (
                str(key),
                role,
                *draw,
                "m",
                "stop",
                100,
                10,
                0,
                0.5,
                2.0,
                f"2026-01-01T00:00:{second}+00:00",
                "t",
                0,
                "",
            )
            connection.execute(f"INSERT INTO calls VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()
    return path


def test_rollouts_are_told_apart(tmp_path: Path) -> None:
    """Iteration, side, document and trial make a rollout; edits are counted by iteration, not as rollouts."""
    calls = journal(
        tmp_path / "calls.db",
        [
            ("challenger", 0, "baseline", "d1", 0, "10"),
            ("challenger", 0, "baseline", "d1", 0, "13"),
            ("judge", 0, "baseline", "d1", 0, "20"),
            ("challenger", 0, "baseline", "d1", 1, "30"),
            ("challenger", 1, "child", "d2", 0, "40"),
            ("analyzer", 1, "edit", "", 0, "50"),
            ("analyzer", 9, "edit", "", 0, "50"),
        ],
    )
    found = of_run(calls, "r", {1: "dropped", 2: "no_change"}, ["judge"])
    assert found is not None
    assert (found.rollouts, found.documents, found.simulated) == (3, 2, ("judge",))
    assert sorted(found.use[:, CHALLENGER, 0]) == [1, 1, 2]
    assert found.use[:, JUDGE].sum(axis=0).tolist() == [1, 100, 10, 2]
    assert sorted(found.elapsed) == pytest.approx([2, 2, 12], abs=0.01)
    assert found.edits[:, ANALYZER, 0].tolist() == [1, 0]  # of recorded iterations alone
    assert found.fruitless == 0.5


def test_a_run_without_rollouts_is_no_pilot(tmp_path: Path) -> None:
    """A journal that holds edits alone, or nothing, says nothing of rollouts."""
    assert of_run(journal(tmp_path / "a.db", []), "r", {}, ()) is None
    assert of_run(journal(tmp_path / "b.db", [("analyzer", 1, "edit", "", 0, "50")]), "r", {}, ()) is None


def test_a_pilot_counts_what_came_to_its_end(tmp_path: Path) -> None:
    """A rollout that was broken off is paid for and not counted; outcomes are told, the most frequent first."""
    journal(
        tmp_path / "calls.db", [("challenger", 0, "minibatch", one, 0, "10") for one in ("a", "b", "c", "d")]
    )
    assert measured(tmp_path, ()) is None
    done = {"a": "exhausted", "b": "accepted", "c": "exhausted"}
    (tmp_path / "rollouts.json").write_text(json.dumps(done))
    found = measured(tmp_path, ROLES)
    assert found is not None
    assert found.rollouts == 3
    assert found.outcomes == (("exhausted", 2), ("accepted", 1))
    assert np.array_equal(np.sort(found.document), [0, 1, 2])


def test_a_list_that_was_cut_off_counts_nothing(tmp_path: Path) -> None:
    """Without a readable list no rollout is taken for finished."""
    journal(tmp_path / "calls.db", [("challenger", 0, "minibatch", "a", 0, "10")])
    (tmp_path / "rollouts.json").write_text('{"a": "exh')
    assert measured(tmp_path, ()) is None
