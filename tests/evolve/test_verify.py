"""Verification finds every kind of disagreement, and nothing in a sound run."""

import asyncio
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from evolve.plumbing import EMPTY_TREE
from evolve.report.store import opened
from evolve.report.verify import Check, verify
from harness.errors import StorageError

RUN = Path("runs", "run-001")


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def checks(folder: Path) -> list[Check]:
    async def collect() -> list[Check]:
        with opened(folder / "population.db", None) as store:
            return [check async for check in verify(store)]

    return asyncio.run(collect())


def failed(folder: Path) -> str:
    """The names of the checks that found something, and the findings, in one text."""
    return "\n".join(f"{one.name}\n{one.findings}" for one in checks(folder) if one.findings)


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def in_population(statement: str) -> Callable[[Path], None]:
    return lambda folder: change(folder / "population.db", statement)


def in_journal(statement: str) -> Callable[[Path], None]:
    return lambda folder: change(folder / RUN / "calls.db", statement)


def edited_trace(edit: Callable[[str], str], honest: bool) -> Callable[[Path], None]:
    """Change the baseline's trace; `honest`: record its new hash too, so that only its content is wrong."""

    def tamper(folder: Path) -> None:
        place = folder / RUN / "traces" / "000000-baseline.jsonl"
        place.write_text(edit(place.read_text()))
        if honest:
            digest = hashlib.sha256(place.read_bytes()).hexdigest()
            change(folder / "population.db", f"UPDATE traces SET sha256 = '{digest}' WHERE side = 'baseline'")

    return tamper


def with_other_attempts(text: str) -> str:
    """Every attempt of the trace scores a little more than its hits give."""
    rollouts = [json.loads(line) for line in text.splitlines()]
    attempts = [
        one for rollout in rollouts for step in rollout["steps"] for one in (*step["weak"], *step["strong"])
    ]
    assert attempts
    for one in attempts:
        one["score"] = one["score"] / 2 + 0.01
    return "".join(json.dumps(one) + "\n" for one in rollouts)


def with_other_shadows(text: str) -> str:
    """Every shadow verdict of the trace is turned round."""
    rollouts = [json.loads(line) for line in text.splitlines()]
    verdicts = [one for rollout in rollouts for step in rollout["steps"] for one in step["shadow"].values()]
    assert verdicts
    for one in verdicts:
        one["accepted"] = not one["accepted"]
    return "".join(json.dumps(one) + "\n" for one in rollouts)


def with_refused_examples(text: str) -> str:
    """Rollouts that were not accepted claim a submission of theirs as their example."""
    rollouts = [json.loads(line) for line in text.splitlines()]
    refused = [one for one in rollouts if one["outcome"] != "accepted" and one["steps"]]
    assert refused
    for rollout in refused:
        rollout["example"] = next((step["example"] for step in rollout["steps"] if step["example"]), None)
    return "".join(json.dumps(one) + "\n" for one in rollouts)


def opened_early(folder: Path) -> None:
    """Training documents of the minibatches become test documents, in both places."""
    change(folder / "population.db", "UPDATE evaluations SET split = 'test' WHERE side = 'minibatch'")
    change(
        folder / "population.db",
        "UPDATE documents SET split = 'test' WHERE document IN (SELECT document FROM rollouts WHERE side = 'minibatch')",
    )


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "test split opened early": (opened_early, "is of test, measured as test"),
    "trace gone": (
        lambda folder: next((folder / RUN / "traces").glob("*-parent.jsonl")).unlink(),
        "each trace is there",
    ),
    "trace edited": (edited_trace(lambda text: text + "\n", honest=False), "bytes have changed"),
    "trace damaged": (edited_trace(lambda text: "{}\n" + text, honest=True), "line 1 is damaged"),
    "rollout left out": (
        edited_trace(lambda text: text.split("\n", 1)[1], honest=True),
        "rollouts in the trace",
    ),
    "reply rewritten": (
        in_journal("UPDATE calls SET text = text || '!' WHERE role = 'weak'"),
        "another text",
    ),
    "edit rewritten": (in_journal("UPDATE calls SET text = 'x' WHERE role = 'analyzer'"), "analyzer call"),
    "call lost": (in_journal("DELETE FROM calls WHERE role = 'judge'"), "is not in the journal"),
    "call unpaid": (in_journal("UPDATE calls SET cost = cost + 1 WHERE role = 'strong'"), "spending"),
    "token count": (
        in_journal("UPDATE calls SET prompt_tokens = 9 WHERE role = 'challenger'"),
        "challenger tokens",
    ),
    "attempt score": (edited_trace(with_other_attempts, honest=True), "its hits give"),
    "shadow verdict": (edited_trace(with_other_shadows, honest=True), "not those of the gate"),
    "example": (edited_trace(with_refused_examples, honest=True), "not the accepted submission"),
    "rollout score": (in_population("UPDATE rollouts SET score = 1 - score"), "scores and differences"),
    "rollout stage": (in_population("UPDATE rollouts SET stage = 'quality?'"), "stage is recorded as"),
    "evaluation": (in_population("UPDATE evaluations SET score = 0.9"), "score is recorded as 0.9"),
    "spend": (in_population("UPDATE spends SET calls = calls + 1"), "spending"),
    "final spend": (in_population("DELETE FROM spends WHERE part = 'final'"), "final test"),
    "split": (
        in_population("UPDATE documents SET split = 'test' WHERE split = 'training'"),
        "in its own split",
    ),
    "diff": (in_population("UPDATE candidates SET diff = diff || 'x'"), "the recorded diff is not git's"),
    "commit": (in_population(f"UPDATE candidates SET commit_hash = '{'0' * 40}'"), "its ref is"),
    "ref gone": (
        lambda folder: (folder / RUN / "candidates.git/refs/heads/c0").unlink(),
        "each candidate has its ref",
    ),
    "unseen parent": (
        in_population("UPDATE iterations SET sees = -1 WHERE number > 0"),
        "could not have seen",
    ),
    "second root": (in_population("UPDATE candidates SET status = 'dropped'"), "lineage"),
    "child score": (
        in_population("UPDATE rollouts SET score = 1 - score WHERE side IN ('parent', 'child')"),
        "each decision follows",
    ),
    "outcome": (
        in_population("UPDATE iterations SET outcome = 'survived' WHERE outcome = 'dropped'"),
        "recorded is that it survives",
    ),
    "look": (
        in_population("UPDATE decisions SET looks = json_replace(looks, '$[0].difference', 0.123)"),
        "difference is recorded as 0.123",
    ),
    "opening lost": (in_population("DELETE FROM openings"), "calls on test documents without an opening"),
    "opening late": (
        in_population("UPDATE openings SET opened_at = '2999-01-01T00:00:00.000000Z'"),
        "opened only at 2999",
    ),
    "rows lost": (in_population("DELETE FROM documents"), "refers to a missing documents"),
}


def test_a_sound_run_has_no_findings(finished: Path) -> None:
    """Every check of an untouched run is asked of something and finds nothing."""
    found = checks(finished)
    assert [one for one in found if one.findings] == []
    assert all(one.count > 0 for one in found)
    assert len(found) == 14


@pytest.mark.parametrize("name", list(TAMPERINGS))
def test_each_disagreement_is_named(copy: Path, name: str) -> None:
    """Whatever is changed behind the run's back is found, by the check that it concerns."""
    tamper, expected = TAMPERINGS[name]
    tamper(copy)
    assert expected in failed(copy)


def test_another_tree_is_found(copy: Path) -> None:
    """A recorded tree that is not the commit's is named with both hashes."""
    change(
        copy / "population.db",
        f"UPDATE candidates SET tree_hash = '{EMPTY_TREE}' WHERE candidate = 'c0'",
    )
    assert "does not have tree" in failed(copy)


def test_calls_of_unfinished_iterations_do_not_matter(copy: Path) -> None:
    """Calls that were paid for but whose iteration is not recorded yet are no finding."""
    change(
        copy / RUN / "calls.db",
        """INSERT INTO calls SELECT 'ff' || substr(key, 3), role, 99, side, document, trial, ordinal, attempt, retry,
        model, finish_reason, prompt_tokens, completion_tokens, estimated, cost, seconds, at, text, reasoning_tokens,
        form FROM calls LIMIT 5""",
    )
    assert failed(copy) == ""


def test_trace_outside_of_the_folder_is_refused(copy: Path) -> None:
    """A trace's name cannot lead out of the run's folder."""
    change(copy / "population.db", "UPDATE traces SET file = '../../evolve.toml' WHERE side = 'baseline'")
    assert "lies outside" in failed(copy)


def test_without_a_journal_nothing_can_be_said(copy: Path) -> None:
    """A missing journal is an error, not an empty one."""
    (copy / RUN / "calls.db").unlink()
    with pytest.raises(StorageError, match="there is no journal"):
        checks(copy)
