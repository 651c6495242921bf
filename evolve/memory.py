"""What a run keeps in memory of the iterations it has recorded: little enough that ten thousand of them are no burden.

Tallies in place of rollouts, the titles of the causes in place of the diagnosis; no diff, probabilities, exchanges and
spend. A run and its resume go on from equal values: what `kept` makes of an iteration, `loaded` makes of its rows.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from sys import intern
from typing import Any

from evolve.contest import Sums
from evolve.from_rows import predictions_of, seconds
from evolve.iteration import Candidate, Evaluation, Iteration, Tally
from evolve.population import counts
from evolve.rows import Row, clean, moment

QUERIES = {
    "tallies": """SELECT iteration, side, total(score) AS total, count(score) AS trials,
        total(outcome = 'missing') AS missing FROM rollouts WHERE run = ? GROUP BY iteration, side""",
    "sums": """SELECT iteration, side, document, count(score) AS trials, total(score) AS total,
        total(score * score) AS squares FROM rollouts WHERE run = ?1
        AND score IS NOT NULL AND (side IN ('baseline', 'parent', 'record') OR side = 'child' AND candidate IN
        (SELECT candidate FROM candidates WHERE candidates.run = ?1 AND status IN ('survived', 'contender')))
        GROUP BY iteration, side, document ORDER BY iteration, side, min(trial), min(position)""",
    "evaluations": """SELECT iteration, side, candidate, split, instrument FROM evaluations
        WHERE run = ? AND side <> 'final' ORDER BY rowid""",
    "candidates": "SELECT candidate, iteration, parent, commit_hash, tree_hash, arm FROM candidates WHERE run = ?",
    "predictions": "SELECT * FROM predictions WHERE run = ? ORDER BY iteration, cause",
    "diagnoses": "SELECT iteration, causes FROM diagnoses WHERE run = ?",
    "iterations": """SELECT number, outcome, reason, parent, sees, child, summary, started_at, finished_at,
        arm, operator, partner, edit_hash FROM iterations WHERE run = ? ORDER BY number""",
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
        evaluations=tuple(
            replace(one, rollouts=(), recorded=_tally(iteration, one)) for one in iteration.evaluations
        ),
        spend=(),
        decision=None,
        predictions=tuple(replace(one, title=clean(one.title)) for one in iteration.predictions),
        started=seconds(moment(iteration.started)),
        finished=seconds(moment(iteration.finished)),
    )


def _tally(iteration: Iteration, one: Evaluation) -> Tally:
    """The tally; scores by document only where they belong to a candidate's record."""
    return replace(
        one.tally, sums=_compact(one.sums) if one.split == "validation" and counts(iteration, one) else {}
    )


def _compact(sums: Mapping[str, Sums]) -> dict[str, Sums]:
    """Equal sums as the same object: most documents of most iterations have one of a few."""
    return {intern(key): _shared_sums(one) for key, one in sums.items()}


@lru_cache(maxsize=4096)
def _shared_sums(sums: Sums) -> Sums:
    return sums


def loaded(tables: Mapping[str, Iterable[Row]]) -> list[Iteration]:
    """Iterations by number, from the rows that `QUERIES` give; each is read once and to its end."""
    sums: dict[tuple[int, str], dict[str, Sums]] = {}
    for row in tables["sums"]:
        one = Sums(row["trials"], row["total"], row["squares"])
        sums.setdefault((row["iteration"], row["side"]), {})[intern(row["document"])] = _shared_sums(one)
    tallies = {
        (row["iteration"], row["side"]): Tally(row["total"], row["trials"], int(row["missing"]))
        for row in tables["tallies"]
    }
    evaluations: dict[int, tuple[Evaluation, ...]] = {}
    for row in tables["evaluations"]:
        number = row["iteration"]
        candidate, side, split, instrument = _shared(row, "candidate", "side", "split", "instrument")
        tally = tallies.get((number, side), NONE)
        measured = Evaluation(candidate, number, side, split, instrument, recorded=tally)
        evaluations[number] = (*evaluations.get(number, ()), measured)
    candidates = {row["candidate"]: _candidate(row) for row in tables["candidates"]}
    causes = {row["iteration"]: _titles(row["causes"]) for row in tables["diagnoses"]}
    predictions = predictions_of(tables["predictions"])
    found = [
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
            arm=_shared(row, "arm")[0],
            operator=_shared(row, "operator")[0],
            partner=row["partner"],
            edit_hash=row["edit_hash"],
            predictions=predictions.get(row["number"], ()),
        )
        for row in tables["iterations"]
    ]
    return [_with_sums(one, sums) for one in found]


def _with_sums(iteration: Iteration, sums: Mapping[tuple[int, str], dict[str, Sums]]) -> Iteration:
    """With the scores by document of what counts for a candidate."""
    measured = tuple(
        replace(one, recorded=replace(one.tally, sums=sums.get((one.iteration, one.side), {})))
        if one.split == "validation" and counts(iteration, one)
        else one
        for one in iteration.evaluations
    )
    return replace(iteration, evaluations=measured)


def _candidate(row: Row) -> Candidate:
    parent = intern(row["parent"]) if row["parent"] else None
    hashes = row["commit_hash"], row["tree_hash"]
    return Candidate(intern(row["candidate"]), row["iteration"], parent, *hashes, arm=_shared(row, "arm")[0])


def _titles(causes: str) -> tuple[str, ...]:
    return tuple(one["title"] for one in json.loads(causes))


def _shared(row: Row, *columns: str) -> tuple[Any, ...]:
    """The texts of some columns, equal ones as the same object."""
    return tuple(intern(row[column]) for column in columns)
