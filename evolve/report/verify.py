"""Do git, database, journal and traces tell the same story? Reads everything, changes nothing, names what disagrees."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evolve import rows
from evolve.database import open_readonly
from evolve.from_rows import evaluations_of, iterations_of
from evolve.iteration import IN_POPULATION, Candidate, Evaluation
from evolve.report import traces
from evolve.report.store import Store, candidates
from evolve.report.verify_decisions import decision_problems
from evolve.report.verify_seal import opening_problems
from evolve.report.verify_trace import MONEY, Journal, Ledger, edit_problems, rollout_problems
from evolve.repository import Repository
from evolve.rows import Row
from harness.domains import domain
from harness.errors import StorageError
from harness.gate import Preset
from harness.journal import unusable

TABLES = {
    "candidates": "rowid",
    "diagnoses": "iteration",
    "decisions": "iteration",
    "predictions": "iteration, cause",
    "evaluations": "rowid",
    "spends": "rowid",
    "iterations": "number",
}
ROLLOUTS = """SELECT r.*, d.name FROM rollouts AS r JOIN documents AS d ON (d.run, d.document) = (r.run, r.document)
    WHERE r.run = :run ORDER BY r.iteration, r.side, r.position"""
SUMS = """SELECT iteration, role, count(*) AS calls, sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens, total(cost) AS cost FROM calls WHERE {} GROUP BY iteration, role"""


@dataclass(frozen=True)
class Check:
    """One question, how many things it was asked of, and those that failed, each in a line."""

    name: str
    count: int
    findings: tuple[str, ...]


async def verify(store: Store) -> AsyncIterator[Check]:
    """Every check of one run, in the order of trust: the files themselves, then what they say of each other.

    A run that is going on may be verified too: what is not recorded yet is not looked at.

    Raises:
        StorageError: a file is missing or so damaged that nothing can be checked.
    """
    yield sound(store.connection, "population.db is sound")
    place = store.folder / "calls.db"
    with closing(open_journal(place)) as journal:
        yield sound(journal, "calls.db is sound")
        async for check in git_checks(store):
            yield check
        yield lineage(store)
        yield arithmetic(store)
        yield splits(store)
        yield Check("each decision follows from the recorded draws", *decision_problems(store))
        try:
            for check in trace_checks(store, journal):
                yield check
            yield Check(
                "the test split was opened before it was measured on", *opening_problems(store, journal)
            )
            yield spending(store, journal)
        except sqlite3.Error as error:  # of the journal: the store names its own
            raise unusable(place, error) from None


def open_journal(place: Path) -> sqlite3.Connection:
    """The journal, for reading.

    Raises:
        StorageError: it is missing or no database.
    """
    if not place.is_file():
        raise StorageError(f"there is no journal {str(place)!r}; the run's folder was moved or emptied")
    connection = open_readonly(place)
    try:
        connection.execute("SELECT count(*) FROM calls").fetchall()
    except sqlite3.Error as error:
        connection.close()
        raise unusable(place, error) from None
    return connection


def sound(connection: sqlite3.Connection, name: str) -> Check:
    """SQLite's own checks of a whole file."""
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)").fetchall()]
        strays = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        return Check(name, 1, (str(error),))
    broken = [line for line in found if line != "ok"]
    return Check(
        name, 1, (*broken, *(f"table {row[0]} row {row[1]} refers to a missing {row[2]}" for row in strays))
    )


async def git_checks(store: Store) -> AsyncIterator[Check]:
    """Commits, refs, trees and diffs of every candidate."""
    known = {key: one for key, (one, _) in candidates(store).items()}
    repository = Repository(store.folder / "candidates.git")
    try:
        yield Check("candidates.git is sound", 1, tuple(await repository.fsck()))
        refs = await repository.refs()
        recorded = {
            f"c{row['number']}" for row in store.rows("SELECT number FROM iterations WHERE run = :run")
        }
        problems = [
            f"{key}: its ref is {refs.get(key)}, not {one.commit}"
            for key, one in known.items()
            if refs.get(key) != one.commit
        ]
        problems += [f"{key}: a ref without a row" for key in refs if key in recorded and key not in known]
        yield Check("each candidate has its ref", len(known), tuple(problems))
        found = [await _commit_problem(repository, one, known) for one in known.values()]
        yield Check(
            "each commit has the tree and the diff that are recorded", len(known), tuple(filter(None, found))
        )
    finally:
        repository.close()


async def _commit_problem(repository: Repository, one: Candidate, known: dict[str, Candidate]) -> str | None:
    try:
        if await repository.entries(one.commit) != await repository.entries(one.tree):
            return f"{one.id}: commit {one.commit} does not have tree {one.tree}"
        diff = "" if one.parent is None else await repository.diff(known["c0"].commit, one.commit)
    except StorageError as error:
        return f"{one.id}: {error}"
    if rows.clean(diff) != one.diff:
        return f"{one.id}: the recorded diff is not git's"
    return None


def lineage(store: Store) -> Check:
    """One baseline; every other candidate's parent was in the population that its iteration could see."""
    known, problems = candidates(store), list[str]()
    for row in store.rows("SELECT * FROM iterations WHERE run = :run ORDER BY number"):
        number, parent, child = row["number"], row["parent"], row["child"]
        if child is not None and child != f"c{number}":
            problems.append(f"iteration {number}: its child is called {child}")
        if child is not None and child in known and known[child][1] != row["outcome"]:
            problems.append(
                f"iteration {number}: {child} is {known[child][1]}, the iteration {row['outcome']}"
            )
        if number == 0:
            continue
        if child is not None and (child not in known or known[child][0].parent != parent):
            problems.append(f"iteration {number}: {child} is not recorded as a child of {parent}")
        if parent not in known:
            problems.append(f"iteration {number}: its parent {parent} is not recorded")
        elif known[parent][0].iteration > row["sees"] or known[parent][1] not in IN_POPULATION:
            problems.append(f"iteration {number}: it could not have seen {parent} as a parent")
    roots = [key for key, (one, _) in known.items() if one.parent is None]
    problems += [f"the roots are {', '.join(roots)}, not c0 alone"] if known and roots != ["c0"] else []
    return Check("lineage is a tree, and each parent could be seen", len(known), tuple(problems))


def arithmetic(store: Store) -> Check:
    """Scores, intervals and differences are those that the recorded rollouts give."""
    tables = {
        name: store.rows(f"SELECT * FROM {name} WHERE run = :run ORDER BY {key}")
        for name, key in TABLES.items()
    }
    problems = []
    evaluations = evaluations_of(tables["evaluations"], rollouts := store.rows(ROLLOUTS))
    for one, row in zip(evaluations, tables["evaluations"], strict=True):
        problems += _differing(rows.evaluation_rows(store.run, [one])["evaluations"][0], row, _place(row))
    for iteration, row in zip(
        iterations_of({**tables, "rollouts": rollouts}), tables["iterations"], strict=True
    ):
        again = rows.iteration_rows(store.run, iteration, {})["iterations"][0]
        problems += _differing(again, row, f"iteration {iteration.number}")
    return Check(
        "scores and differences follow from the rollouts",
        len(evaluations) + len(tables["iterations"]),
        tuple(problems),
    )


def splits(store: Store) -> Check:
    """Only documents of a split were measured in its name, and the test split only in the end."""
    query = """SELECT r.iteration, r.side, d.name, d.split AS belongs, e.split FROM rollouts AS r
        JOIN evaluations AS e ON (e.run, e.iteration, e.side) = (r.run, r.iteration, r.side)
        JOIN documents AS d ON (d.run, d.document) = (r.run, r.document)
        WHERE r.run = :run AND (d.split <> e.split OR (d.split = 'test') <> (r.side = 'final'))"""
    found = store.rows(query)
    count = store.rows("SELECT count(*) AS n FROM rollouts WHERE run = :run")[0]["n"]
    problems = (
        f"{_place(row)}: {row['name']!r} is of {row['belongs']}, measured as {row['split']}" for row in found
    )
    return Check("each document was measured in its own split", count, tuple(problems))


def trace_checks(store: Store, journal: sqlite3.Connection) -> Iterator[Check]:
    """Trace files against their hashes, against the rollouts recorded, and against the journal."""
    recorded = store.rows("SELECT * FROM traces WHERE run = :run ORDER BY iteration, rowid")
    there = {(row["iteration"], row["side"]) for row in recorded}
    measured = {
        (row["iteration"], row["side"]): row
        for row in store.rows("SELECT * FROM evaluations WHERE run = :run")
    }
    lacking = [f"{_place(row)}: no trace is recorded" for key, row in measured.items() if key not in there]
    files, told, calls, asked = lacking, list[str](), list[str](), Journal(journal)
    presets = presets_of(store)
    for row in recorded:
        try:
            place = traces.path(store, row["file"])
            if hashlib.sha256(place.read_bytes()).hexdigest() != row["sha256"]:
                files.append(f"{row['file']}: its bytes have changed since it was written")
            if row["side"] == "edit":
                calls += [
                    f"{row['file']}: {one}"
                    for one in edit_problems(list(traces.read_exchanges(place)), asked, store.folder)
                ]
                continue
            evaluation = _evaluation(measured[row["iteration"], row["side"]], place)
            told += _untold(store, evaluation)
            calls += [
                f"{row['file']}: {one}" for one in rollout_problems(evaluation.rollouts, asked, presets)
            ]
        except KeyError:
            told.append(f"{row['file']}: a trace without an evaluation")
        except (OSError, StorageError) as error:
            files.append(f"{row['file']}: {error}")
    yield Check("each trace is there, unchanged", len(recorded), tuple(files))
    yield Check("traces and recorded rollouts say the same", len(measured), tuple(told))
    yield Check(
        "each call in a trace is in the journal with its text, and scores follow from hits",
        asked.count,
        tuple(calls),
    )


def presets_of(store: Store) -> Mapping[str, Preset]:
    """The gates of the domain that the run measures.

    Raises:
        UsageError: the domain is somebody's own, and its file is gone.
    """
    return domain(store.run.domain).presets


def _evaluation(row: Row, place: Path) -> Evaluation:
    rollouts = tuple(traces.read_rollouts(place))
    return Evaluation(
        row["candidate"], row["iteration"], row["side"], row["split"], row["instrument"], rollouts
    )


def _untold(store: Store, evaluation: Evaluation) -> list[str]:
    """Where the rows of an evaluation differ from those that its trace would give."""
    query = "SELECT * FROM rollouts WHERE run = :run AND iteration = :iteration AND side = :side ORDER BY position"
    recorded = store.rows(query, iteration=evaluation.iteration, side=evaluation.side)
    again = rows.evaluation_rows(store.run, [evaluation])["rollouts"]
    place = f"iteration {evaluation.iteration} {evaluation.side}"
    if len(again) != len(recorded):
        return [f"{place}: {len(again)} rollouts in the trace, {len(recorded)} recorded"]
    unknown = {"margin"} if store.before_margins else set()
    known = [{key: one[key] for key in one if key not in unknown} for one in again]
    return [
        problem
        for mine, row in zip(known, recorded, strict=True)
        for problem in _differing(mine, row, f"{place}, document {row['document']}")
    ]


def spending(store: Store, journal: sqlite3.Connection) -> Check:
    """What each iteration cost by role is what the journal holds of it; so is what the test split cost."""
    finals = [
        row["iteration"]
        for row in store.rows("SELECT iteration FROM evaluations WHERE run = :run AND side = 'final'")
    ]
    births = ", ".join(map(str, finals)) or "NULL"
    search = journal.execute(SUMS.format("side NOT IN ('final', 'production')")).fetchall()
    final = journal.execute(SUMS.format(f"side = 'final' AND iteration IN ({births})")).fetchall()
    recorded = store.rows(
        "SELECT part, number, role, calls, prompt_tokens, completion_tokens, cost FROM spends WHERE run = :run"
    )
    numbers = {row["number"] for row in store.rows("SELECT number FROM iterations WHERE run = :run")}
    ours, theirs = Ledger(), Ledger()
    for row in recorded:
        ours.add(f"iteration {row['number']}" if row["part"] == "search" else "final test", row)
    for entry in search:
        if entry["iteration"] in numbers:
            theirs.add(f"iteration {entry['iteration']}", dict(entry))
    for entry in final:
        theirs.add("final test", dict(entry))
    problems = [
        f"{place}, {role}: recorded {ours.show(place, role)}, in the journal {theirs.show(place, role)}"
        for place, role in sorted(ours.sums.keys() | theirs.sums.keys())
        if not ours.equal(theirs, place, role)
    ]
    return Check("spending is what the journal holds", len(ours.sums), tuple(problems))


def _differing(mine: Row, row: Row, place: str) -> list[str]:
    """The columns in which a recomputed row differs from the recorded one."""
    return [
        f"{place}: {key} is recorded as {row[key]!r}, should be {value!r}"
        for key, value in mine.items()
        if not _same(value, row[key])
    ]


def _same(mine: object, theirs: object) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        return abs(mine - theirs) < MONEY
    return mine == theirs


def _place(row: Row) -> str:
    return f"iteration {row['iteration']} {row['side']}"
