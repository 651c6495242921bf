"""A trace against the journal and against arithmetic: what was said, what it scored, what it cost."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from evolve.iteration import Exchange
from evolve.operators import agent
from evolve.rows import Row
from harness import gate
from harness.trajectory import Attempt, Extraction, Opinion, Proof, Rollout, Step, Verification, score_of

CLOSE = 1e-9
MONEY = 1e-6
BATCH = 500
Presets = Mapping[str, gate.Preset]


class Journal:
    """Looks calls up; `count` is how many were asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.count = 0

    def find(self, keys: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Key -> text and tokens of the calls that are recorded."""
        self.count += len(keys)
        found: dict[str, tuple[str, int]] = {}
        for start in range(0, len(keys), BATCH):
            part = keys[start : start + BATCH]
            query = f"""SELECT key, text, prompt_tokens + completion_tokens AS tokens FROM calls
                WHERE key IN ({", ".join("?" * len(part))})"""
            found |= {
                row["key"]: (row["text"], row["tokens"]) for row in self._connection.execute(query, part)
            }
        return found


class Ledger:
    """Sums of calls, tokens and money by place and role."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str], tuple[int, int, int, float]] = {}

    def add(self, place: str, row: Row) -> None:
        before = self.sums.get((place, row["role"]), (0, 0, 0, 0.0))
        new = (row["calls"], row["prompt_tokens"], row["completion_tokens"], row["cost"])
        self.sums[place, row["role"]] = tuple(a + b for a, b in zip(before, new, strict=True))

    def equal(self, other: "Ledger", place: str, role: str) -> bool:
        mine, theirs = self.sums.get((place, role)), other.sums.get((place, role))
        return (
            mine is not None
            and theirs is not None
            and mine[:3] == theirs[:3]
            and abs(mine[3] - theirs[3]) < MONEY
        )

    def show(self, place: str, role: str) -> str:
        calls, asked, said, cost = self.sums.get((place, role), (0, 0, 0, 0.0))
        return f"{calls} calls, {asked} + {said} tokens, ${cost:.6f}"


def edit_problems(exchanges: Sequence[Exchange], journal: Journal, home: Path) -> list[str]:
    """Exchanges that the journal does not know, or knows with another reply; of an agent, its record in the run's home."""
    found = journal.find([one.call for one in exchanges])
    problems = []
    for one in exchanges:
        if one.call.startswith(f"{agent.FOLDER}/"):
            if agent.told(home, one.call) != one.reply:
                problems.append(f"agent {one.call}: its record is missing or says something else")
        elif found.get(one.call, (None, 0))[0] != one.reply:
            what = "another text" if one.call in found else "not in the journal"
            problems.append(f"{one.role} call {one.call}: {what}")
    return problems


def rollout_problems(rollouts: Iterable[Rollout], journal: Journal, presets: Presets) -> Iterator[str]:
    """What is wrong with rollouts, each problem with its document. presets: those of the run's domain."""
    for rollout in rollouts:
        said = dict(_said(rollout))
        found = journal.find(list(said))
        problems = [_call_problem(key, text, found) for key, text in said.items()]
        asks = [found[key][1] for step in rollout.steps for key in (*step.earlier, step.call) if key in found]
        if rollout.tokens != sum(asks):
            problems.append(f"it counts {rollout.tokens} challenger tokens, the journal {sum(asks)}")
        problems += [problem for step in rollout.steps for problem in _score_problems(step, presets)]
        problems += _outcome_problems(rollout)
        yield from (f"document {rollout.name!r}: {problem}" for problem in problems if problem)


def _said(rollout: Rollout) -> Iterator[tuple[str, str | None]]:
    """Every call of a rollout with the text that the trace holds of its reply, None where it holds none."""
    yield from _silent(rollout.extraction)
    for step in rollout.steps:
        if step.call:
            yield step.call, step.reply
        for key in step.earlier:
            yield key, None
        for measured in (step.verification, step.opinion, *step.proofs, step.final):
            yield from _silent(measured)
        for attempt in _attempts(step):
            for number, key in enumerate(attempt.calls):
                yield key, attempt.answer if number == 0 else None


def _silent(measured: Extraction | Verification | Opinion | Proof | None) -> Iterator[tuple[str, None]]:
    """The calls behind something of which the trace holds what was read from the replies."""
    for key in measured.calls if measured else ():
        yield key, None


def _attempts(step: Step) -> tuple[Attempt, ...]:
    """Every attempt of a step, the fresh ones included."""
    fresh = step.confirmation
    return (*step.weak, *step.strong, *((*fresh.weak, *fresh.strong) if fresh else ()))


def _call_problem(key: str, text: str | None, found: dict[str, tuple[str, int]]) -> str:
    if key not in found:
        return f"call {key} is not in the journal"
    return (
        f"call {key} has another text in the journal"
        if text is not None and found[key][0].strip() != text.strip()
        else ""
    )


def _score_problems(step: Step, presets: Presets) -> Iterator[str]:
    """Attempts against their hits, the report's means against the attempts, shadow verdicts against the gate."""
    if step.example is None or not step.weak:
        return
    for one in _attempts(step):
        yield from _attempt_problems(step, one)
    if step.report is None:
        yield f"step {step.ordinal} was measured and has no report"
        return
    weak, strong = step.reported
    means = {
        "weak mean": (step.report.weak_mean, fmean(weak)),
        "weak best": (step.report.weak_best, max(weak)),
    }
    if strong:
        means |= {"strong mean": (step.report.strong_mean, fmean(strong))}
        means |= {"gap": (step.report.gap, fmean(strong) - fmean(weak))}
    for name, (told, true) in means.items():
        if told is None or abs(told - true) > CLOSE:
            yield f"step {step.ordinal}: {name} is reported as {told}, should be {true}"
    selecting = [one.score for one in step.weak], [one.score for one in step.strong]
    if step.shadow != gate.shadows(presets, *selecting):
        yield f"step {step.ordinal}: the shadow verdicts are not those of the gate"


def _attempt_problems(step: Step, one: Attempt) -> Iterator[str]:
    assert step.example is not None
    name = f"step {step.ordinal}, {one.solver} attempt {one.number}"
    if not step.example.rubric:
        if one.score not in (0.0, 1.0):
            yield f"{name}: scored {one.score}, an answer is right or wrong"
        return
    try:
        true = gate.rubric_score(step.example.rubric, one.hits)
    except ValueError as error:
        yield f"{name}: {error}"
        return
    if abs(true - one.score) > CLOSE:
        yield f"{name}: scored {one.score}, its hits give {true}"


def _outcome_problems(rollout: Rollout) -> Iterator[str]:
    """The score follows from the outcome, the outcome from the reports."""
    accepted = [step.example for step in rollout.steps if step.report is not None and step.report.accepted]
    if (rollout.outcome == "accepted") != bool(accepted):
        yield f"it is {rollout.outcome}, with {len(accepted)} accepted submissions"
    if rollout.example != (accepted[0] if accepted else None):
        yield "its example is not the accepted submission"
    if rollout.score != score_of(rollout.outcome):
        yield f"it is {rollout.outcome} and scores {rollout.score}"
