"""The way back from rows of population.db to values. No I/O; what rows look like is in rows.py."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from evolve.contest import Decision, Look
from evolve.iteration import Candidate, Diagnosis, Evaluation, Iteration, Prediction, Spend
from evolve.rows import ROLLOUT, Row, RunRow
from harness.trajectory import Rollout


def seconds(text: str) -> float:
    """The inverse of `moment`."""
    return datetime.fromisoformat(text).timestamp()


def run_of(row: Row) -> RunRow:
    fields = {key: row[key] for key in RunRow.__dataclass_fields__}
    return RunRow(**{**fields, "simulated": tuple(json.loads(row["simulated_roles"]))})


def iterations_of(tables: Mapping[str, Sequence[Row]]) -> list[Iteration]:
    """Iterations by number with all that is recorded of them; the opposite of `iteration_rows`. Needs room for all.

    Rows come as `history` reads them: iterations by number, rollouts by position and with the document's name, the
    rest as they were inserted. Evaluations of side `final` are left out.
    """
    candidates = {row["candidate"]: candidate_of(row) for row in tables["candidates"]}
    diagnoses = {row["iteration"]: _diagnosis(row) for row in tables["diagnoses"]}
    decisions = {row["iteration"]: decision_of(row) for row in tables["decisions"]}
    predictions = predictions_of(tables["predictions"])
    evaluations: dict[int, list[Evaluation]] = {}
    for one in evaluations_of(tables["evaluations"], tables["rollouts"]):
        if one.side != "final":
            evaluations.setdefault(one.iteration, []).append(one)
    spends: dict[int, list[Spend]] = {}
    for row in tables["spends"]:
        if row["part"] == "search":
            spends.setdefault(row["number"], []).append(_spend(row))
    return [
        Iteration(
            number=row["number"],
            outcome=row["outcome"],
            reason=row["reason"],
            parent=row["parent"] or "",
            sees=row["sees"],
            child=candidates[row["child"]] if row["child"] else None,
            probabilities=json.loads(row["probabilities"]),
            diagnosis=diagnoses.get(row["number"]),
            summary=row["summary"],
            evaluations=tuple(evaluations.get(row["number"], ())),
            spend=tuple(spends.get(row["number"], ())),
            started=seconds(row["started_at"]),
            finished=seconds(row["finished_at"]),
            arm=row["arm"],
            operator=row["operator"],
            partner=row["partner"],
            edit_hash=row["edit_hash"],
            decision=decisions.get(row["number"]),
            predictions=tuple(predictions.get(row["number"], ())),
        )
        for row in tables["iterations"]
    ]


def candidate_of(row: Row) -> Candidate:
    """The candidate of a row; databases of before 0005 know one arm."""
    return Candidate(
        row["candidate"],
        row["iteration"],
        row["parent"],
        row["commit_hash"],
        row["tree_hash"],
        row["diff"],
        row.get("arm", "evolution"),
    )


def decision_of(row: Row) -> Decision:
    """How a child was decided on."""
    return Decision(row["rule"], row["error"], tuple(Look(**one) for one in json.loads(row["looks"])))


def prediction_of(row: Row) -> Prediction:
    """What a cause of a diagnosis predicted, and what came of it."""
    fixes, breaks = (tuple(json.loads(row[key])) for key in ("fixes", "breaks"))
    return Prediction(row["kind"], row["title"], fixes, breaks, row["fixed"], row["broken"], row["outcome"])


def predictions_of(rows: Iterable[Row]) -> dict[int, tuple[Prediction, ...]]:
    """Iteration -> its predictions, from rows in the order of the causes."""
    found: dict[int, tuple[Prediction, ...]] = {}
    for row in rows:
        found[row["iteration"]] = (*found.get(row["iteration"], ()), prediction_of(row))
    return found


def evaluations_of(evaluations: Sequence[Row], rollouts: Sequence[Row]) -> list[Evaluation]:
    """Evaluations in the order they were recorded, with rollouts that have no steps."""
    measured: dict[tuple[int, str], list[Rollout]] = {}
    for row in rollouts:
        facts = {key: row[key] for key in ROLLOUT}
        measured.setdefault((row["iteration"], row["side"]), []).append(Rollout(**facts))
    return [
        Evaluation(
            row["candidate"],
            row["iteration"],
            row["side"],
            row["split"],
            row["instrument"],
            tuple(measured.get((row["iteration"], row["side"]), ())),
        )
        for row in evaluations
    ]


def _diagnosis(row: Row) -> Diagnosis:
    return Diagnosis(summary=row["summary"], causes=json.loads(row["causes"]))


def _spend(row: Row) -> Spend:
    return Spend(row["role"], row["calls"], row["prompt_tokens"], row["completion_tokens"], row["cost"])
