"""The schema of population.db as ordered, named steps; a step that was released is never touched again.

Tables hold what was recorded, once; views hold everything that follows from it. `run` is the first column of every
primary key, so several runs share one file.
"""

import sqlite3
from pathlib import Path

from sqlite_utils import Database, Migrations

from evolve import survival_schema
from evolve.schema import refuse_foreign

MIGRATIONS = Migrations("evolve")

TABLES = (
    """CREATE TABLE runs (
        run TEXT PRIMARY KEY, created_at TEXT NOT NULL, version TEXT NOT NULL, seed INTEGER NOT NULL,
        lag INTEGER NOT NULL, instrument TEXT NOT NULL, sandbox TEXT NOT NULL,
        simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)), simulated_roles TEXT NOT NULL,
        settings TEXT NOT NULL, scaffold_tree TEXT NOT NULL, folder TEXT NOT NULL)""",
    """CREATE TABLE sessions (
        run TEXT NOT NULL REFERENCES runs, number INTEGER NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
        outcome TEXT, pid INTEGER NOT NULL, workers INTEGER NOT NULL, iterations INTEGER NOT NULL,
        PRIMARY KEY (run, number))""",
    """CREATE TABLE documents (
        run TEXT NOT NULL REFERENCES runs, document TEXT NOT NULL, name TEXT NOT NULL,
        split TEXT NOT NULL CHECK (split IN ('training', 'validation', 'test')),
        characters INTEGER NOT NULL, used INTEGER NOT NULL CHECK (used IN (0, 1)),
        PRIMARY KEY (run, document))""",
    """CREATE TABLE candidates (
        run TEXT NOT NULL REFERENCES runs, candidate TEXT NOT NULL, iteration INTEGER NOT NULL, parent TEXT,
        commit_hash TEXT NOT NULL, tree_hash TEXT NOT NULL, diff TEXT NOT NULL, status TEXT NOT NULL,
        PRIMARY KEY (run, candidate),
        FOREIGN KEY (run, parent) REFERENCES candidates (run, candidate) DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (run, iteration) REFERENCES iterations (run, number) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TABLE iterations (
        run TEXT NOT NULL REFERENCES runs, number INTEGER NOT NULL, parent TEXT, child TEXT,
        outcome TEXT NOT NULL, reason TEXT NOT NULL, summary TEXT NOT NULL, sees INTEGER NOT NULL,
        parent_score REAL, child_score REAL, difference REAL, low REAL, high REAL, compared INTEGER NOT NULL,
        probabilities TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT NOT NULL,
        PRIMARY KEY (run, number),
        FOREIGN KEY (run, parent) REFERENCES candidates (run, candidate) DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (run, child) REFERENCES candidates (run, candidate) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TABLE diagnoses (
        run TEXT NOT NULL, iteration INTEGER NOT NULL, summary TEXT NOT NULL, causes TEXT NOT NULL,
        PRIMARY KEY (run, iteration),
        FOREIGN KEY (run, iteration) REFERENCES iterations (run, number) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TABLE evaluations (
        run TEXT NOT NULL, iteration INTEGER NOT NULL, side TEXT NOT NULL, candidate TEXT NOT NULL,
        split TEXT NOT NULL, instrument TEXT NOT NULL, simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
        trials INTEGER NOT NULL, missing INTEGER NOT NULL, score REAL, low REAL NOT NULL, high REAL NOT NULL,
        PRIMARY KEY (run, iteration, side),
        FOREIGN KEY (run, iteration) REFERENCES iterations (run, number) DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (run, candidate) REFERENCES candidates (run, candidate) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TABLE rollouts (
        run TEXT NOT NULL, iteration INTEGER NOT NULL, side TEXT NOT NULL, candidate TEXT NOT NULL,
        document TEXT NOT NULL, position INTEGER NOT NULL, outcome TEXT NOT NULL,
        score REAL CHECK (score BETWEEN 0 AND 1), detail TEXT NOT NULL, submissions INTEGER NOT NULL,
        asks INTEGER NOT NULL, tokens INTEGER NOT NULL, stage TEXT, weak_mean REAL, strong_mean REAL, gap REAL,
        reasons TEXT NOT NULL, shadow TEXT NOT NULL,
        PRIMARY KEY (run, iteration, side, document),
        FOREIGN KEY (run, iteration, side) REFERENCES evaluations DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (run, candidate) REFERENCES candidates (run, candidate) DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (run, document) REFERENCES documents DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TABLE spends (
        run TEXT NOT NULL REFERENCES runs, part TEXT NOT NULL CHECK (part IN ('search', 'final')),
        number INTEGER NOT NULL, role TEXT NOT NULL, calls INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL, cost REAL NOT NULL,
        simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)), PRIMARY KEY (run, part, number, role))""",
    """CREATE TABLE traces (
        run TEXT NOT NULL, iteration INTEGER NOT NULL, side TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL,
        PRIMARY KEY (run, iteration, side),
        FOREIGN KEY (run, iteration) REFERENCES iterations (run, number) DEFERRABLE INITIALLY DEFERRED)""",
)

INDICES = {
    "candidates": ("parent", "iteration"),
    "iterations": ("parent", "child"),
    "evaluations": ("candidate",),
    "rollouts": ("candidate", "document"),
}

COVERING = {
    "evaluations_scores": "evaluations (run, split, instrument, candidate, score, trials, missing, simulated)",
    "candidates_status": "candidates (run, candidate, status, iteration)",
    "iterations_outcome": "iterations (run, outcome)",
    "spends_sums": "spends (run, role, calls, prompt_tokens, completion_tokens, cost, simulated)",
}

# Wilson's interval as in intervals.proportion. SQLite need not have sqrt, so Newton's method finds the root; it
# starts above it and halves, so 40 steps reach any root that a count of trials can ask for.
LEADERBOARD = """CREATE VIEW leaderboard AS
WITH RECURSIVE
trials AS (
    SELECT e.run, e.candidate, e.instrument, max(e.simulated) AS simulated,
        count(r.score) AS trials, avg(r.score) AS score, 3.841458820694124 AS zz
    FROM evaluations AS e JOIN rollouts AS r ON (r.run, r.iteration, r.side) = (e.run, e.iteration, e.side)
    WHERE e.split = 'validation' AND r.score IS NOT NULL
    GROUP BY e.run, e.candidate, e.instrument),
newton (run, candidate, instrument, square, root, step) AS (
    SELECT run, candidate, instrument, score * (1 - score) / trials + zz / (4.0 * trials * trials), 1.0, 0 FROM trials
    UNION ALL
    SELECT run, candidate, instrument, square, (root + square / root) / 2, step + 1 FROM newton WHERE step < 40)
SELECT t.run, t.candidate, c.parent, c.status, round(t.score, 4) AS score, t.trials,
    round(max(0, (t.score + zz / (2 * t.trials) - sqrt(zz) * n.root) / (1 + zz / t.trials)), 4) AS low,
    round(min(1, (t.score + zz / (2 * t.trials) + sqrt(zz) * n.root) / (1 + zz / t.trials)), 4) AS high,
    (SELECT count(*) FROM iterations AS i WHERE i.run = t.run AND i.parent = t.candidate AND i.number > 0)
        AS picked_as_parent,
    CASE t.simulated WHEN 1 THEN 'simulated' ELSE 'measured' END AS kind,
    substr(t.instrument, 1, 12) AS instrument
FROM trials AS t
JOIN candidates AS c ON (c.run, c.candidate) = (t.run, t.candidate)
JOIN newton AS n ON (n.run, n.candidate, n.instrument, n.step) = (t.run, t.candidate, t.instrument, 40)
ORDER BY t.run, t.instrument, low DESC, c.iteration""".replace("sqrt(zz)", "1.959963984540054")

LINEAGE = """CREATE VIEW lineage AS
WITH RECURSIVE tree AS (
    SELECT run, candidate, parent, iteration, status, 0 AS depth, candidate AS path
    FROM candidates WHERE parent IS NULL
    UNION ALL
    SELECT c.run, c.candidate, c.parent, c.iteration, c.status, t.depth + 1, t.path || ' > ' || c.candidate
    FROM candidates AS c JOIN tree AS t ON (c.run, c.parent) = (t.run, t.candidate))
SELECT run, candidate, parent, depth, path, status, iteration FROM tree ORDER BY run, iteration"""

SPEND = """CREATE VIEW spend AS
SELECT run, role, sum(calls) AS calls, sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens, round(sum(cost), 6) AS cost,
    CASE max(simulated) WHEN 1 THEN 'simulated' ELSE 'paid' END AS kind
FROM spends GROUP BY run, role ORDER BY run, role"""

FAILURES = """CREATE VIEW failures AS
SELECT r.run, r.candidate, e.split,
    CASE WHEN r.outcome IN ('exhausted', 'stopped') THEN coalesce(r.stage, r.outcome) ELSE r.outcome END AS stage,
    coalesce(why.value, '') AS reason, count(*) AS rollouts,
    CASE max(e.simulated) WHEN 1 THEN 'simulated' ELSE 'measured' END AS kind
FROM rollouts AS r
JOIN evaluations AS e ON (e.run, e.iteration, e.side) = (r.run, r.iteration, r.side)
LEFT JOIN json_each(r.reasons) AS why
WHERE r.outcome <> 'accepted'
GROUP BY r.run, r.candidate, e.split, 4, 5 ORDER BY r.run, r.candidate, e.split, rollouts DESC"""

COMPARISONS = (
    """CREATE TABLE comparisons (
        comparison TEXT PRIMARY KEY, created_at TEXT NOT NULL, version TEXT NOT NULL, fingerprint TEXT NOT NULL,
        domain TEXT NOT NULL, preset TEXT NOT NULL, instrument TEXT NOT NULL, sandbox TEXT NOT NULL,
        seed INTEGER NOT NULL, source TEXT NOT NULL, documents_hash TEXT NOT NULL, documents INTEGER NOT NULL,
        spend_unit TEXT NOT NULL, simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)), simulated_roles TEXT NOT NULL,
        settings TEXT NOT NULL, folder TEXT NOT NULL)""",
    """CREATE TABLE comparison_arms (
        comparison TEXT NOT NULL REFERENCES comparisons, arm TEXT NOT NULL, position INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('cot', 'agentic', 'candidate', 'best_of')), source TEXT NOT NULL,
        tree_hash TEXT NOT NULL, generations INTEGER NOT NULL, spend_of TEXT NOT NULL,
        PRIMARY KEY (comparison, arm))""",
    """CREATE TABLE comparison_rows (
        comparison TEXT NOT NULL, arm TEXT NOT NULL, document TEXT NOT NULL, position INTEGER NOT NULL,
        name TEXT NOT NULL, outcome TEXT NOT NULL, stage TEXT NOT NULL, detail TEXT NOT NULL,
        kept INTEGER CHECK (kept IN (0, 1)), passed INTEGER CHECK (passed IN (0, 1)), rounds INTEGER NOT NULL,
        weak REAL CHECK (weak BETWEEN 0 AND 1), strong REAL CHECK (strong BETWEEN 0 AND 1), gap REAL,
        fresh INTEGER NOT NULL CHECK (fresh IN (0, 1)), question_length INTEGER, rubric_items INTEGER,
        items INTEGER NOT NULL, items_weak REAL, items_strong REAL, untried INTEGER NOT NULL, failures TEXT NOT NULL,
        calls INTEGER NOT NULL, tokens INTEGER NOT NULL, cost REAL NOT NULL,
        made_calls INTEGER NOT NULL, made_tokens INTEGER NOT NULL, made_cost REAL NOT NULL,
        PRIMARY KEY (comparison, arm, document),
        FOREIGN KEY (comparison, arm) REFERENCES comparison_arms)""",
)

# Documents without a score and those that are not suitable are counted apart and are part of no mean.
COMPARISON_TABLE = """CREATE VIEW comparison_table AS
SELECT c.comparison, a.arm, a.kind, a.generations,
    sum(r.outcome <> 'doc_not_suitable') AS documents, sum(r.outcome = 'doc_not_suitable') AS not_suitable,
    sum(r.outcome = 'missing') AS missing, coalesce(sum(r.kept), 0) AS kept, coalesce(sum(r.passed), 0) AS passed,
    round(avg(CASE WHEN r.kept THEN r.weak END), 4) AS weak, round(avg(CASE WHEN r.kept THEN r.strong END), 4) AS strong,
    round(avg(CASE WHEN r.kept THEN r.gap END), 4) AS gap, sum(r.items) AS items,
    round(total(r.items * r.items_weak) / nullif(sum(r.items), 0), 4) AS items_weak,
    round(total(r.items * r.items_strong) / nullif(sum(r.items), 0), 4) AS items_strong,
    round(avg(CASE WHEN r.kept THEN r.rounds END), 2) AS rounds,
    round(avg(CASE WHEN r.kept THEN r.question_length END), 1) AS question_length,
    round(avg(CASE WHEN r.kept THEN r.rubric_items END), 2) AS rubric_items,
    round(avg(r.kept), 4) AS kept_share, round(avg(r.passed), 4) AS acceptance,
    round(total(CASE WHEN r.kept IS NOT NULL THEN r.made_calls END) / nullif(sum(r.kept), 0), 2) AS calls_per_kept,
    round(total(CASE WHEN r.kept IS NOT NULL THEN r.made_cost END) / nullif(sum(r.kept), 0), 6) AS cost_per_kept,
    round(total(CASE WHEN r.kept IS NOT NULL THEN r.calls END) / nullif(sum(r.passed), 0), 2) AS calls_per_accepted,
    round(total(CASE WHEN r.kept IS NOT NULL THEN r.cost END) / nullif(sum(r.passed), 0), 6) AS cost_per_accepted,
    sum(r.calls) AS calls, sum(r.tokens) AS tokens, round(sum(r.cost), 6) AS cost,
    CASE c.simulated WHEN 1 THEN 'simulated' ELSE 'measured' END AS score_kind
FROM comparisons AS c JOIN comparison_arms AS a ON a.comparison = c.comparison
JOIN comparison_rows AS r ON (r.comparison, r.arm) = (a.comparison, a.arm)
GROUP BY c.comparison, a.arm ORDER BY c.created_at, a.position"""

COMPARISON_FAILURES = """CREATE VIEW comparison_failures AS
SELECT r.comparison, r.arm, why.key AS stage, sum(why.value) AS rounds,
    round(1.0 * sum(why.value) / sum(sum(why.value)) OVER (PARTITION BY r.comparison, r.arm), 4) AS share,
    CASE max(c.simulated) WHEN 1 THEN 'simulated' ELSE 'measured' END AS score_kind
FROM comparison_rows AS r JOIN comparisons AS c ON c.comparison = r.comparison, json_each(r.failures) AS why
GROUP BY r.comparison, r.arm, why.key ORDER BY r.comparison, r.arm, rounds DESC"""


@MIGRATIONS(name="0001_tables")
def _tables(db: Database) -> None:
    strict = (
        " STRICT" if db.supports_strict else ""
    )  # SQLite older than 3.37, as on some systems with Python 3.11
    for statement in TABLES:
        db.execute(statement + strict)
    for table, columns in INDICES.items():
        for column in columns:
            db.execute(f"CREATE INDEX {table}_{column} ON {table} (run, {column})")


@MIGRATIONS(name="0002_views")
def _views(db: Database) -> None:
    for statement in (LEADERBOARD, LINEAGE, SPEND, FAILURES):
        db.execute(statement)


@MIGRATIONS(name="0003_indices_of_reports")
def _indices_of_reports(db: Database) -> None:
    """What `status`, `log` and `best` need, each from an index alone: a long run is not read from end to end."""
    for name, columns in COVERING.items():
        db.execute(f"CREATE INDEX {name} ON {columns}")


@MIGRATIONS(name="0004_comparisons")
def _comparisons(db: Database) -> None:
    """What `evolve compare` found: settings, arms, a row for each arm and document, and the table as a view."""
    strict = " STRICT" if db.supports_strict else ""
    for statement in COMPARISONS:
        db.execute(statement + strict)
    for view in (COMPARISON_TABLE, COMPARISON_FAILURES):
        db.execute(view)


@MIGRATIONS(name="0005_survival")
def _survival(db: Database) -> None:
    """Several trials a document; decisions with their looks; operators, arms, predictions; openings of the test split."""
    strict = " STRICT" if db.supports_strict else ""
    for view in ("leaderboard", "failures"):
        db.execute(f"DROP VIEW {view}")
    db.execute(survival_schema.ROLLOUTS.format(name="rollouts_new") + strict)
    db.execute(survival_schema.MOVE)
    db.execute("DROP TABLE rollouts")
    db.execute("ALTER TABLE rollouts_new RENAME TO rollouts")
    for column in INDICES["rollouts"]:
        db.execute(f"CREATE INDEX rollouts_{column} ON rollouts (run, {column})")
    for statement in survival_schema.COLUMNS:
        db.execute(statement)
    for statement in survival_schema.TABLES:
        db.execute(statement + strict)
    db.execute(survival_schema.COVERING)
    for view in (survival_schema.LEADERBOARD, FAILURES):
        db.execute(view)


def migrated_copy(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """The whole database in memory with the newest schema, for reading; the connection it came from is as it was."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    connection.backup(memory)
    db = Database(memory, execute_plugins=False)
    memory.execute("BEGIN")
    migrate(db, path)
    memory.commit()
    memory.row_factory = connection.row_factory
    memory.execute("PRAGMA query_only = ON")
    return memory


def migrate(db: Database, path: Path) -> None:
    """Bring an open database to the newest schema, all or nothing; the caller holds the write transaction.

    Raises:
        StorageError: it was written by a newer version, or is the database of another program.
    """
    refuse_foreign(db.conn, path)
    MIGRATIONS.apply(db)
