"""What a run keeps in memory of the iterations it has recorded: little enough that ten thousand of them are no burden.

Tallies in place of rollouts, the titles of the causes in place of the diagnosis; no diff, probabilities, exchanges and
spend. A run and its resume go on from equal values: what `kept` makes of an iteration, `loaded` makes of its rows.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from sys import intern
from typing import Any

from evolve.population import Candidate, Evaluation, Iteration, Tally
from evolve.rows import Row, clean, moment, seconds

QUERIES = {
    "tallies": """SELECT iteration, side, total(score) AS total, count(score) AS trials,
        count(*) - count(score) AS missing FROM rollouts WHERE run = ? GROUP BY iteration, side""",
    "evaluations": """SELECT iteration, side, candidate, split, instrument FROM evaluations
        WHERE run = ? AND side <> 'final' ORDER BY rowid""",
    "candidates": "SELECT candidate, iteration, parent, commit_hash, tree_hash FROM candidates WHERE run = ?",
    "diagnoses": "SELECT iteration, causes FROM diagnoses WHERE run = ?",
    "iterations": """SELECT number, outcome, reason, parent, sees, child, summary, started_at, finished_at
        FROM iterations WHERE run = ? ORDER BY number""",
}
NONE = Tally(0.0, 0, 0)


def kept(iteration: Iteration) -> Iteration:
    """An iteration that was just recorded, as `loaded` will give it."""
    diagnosis, child = iteration.diagnosis, iteration.child
    return replace(
        iteration,
        reason=clean(iteration.reason),
        summary=clean(iteration.summary),
        child=replace(child, diff="") if child else None,
        probabilities={},
        diagnosis=None,
        causes=tuple(clean(one.title) for one in diagnosis.causes) if diagnosis else (),
        exchanges=(),
        evaluations=tuple(replace(one, rollouts=(), recorded=one.tally) for one in iteration.evaluations),
        spend=(),
        started=seconds(moment(iteration.started)),
        finished=seconds(moment(iteration.finished)),
    )


def loaded(tables: Mapping[str, Iterable[Row]]) -> list[Iteration]:
    """Iterations by number, from the rows that `QUERIES` give; each is read once and to its end."""
    tallies = {
        (row["iteration"], row["side"]): Tally(row["total"], row["trials"], row["missing"])
        for row in tables["tallies"]
    }
    evaluations: dict[int, tuple[Evaluation, ...]] = {}
    for row in tables["evaluations"]:
        number = row["iteration"]
        candidate, side, split, instrument = _shared(row, "candidate", "side", "split", "instrument")
        tally = tallies.get((number, side), NONE)
        one = Evaluation(candidate, number, side, split, instrument, recorded=tally)
        evaluations[number] = (*evaluations.get(number, ()), one)
    candidates = {row["candidate"]: _candidate(row) for row in tables["candidates"]}
    causes = {row["iteration"]: _titles(row["causes"]) for row in tables["diagnoses"]}
    return [
        Iteration(
            number=row["number"],
            outcome=_shared(row, "outcome")[0],
            reason=row["reason"],
            parent=intern(row["parent"] or ""),
            sees=row["sees"],
            child=candidates[row["child"]] if row["child"] else None,
            summary=row["summary"],
            evaluations=evaluations.get(row["number"], ()),
            started=seconds(row["started_at"]),
            finished=seconds(row["finished_at"]),
            causes=causes.get(row["number"], ()),
        )
        for row in tables["iterations"]
    ]


def _candidate(row: Row) -> Candidate:
    parent = intern(row["parent"]) if row["parent"] else None
    return Candidate(intern(row["candidate"]), row["iteration"], parent, row["commit_hash"], row["tree_hash"])


def _titles(causes: str) -> tuple[str, ...]:
    return tuple(one["title"] for one in json.loads(causes))


def _shared(row: Row, *columns: str) -> tuple[Any, ...]:
    """The texts of some columns, equal ones as the same object."""
    return tuple(intern(row[column]) for column in columns)
