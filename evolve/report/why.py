"""The evidence for one decision, as values: what was decided by which rule, on what, at what cost. Draws nothing."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from evolve.contest import NOTHING, Decision, Record, Scores, Sums, merged
from evolve.database import open_readonly
from evolve.from_rows import decision_of, prediction_of
from evolve.iteration import Diagnosis, Prediction
from evolve.predictions import UNNAMED, named
from evolve.report import overview
from evolve.report.overview import Entry
from evolve.report.records import Gap, gap, records
from evolve.report.store import Score, Store
from harness.errors import StorageError

SIDES = ("baseline", "minibatch", "edit", "rerun", "parent", "child", "record")
DRAWN = """SELECT side, document, count(score) AS trials, total(score) AS total, total(score * score) AS squares
    FROM rollouts WHERE run = :run AND iteration = :number GROUP BY side, document"""
NAMES = "SELECT document, name FROM documents WHERE run = :run"
ROLLOUTS = """SELECT side, count(*) AS rollouts, total(outcome = 'missing') AS missing FROM rollouts
    WHERE run = :run AND iteration = :number AND side <> 'final' GROUP BY side"""
CALLS = """SELECT side, count(*), sum(prompt_tokens + completion_tokens), sum(cost) FROM calls
    WHERE iteration = ? AND side <> 'final' GROUP BY side"""
SPENT = """SELECT role AS name, calls, prompt_tokens + completion_tokens AS tokens, cost FROM spends
    WHERE run = :run AND part = 'search' AND number = :number ORDER BY tokens DESC"""
DECISION = "SELECT rule, error, looks FROM decisions WHERE run = :run AND iteration = :number"
PREDICTIONS = "SELECT * FROM predictions WHERE run = :run AND iteration = :number ORDER BY cause"
TASK = "SELECT sees, partner FROM iterations WHERE run = :run AND number = :number"


@dataclass(frozen=True)
class Pair:
    """One validation document in the race: mean score and valid trials of both; a mean without trials is None.

    The parent's trials include those of the record it went into the race with, where the rule takes that into account.
    """

    document: str
    child: float | None
    child_trials: int
    parent: float | None
    parent_trials: int
    difference: float | None


@dataclass(frozen=True)
class Budget:
    """The chance of keeping a child that is no better, in probabilities.

    whole: of all decisions together. share: of this one. used: of all iterations up to this one, whether or not they came
    to a decision; left: of those to come; both None under a rule that shares it out in its own way.
    """

    whole: float
    share: float
    used: float | None
    left: float | None


@dataclass(frozen=True)
class Fresh:
    """What a survivor was worth when it was measured anew. gain: over its parent, by all that its race knew of that."""

    record: Score
    gain: Gap | None


@dataclass(frozen=True)
class Part:
    """What a part of an iteration took. name: a side, `edit`, or a role. cost in US dollars, notional if simulated.

    calls, tokens and cost of a side are None where the journal of the run is gone.
    """

    name: str
    rollouts: int = 0
    missing: int = 0
    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Why:
    """All of it. record: of the baseline, which nothing decides on. parts, roles: what it cost by side and by role.

    predictions: of the causes. base: what became of the documents that no cause named; None if nothing was checked.
    """

    run: str
    simulated: bool
    entry: Entry
    sees: int
    partner: str | None
    decision: Decision | None
    pairs: tuple[Pair, ...]
    fresh: Fresh | None
    budget: Budget | None
    parts: tuple[Part, ...]
    roles: tuple[Part, ...]
    diagnosis: Diagnosis | None
    predictions: tuple[Prediction, ...]
    base: Prediction | None
    record: Score | None


def why(store: Store, number: int) -> Why:
    """The evidence for what a recorded iteration decided."""
    (entry,) = overview.log(store, number)
    (task,) = store.rows(TASK, number=number)
    decision = next((decision_of(row) for row in store.rows(DECISION, number=number)), None)
    sides = _drawn(store, number)
    child, parent = sides.get("child", {}), sides.get("parent", {})
    reference = entry.against or entry.parent
    if reference and takes_record(decision, child, parent):
        before = records(store, task["sees"], reference).get(reference, Record())
        parent = merged(before.scores, parent)
    predictions = tuple(prediction_of(row) for row in store.rows(PREDICTIONS, number=number))
    measured = {one.side: one.score for one in overview.measured(store, number)}
    fresh = None
    if "record" in measured:
        fresh = Fresh(measured["record"], gap(Record(sides.get("record", {})), Record(parent)))
    return Why(
        run=store.run.run,
        simulated=bool(store.run.simulated),
        entry=entry,
        sees=task["sees"],
        partner=task["partner"],
        decision=decision,
        pairs=pairs(child, parent, {row["document"]: row["name"] for row in store.rows(NAMES)}),
        fresh=fresh,
        budget=budget(store.run.settings, decision, number),
        parts=_parts(store, number),
        roles=tuple(Part(**row) for row in store.rows(SPENT, number=number)),
        diagnosis=overview.diagnosis(store, number),
        predictions=named(predictions),
        base=next((one for one in predictions if one.title == UNNAMED), None),
        record=measured.get("baseline"),
    )


def takes_record(decision: Decision | None, child: Scores, parent: Scores) -> bool:
    """Whether the rule's last look rests on more of the parent's trials than were drawn in its iteration."""
    if decision is None or not decision.looks:
        return False
    own = sum(one.number for key, one in parent.items() if key in child)
    return decision.looks[-1].parent_trials > own


def pairs(child: Scores, parent: Scores, names: Mapping[str, str]) -> tuple[Pair, ...]:
    """The documents of a race, the most telling first: by the difference times the root of the trials it rests on."""
    found = [
        _pair(names.get(key, key), child.get(key, NOTHING), parent.get(key, NOTHING))
        for key in {**child, **parent}
    ]
    return tuple(sorted(found, key=lambda one: (-_weight(one), one.document))) if child else ()


def budget(settings: str, decision: Decision | None, number: int) -> Budget | None:
    """The share of the error budget, and what of it is used and left; None under a rule that has none.

    used: the shares of `selection.sequential.error_share` add up to error n / (n + horizon) over the first n iterations.
    """
    search = json.loads(settings).get("search", {})
    if decision is None or decision.error is None or not {"error", "horizon"} <= search.keys():
        return None
    whole, horizon = float(search["error"]), int(search["horizon"])
    used = whole * number / (number + horizon) if decision.rule == "sequential" else None
    return Budget(whole, decision.error, used, None if used is None else whole - used)


def _pair(name: str, child: Sums, parent: Sums) -> Pair:
    mine, theirs = (one.mean if one.number else None for one in (child, parent))
    difference = None if mine is None or theirs is None else mine - theirs
    return Pair(name, mine, child.number, theirs, parent.number, difference)


def _weight(one: Pair) -> float:
    if one.difference is None:
        return -1.0
    trials = one.child_trials * one.parent_trials / (one.child_trials + one.parent_trials)
    return abs(one.difference) * sqrt(trials)


def _drawn(store: Store, number: int) -> dict[str, dict[str, Sums]]:
    """Side -> document -> sums of the valid scores drawn there in this iteration."""
    found: dict[str, dict[str, Sums]] = {}
    for row in store.rows(DRAWN, number=number):
        one = Sums(row["trials"], row["total"], row["squares"])
        if one.number:
            found.setdefault(row["side"], {})[row["document"]] = one
    return found


def _parts(store: Store, number: int) -> tuple[Part, ...]:
    """Every side that was measured, and the edit, in their order."""
    rollouts = {row["side"]: row for row in store.rows(ROLLOUTS, number=number)}
    paid = _journal(store.folder / "calls.db", number)
    there = [one for one in SIDES if one in rollouts or one in paid]
    return tuple(
        Part(
            one,
            rollouts[one]["rollouts"] if one in rollouts else 0,
            int(rollouts[one]["missing"]) if one in rollouts else 0,
            *paid.get(one, (None, None, None)),
        )
        for one in there
    )


def _journal(place: Path, number: int) -> dict[str, tuple[int, int, float]]:
    """Side -> calls, tokens, dollars; empty without a journal that can be read."""
    try:
        with closing(open_readonly(place)) as connection:
            return {row[0]: row[1:] for row in connection.execute(CALLS, (number,)).fetchall()}
    except (StorageError, sqlite3.Error):
        return {}
