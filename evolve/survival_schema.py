"""SQL of the schema step 0005: several trials a document, how decisions came about, operators, predictions, openings."""

ROLLOUTS = """CREATE TABLE {name} (
        run TEXT NOT NULL, iteration INTEGER NOT NULL, side TEXT NOT NULL, candidate TEXT NOT NULL,
        document TEXT NOT NULL, trial INTEGER NOT NULL, position INTEGER NOT NULL, outcome TEXT NOT NULL,
        score REAL CHECK (score BETWEEN 0 AND 1), margin REAL CHECK (margin BETWEEN 0 AND 1), detail TEXT NOT NULL,
        submissions INTEGER NOT NULL, asks INTEGER NOT NULL, tokens INTEGER NOT NULL, stage TEXT, weak_mean REAL,
        strong_mean REAL, gap REAL, reasons TEXT NOT NULL, shadow TEXT NOT NULL,
        PRIMARY KEY (run, iteration, side, document, trial),
        FOREIGN KEY (run, iteration, side) REFERENCES evaluations DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (run, candidate) REFERENCES candidates (run, candidate) DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (run, document) REFERENCES documents DEFERRABLE INITIALLY DEFERRED)"""

MOVE = """INSERT INTO rollouts_new SELECT run, iteration, side, candidate, document, 0, position, outcome, score, NULL,
    detail, submissions, asks, tokens, stage, weak_mean, strong_mean, gap, reasons, shadow FROM rollouts"""

# Scores are means over documents: read from this index alone, in the order of candidates.
COVERING = (
    """CREATE INDEX rollouts_scores ON rollouts (run, candidate, iteration, side, document, score, outcome)"""
)

COLUMNS = (
    "ALTER TABLE candidates ADD COLUMN arm TEXT NOT NULL DEFAULT 'evolution'",
    "ALTER TABLE iterations ADD COLUMN arm TEXT NOT NULL DEFAULT 'evolution'",
    "ALTER TABLE iterations ADD COLUMN operator TEXT NOT NULL DEFAULT 'edit'",
    "ALTER TABLE iterations ADD COLUMN partner TEXT",
    "ALTER TABLE iterations ADD COLUMN edit_hash TEXT NOT NULL DEFAULT ''",
)

TABLES = (
    """CREATE TABLE decisions (
        run TEXT NOT NULL, iteration INTEGER NOT NULL, rule TEXT NOT NULL, error REAL, looks TEXT NOT NULL,
        PRIMARY KEY (run, iteration),
        FOREIGN KEY (run, iteration) REFERENCES iterations (run, number) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TABLE predictions (
        run TEXT NOT NULL, iteration INTEGER NOT NULL, cause INTEGER NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
        fixes TEXT NOT NULL, breaks TEXT NOT NULL, fixed INTEGER, broken INTEGER, outcome TEXT NOT NULL,
        PRIMARY KEY (run, iteration, cause),
        FOREIGN KEY (run, iteration) REFERENCES iterations (run, number) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TABLE openings (
        run TEXT NOT NULL REFERENCES runs, number INTEGER NOT NULL, opened_at TEXT NOT NULL, candidate TEXT NOT NULL,
        purpose TEXT NOT NULL CHECK (purpose IN ('report', 'selection')), documents INTEGER NOT NULL,
        instrument TEXT NOT NULL, compared INTEGER NOT NULL, PRIMARY KEY (run, number))""",
)

# As the view of 0002, with the mean over documents of their means in place of the mean over rollouts, and without the
# scores by which a survivor won where it was measured afresh.
LEADERBOARD = """CREATE VIEW leaderboard AS
WITH RECURSIVE
documents AS (
    SELECT e.run, e.candidate, e.instrument, max(e.simulated) AS simulated, count(r.score) AS trials,
        avg(r.score) AS score
    FROM evaluations AS e JOIN rollouts AS r ON (r.run, r.iteration, r.side) = (e.run, e.iteration, e.side)
    JOIN candidates AS c ON (c.run, c.candidate) = (e.run, e.candidate)
    WHERE e.split = 'validation' AND r.score IS NOT NULL AND (e.side <> 'child' OR c.status <> 'survived' OR NOT EXISTS
        (SELECT 1 FROM evaluations AS f WHERE (f.run, f.iteration, f.side) = (e.run, e.iteration, 'record')))
    GROUP BY e.run, e.candidate, e.instrument, r.document),
trials AS (
    SELECT run, candidate, instrument, max(simulated) AS simulated, sum(trials) AS trials, avg(score) AS score,
        3.841458820694124 AS zz
    FROM documents GROUP BY run, candidate, instrument),
newton (run, candidate, instrument, square, root, step) AS (
    SELECT run, candidate, instrument, score * (1 - score) / trials + zz / (4.0 * trials * trials), 1.0, 0 FROM trials
    UNION ALL
    SELECT run, candidate, instrument, square, (root + square / root) / 2, step + 1 FROM newton WHERE step < 40)
SELECT t.run, t.candidate, c.parent, c.arm, c.status, round(t.score, 4) AS score, t.trials,
    round(max(0, (t.score + zz / (2 * t.trials) - 1.959963984540054 * n.root) / (1 + zz / t.trials)), 4) AS low,
    round(min(1, (t.score + zz / (2 * t.trials) + 1.959963984540054 * n.root) / (1 + zz / t.trials)), 4) AS high,
    (SELECT count(*) FROM iterations AS i WHERE i.run = t.run AND i.parent = t.candidate AND i.number > 0)
        AS picked_as_parent,
    CASE t.simulated WHEN 1 THEN 'simulated' ELSE 'measured' END AS kind,
    substr(t.instrument, 1, 12) AS instrument
FROM trials AS t
JOIN candidates AS c ON (c.run, c.candidate) = (t.run, t.candidate)
JOIN newton AS n ON (n.run, n.candidate, n.instrument, n.step) = (t.run, t.candidate, t.instrument, 40)
ORDER BY t.run, t.instrument, low DESC, c.iteration"""
