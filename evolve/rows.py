"""What population.db holds of a run, as values, and the way from an Iteration to rows; back: from_rows.py. No I/O.

Text is cleaned on its way in: NUL and lone surrogates, which SQLite cannot hold or cuts at, become U+FFFD. A number
that is not finite is refused. Not stored here: the exchanges of an edit and the steps and examples of a rollout; they
are in the traces. What a run goes on with is less still, so that it can be long: see memory.py.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from evolve.contest import Decision
from evolve.intervals import Interval, proportion
from evolve.iteration import Candidate, Diagnosis, Evaluation, Iteration, Prediction, Spend, difference, pairs
from evolve.margins import margin
from harness.trajectory import Rollout
from harness.types import Side, Split

Row = dict[str, Any]
MEASURING = frozenset({"challenger", "verifier", "weak", "strong", "judge"})
ROLLOUT = ("document", "name", "trial", "outcome", "score", "detail", "submissions", "asks", "tokens")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class RunRow:
    """A run as it was started. settings: JSON text. simulated: the roles that a simulated model answers."""

    run: str
    version: str
    seed: int
    lag: int
    instrument: str
    sandbox: str
    simulated: tuple[str, ...]
    settings: str
    scaffold_tree: str
    folder: str

    @property
    def domain(self) -> str:
        """The kind of task that it measures; runs of the first release know one."""
        measure: dict[str, str] = json.loads(self.settings).get("measure", {})
        return measure.get("domain", "cs")


@dataclass(frozen=True)
class DocumentRow:
    """A document of the run's corpus; `used`: it belongs to the subset that is measured."""

    document: str
    name: str
    split: Split
    characters: int
    used: bool


@dataclass(frozen=True)
class Trace:
    """A trace file in the run's folder, and the SHA-256 of its bytes in hex."""

    file: str
    sha256: str


def moment(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def clean(value: Any) -> Any:
    """The value as SQLite can hold it, containers included; see the head of the module.

    Raises:
        ValueError: a number that is not finite.
    """
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value!r} cannot be recorded; numbers must be finite")
    if isinstance(value, Mapping):
        return {clean(key): clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(one) for one in value]
    return value


def as_json(value: Any) -> str:
    """The value as JSON of what `clean` leaves of it; mostly that is all of it, and there is no need to look."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError):
        text = "\0"
    if "\\u0000" in text or UNSTORABLE.search(text):
        return json.dumps(clean(value), ensure_ascii=False, allow_nan=False)
    return text


def run_row(row: RunRow, created: float) -> Row:
    roles = {"simulated": int(bool(row.simulated)), "simulated_roles": as_json(row.simulated)}
    return {**clean(vars(row)), **roles, "created_at": moment(created)}


def document_rows(run: str, documents: Iterable[DocumentRow]) -> list[Row]:
    """The corpus of a run."""
    return [{"run": run, **clean(vars(one)), "used": int(one.used)} for one in documents]


def iteration_rows(run: RunRow, iteration: Iteration, traces: Mapping[Side, Trace]) -> dict[str, list[Row]]:
    """Table -> rows of one iteration, in the order they are inserted: the row of the iteration comes last."""
    if any(one.iteration != iteration.number for one in iteration.evaluations):
        raise ValueError(f"iteration {iteration.number} holds an evaluation of another iteration")
    key = {"run": run.run, "iteration": iteration.number}
    child, diagnosis = iteration.child, iteration.diagnosis
    born = [child] if child and child.iteration == iteration.number else []
    return {
        "candidates": [_candidate_row(run.run, one, iteration.outcome) for one in born],
        **evaluation_rows(run, iteration.evaluations),
        "diagnoses": [_diagnosis_row(key, diagnosis)] if diagnosis else [],
        "predictions": [_prediction_row(key, at, one) for at, one in enumerate(iteration.predictions, 1)],
        "decisions": [_decision_row(key, iteration.decision)] if iteration.decision else [],
        "spends": spend_rows(run, ("search", iteration.number), iteration.spend),
        "traces": [{**key, "side": side, **clean(vars(trace))} for side, trace in traces.items()],
        "iterations": [_iteration_row(run.run, iteration)],
    }


def evaluation_rows(run: RunRow, evaluations: Iterable[Evaluation]) -> dict[str, list[Row]]:
    """The rows of `evaluations` and `rollouts`."""
    rows: dict[str, list[Row]] = {"evaluations": [], "rollouts": []}
    for one in evaluations:
        key = {"run": run.run, "iteration": one.iteration, "side": one.side, "candidate": one.candidate}
        tally = one.tally
        interval = proportion(tally.total, tally.trials)
        rows["evaluations"].append(
            {
                **key,
                "split": one.split,
                "instrument": clean(one.instrument),
                "simulated": int(not MEASURING.isdisjoint(run.simulated)),
                "trials": tally.trials,
                "missing": tally.missing,
                "score": clean(one.mean),
                "low": interval.low,
                "high": interval.high,
            }
        )
        rows["rollouts"] += [_rollout_row(key, place, rollout) for place, rollout in enumerate(one.rollouts)]
    return rows


def spend_rows(run: RunRow, place: tuple[str, int], spends: Iterable[Spend]) -> list[Row]:
    """place: ("search", iteration) or ("final", how many times the test split was opened before, plus one)."""
    key = {"run": run.run, "part": place[0], "number": place[1]}
    return [{**key, **clean(vars(one)), "simulated": int(one.role in run.simulated)} for one in spends]


def _diagnosis_row(key: Row, diagnosis: Diagnosis) -> Row:
    causes = [cause.model_dump() for cause in diagnosis.causes]
    return {**key, "summary": clean(diagnosis.summary), "causes": as_json(causes)}


def _prediction_row(key: Row, cause: int, one: Prediction) -> Row:
    return {
        **key,
        "cause": cause,
        "kind": one.kind,
        "title": clean(one.title),
        "fixes": as_json(one.fixes),
        "breaks": as_json(one.breaks),
        "fixed": one.fixed,
        "broken": one.broken,
        "outcome": one.outcome,
    }


def _decision_row(key: Row, one: Decision) -> Row:
    return {**key, "rule": one.rule, "error": one.error, "looks": as_json([vars(look) for look in one.looks])}


def _candidate_row(run: str, child: Candidate, status: str) -> Row:
    return {
        "run": run,
        "candidate": child.id,
        "iteration": child.iteration,
        "parent": child.parent,
        "commit_hash": child.commit,
        "tree_hash": child.tree,
        "diff": clean(child.diff),
        "status": status,
        "arm": child.arm,
    }


def _rollout_row(key: Row, position: int, rollout: Rollout) -> Row:
    """The row also says where the last submission of the rollout ended, and with which numbers."""
    last = next((step for step in reversed(rollout.steps) if step.report is not None), None)
    report = last.report if last else None
    shadow = {name: verdict.model_dump() for name, verdict in last.shadow.items()} if last else {}
    return {
        **key,
        "position": position,
        "document": clean(rollout.document),
        "trial": rollout.trial,
        "outcome": rollout.outcome,
        "score": rollout.score,
        "margin": margin(rollout),
        "detail": clean(rollout.detail),
        "submissions": rollout.submissions,
        "asks": rollout.asks,
        "tokens": rollout.tokens,
        "stage": report.stage if report else None,
        "weak_mean": report.weak_mean if report else None,
        "strong_mean": report.strong_mean if report else None,
        "gap": report.gap if report else None,
        "reasons": as_json(report.reasons if report else ()),
        "shadow": as_json(shadow),
    }


def _iteration_row(run: str, iteration: Iteration) -> Row:
    parent = iteration.side("parent")
    child = iteration.side("child") or iteration.side("baseline")
    gain = _gain(iteration)
    return {
        "run": run,
        "number": iteration.number,
        "parent": iteration.parent or None,
        "child": iteration.child.id if iteration.child else None,
        "outcome": iteration.outcome,
        "reason": clean(iteration.reason),
        "summary": clean(iteration.summary),
        "sees": iteration.sees,
        "parent_score": clean(parent.mean) if parent else None,
        "child_score": clean(child.mean) if child else None,
        "difference": gain.value if gain else None,
        "low": gain.low if gain else None,
        "high": gain.high if gain else None,
        "compared": gain.trials if gain else 0,
        "probabilities": as_json(iteration.probabilities),
        "started_at": moment(iteration.started),
        "finished_at": moment(iteration.finished),
        "arm": iteration.arm,
        "operator": iteration.operator,
        "partner": iteration.partner,
        "edit_hash": iteration.edit_hash,
    }


def _gain(iteration: Iteration) -> Interval | None:
    """Child minus parent as the rule saw it last, if it saw a document of both; without looks, as in runs of before
    0005, on the documents that both were measured on."""
    if iteration.decision is None:
        parent, child = iteration.side("parent"), iteration.side("child")
        both = parent is not None and child is not None and pairs(child, parent)
        return difference(child, parent) if both and child and parent else None
    looks = iteration.decision.looks
    if not looks or not looks[-1].documents:
        return None
    last = looks[-1]
    return Interval(last.difference, last.low, last.high, last.documents)
