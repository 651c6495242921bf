"""The loop on a real small model, killed and resumed: `make test-local`, with -s to see what it answered how.

Nothing here depends on how good the model is: only that whatever it says is read, or named, and never breaks a run.
"""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from places import command
from run_facts import journal, query

from harness.documents import load, split_of
from harness.measuring import cause_of
from harness.types import Reply

pytestmark = pytest.mark.local

SETTINGS = """\
[documents]
path = "documents"
minibatch = 2
validation = 3
test = 3
[search]
effect = 0.6
block = 3
overlook = 0.9
[measure.allowance]
submissions = 2
[measure.strong]
samples = 3
"""
SIZES = {"training": 4, "validation": 3, "test": 3}
RUN = ("run", "--models", "local", "--iterations", "3", "--workers", "2")
SECONDS = 6 * 3600  # a busy machine of two cores; a quiet one takes some minutes
KILLED_AFTER = 60  # calls of the local model
CAUSES = {"cut_off", "empty", "refused", "failed", "unreadable", "undecided"}
SOLVERS = ("weak", "strong")


@dataclass(frozen=True)
class Call:
    """One recorded call of the local model."""

    role: str
    reply: Reply

    @property
    def cause(self) -> str:
        """What is wrong with it by name; empty if it is whole."""
        return "" if self.reply.whole else cause_of(self.reply)


def prepare(folder: Path) -> None:
    """Ten documents of the Python installation, as many of each split as are used, and the settings."""
    (folder / "documents").mkdir()
    left = dict(SIZES)
    for document in load(None).documents:
        split = split_of(document.id)
        if left[split] and document.text.count(". ") > 20:
            left[split] -= 1
            (folder / "documents" / f"{document.name}.txt").write_text(document.text, "utf-8")
    assert not any(left.values())
    (folder / "evolve.toml").write_text(SETTINGS)


def local_calls(folder: Path) -> dict[str, Call]:
    """The calls of weak and strong by their keys; none before the journal is there."""
    try:
        rows = query(
            journal(folder),
            "SELECT key, role, text, finish_reason, model, prompt_tokens, completion_tokens, seconds FROM calls "
            "WHERE role IN ('weak', 'strong')",
        )
    except sqlite3.Error:
        return {}
    names = ("text", "finish_reason", "model", "prompt_tokens", "completion_tokens", "seconds")
    return {
        key: Call(role, Reply(key=key, **dict(zip(names, rest, strict=True)))) for key, role, *rest in rows
    }


def rollouts(folder: Path) -> Iterator[dict[str, Any]]:
    """Every recorded rollout."""
    for trace in sorted((folder / "runs" / "run-001" / "traces").iterdir()):
        for line in trace.read_text("utf-8").splitlines():
            found = json.loads(line)
            yield found.get("rollout", found)


def steps(folder: Path) -> Iterator[dict[str, Any]]:
    """Every submission."""
    for rollout in rollouts(folder):
        yield from (step for step in rollout.get("steps", ()) if step["kind"] == "submit")


def killed(folder: Path) -> str:
    """Start the run, kill it in its middle, and say what it had told."""
    log = folder / "first.log"
    with log.open("w") as told:
        process = subprocess.Popen(
            command(*RUN), cwd=folder, stdout=told, stderr=told, start_new_session=True
        )
        try:
            ends = time.monotonic() + SECONDS
            while len(local_calls(folder)) < KILLED_AFTER and time.monotonic() < ends:
                assert process.poll() is None, log.read_text("utf-8")
                time.sleep(0.2)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    return log.read_text("utf-8")


def served_by_us(folder: Path) -> list[int]:
    """Processes that still serve the model and were started in this folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line, where = (place / "cmdline").read_bytes(), (place / "cwd").resolve()
        except OSError:  # it has ended meanwhile, or is somebody else's
            continue
        if b"harness.models.local.server" in line and where == folder:
            found.append(int(place.name))
    return found


def test_ten_documents_and_three_iterations(tmp_path: Path) -> None:
    """It ends without a crash although it was killed; each unusable answer has a name, and no attempt rests on one."""
    folder = tmp_path.resolve()
    prepare(folder)
    began = time.monotonic()
    told = killed(folder)
    before = local_calls(folder)
    assert "domain: passage" in told and "simulated" in told and len(before) >= KILLED_AFTER
    ended_with_it(folder)
    done = subprocess.run(
        command(*RUN), cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    verified = subprocess.run(command("verify"), cwd=folder, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    after = local_calls(folder)
    assert before.items() <= after.items()
    kept = accounted(folder, after)
    show(folder, after, kept, time.monotonic() - began)


def ended_with_it(folder: Path) -> None:
    """The server does not outlive a killed run."""
    ends = time.monotonic() + 20
    while served_by_us(folder) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not served_by_us(folder)


def accounted(folder: Path, calls: Mapping[str, Call]) -> set[str]:
    """Keys of the answers that attempts rest on, after it was seen that all is accounted for."""
    (finished,) = query(folder / "population.db", "SELECT count(*) FROM iterations WHERE number > 0")[0]
    assert finished == 3
    kept: set[str] = set()
    for step in steps(folder):
        for attempt in (*step["weak"], *step["strong"]):
            said = [calls[key] for key in attempt["calls"] if key in calls]
            assert said and not [one.cause for one in said if one.cause], (
                "an attempt rests on an unusable answer"
            )
            assert said[0].reply.text.strip().endswith(attempt["answer"][-20:]) and attempt["score"] in (
                0.0,
                1.0,
            )
            kept.update(one.reply.key for one in said)
        assert {name.rpartition(" ")[2] for name in step.get("missing", ())} <= CAUSES
    for call in calls.values():
        assert call.cause in CAUSES | {""} and not (call.cause and call.reply.key in kept)
    for rollout in rollouts(folder):
        if rollout.get("outcome") == "missing":
            assert any(
                role in rollout["detail"] for role in ("weak", "strong", "judge", "verifier", "challenger")
            )
    return kept


def show(folder: Path, calls: Mapping[str, Call], kept: set[str], seconds: float) -> None:
    """What happened, in the words of docs/domain-passage.md."""
    rows = [f"{len(calls):,} answers of the local model in {seconds:.0f} s; {len(kept):,} stand in attempts"]
    for role in SOLVERS:
        said = [one for one in calls.values() if one.role == role]
        causes = Counter(one.cause or "whole" for one in said)
        tokens = sum(one.reply.completion_tokens for one in said)
        asked = sum(one.reply.prompt_tokens for one in said)
        rows.append(f"{role}: {dict(causes)}; {asked:,} tokens asked, {tokens:,} said")
    found = list(steps(folder))
    attempts = [one for step in found for one in (*step["weak"], *step["strong"])]
    for name, counted in {
        "rollouts": Counter(one["outcome"] for one in rollouts(folder) if "outcome" in one),
        "submissions": Counter(one["report"]["stage"] for one in found),
        "reasons": Counter(name for one in found for name in one["report"]["reasons"]),
        "missing": Counter(name for one in found for name in one.get("missing", ())),
        "decided by": Counter(one["how"] for one in attempts),
        "right": Counter(one["solver"] for one in attempts if one["score"]),
        "attempts": Counter(one["solver"] for one in attempts),
    }.items():
        rows.append(f"{name}: {dict(counted)}")
    sys.stdout.write("\n" + "\n".join(rows) + "\n")
