"""Decisions are held again from the recorded draws: a sound run comes out the same, a changed one does not."""

import re
import shutil
from pathlib import Path

import pytest
from decided_runs import LAG, NUMBER, change, made, one_of, problems


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a finished run under the default rule."""
    path = tmp_path_factory.mktemp("sound") / "population.db"
    iterations = made(path, "sequential")
    outcomes = {one.outcome for one in iterations}
    assert outcomes == {"baseline", "survived", "contender", "dropped"}
    return path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "population.db"))


@pytest.mark.parametrize("survival", ["sequential", "strict", "paired"])
def test_a_sound_run_comes_out_the_same(tmp_path: Path, survival: str) -> None:
    """Under each rule every decision is held again, and there is nothing to find."""
    made(tmp_path / "population.db", survival)
    assert problems(tmp_path / "population.db") == (NUMBER, ())


def test_parents_measured_by_several_iterations_are_met(sound: Path) -> None:
    """The run that the other tests rest on has children of survivors, and parents with a record that grew."""
    parents = "SELECT count(DISTINCT parent) FROM iterations WHERE number > 0"
    assert one_of(sound, parents) > 2
    assert (
        one_of(sound, "SELECT max(number) FROM (SELECT count(*) AS number FROM iterations GROUP BY parent)")
        > 2
    )


SURVIVOR = "(SELECT min(number) FROM iterations WHERE outcome = 'survived')"
DROPPED = "(SELECT max(number) FROM iterations WHERE outcome = 'dropped')"
LAST = "(SELECT max(number) FROM iterations)"
ONE = "SELECT min(rowid) FROM rollouts WHERE score IS NOT NULL"
OTHERWISE = "look [0-9]+: [a-z_]+ is recorded as|the rule asks for"
TAMPERINGS: dict[str, tuple[tuple[str, ...], str]] = {
    "the scores of a dropped child": (
        (f"UPDATE rollouts SET score = 1 WHERE iteration = {DROPPED} AND side = 'child' AND score = 0",),
        OTHERWISE,
    ),
    "one score of a survivor": (
        (
            f"UPDATE rollouts SET score = 1 - score WHERE rowid = ({ONE} AND iteration = {SURVIVOR} AND side = 'child')",
        ),
        OTHERWISE,
    ),
    "one score of a parent": (
        (f"UPDATE rollouts SET score = 1 - score WHERE rowid = ({ONE} AND side = 'parent')",),
        OTHERWISE,
    ),
    "one score that counts for later parents": (
        (f"UPDATE rollouts SET score = 1 - score WHERE rowid = ({ONE} AND iteration = 0)",),
        OTHERWISE,
    ),
    "one score of a record": (
        (
            f"UPDATE rollouts SET score = 1 - score WHERE rowid = ({ONE} AND iteration = {SURVIVOR} AND side = 'record')",
        ),
        OTHERWISE,
    ),
    "a dropped child that survives": (
        (
            f"UPDATE candidates SET status = 'survived' WHERE iteration = {DROPPED}",
            f"UPDATE iterations SET outcome = 'survived' WHERE number = {DROPPED}",
        ),
        "its child is dropped by the recorded draws, recorded is that it survives",
    ),
    "a survivor that is dropped": (
        (
            f"UPDATE candidates SET status = 'dropped' WHERE iteration = {SURVIVOR}",
            f"UPDATE iterations SET outcome = 'dropped' WHERE number = {SURVIVOR}",
        ),
        "its child survives by the recorded draws, recorded is that it is dropped",
    ),
    "a figure of a look": (
        (
            f"""UPDATE decisions SET looks = json_replace(looks, '$[0].difference', 0.9)
            WHERE iteration = {DROPPED}""",
        ),
        "look 1: difference is recorded as 0.9, should be",
    ),
    "a look left out": (
        (f"UPDATE decisions SET looks = json_remove(looks, '$[0]') WHERE iteration = {DROPPED}",),
        "looks are recorded, there were",
    ),
    "the share of the budget": (
        (f"UPDATE decisions SET error = error / 2 WHERE iteration = {SURVIVOR}",),
        "its share of the error budget is recorded as",
    ),
    "another rule": (
        (f"UPDATE decisions SET rule = 'strict' WHERE iteration = {DROPPED}",),
        "decided by rule 'strict', the run has 'sequential'",
    ),
    "a rule that nobody has": (
        (f"UPDATE decisions SET rule = 'mine' WHERE iteration = {DROPPED}",),
        "decided by rule 'mine', the run has 'sequential'",
    ),
    "a decision lost": (
        (f"DELETE FROM decisions WHERE iteration = {DROPPED}",),
        "it is dropped, and no decision is recorded",
    ),
    "a decision on nothing": (
        (f"UPDATE iterations SET outcome = 'no_change' WHERE number = {DROPPED}",),
        "it is no_change, and a decision is recorded",
    ),
    "the last draw left out": (
        (
            f"""DELETE FROM rollouts WHERE iteration = {DROPPED} AND side = 'child' AND position =
            (SELECT max(position) FROM rollouts AS r WHERE r.iteration = {DROPPED} AND r.side = 'child')""",
        ),
        "of the child, recorded is none",
    ),
    "draws after the decision": (
        (
            f"""INSERT INTO rollouts SELECT run, iteration, side, candidate, document, 99, 9999, outcome, score, margin,
            detail, submissions, asks, tokens, stage, weak_mean, strong_mean, gap, reasons, shadow FROM rollouts
            WHERE iteration = {DROPPED} AND side = 'child' AND position = 0""",
        ),
        "draws of the child, 1 more are recorded",
    ),
    "draws in another order": (
        (f"""UPDATE rollouts SET position = -position WHERE iteration = {SURVIVOR} AND side = 'child'""",),
        "of the child, recorded is trial",
    ),
    "a draw of the fresh record left out": (
        (f"DELETE FROM rollouts WHERE iteration = {SURVIVOR} AND side = 'record' AND position = 0",),
        "the fresh record of its child has 5 draws, not 1 trials of each of 6 documents",
    ),
    "what was seen": (
        (f"UPDATE iterations SET sees = sees + 1 WHERE number = {LAST}",),
        f"it saw iterations up to {NUMBER - LAG + 1}, should have seen up to {NUMBER - LAG}",
    ),
    "the documents lost": (
        ("DELETE FROM documents WHERE split = 'validation'",),
        "decisions are recorded, and no validation document",
    ),
    "an iteration lost": (
        ("DELETE FROM iterations WHERE number = 2",),
        "iteration 2: it is not recorded, later ones saw it",
    ),
    "other terms": (
        ("UPDATE runs SET settings = json_replace(settings, '$.search.error', 0.9)",),
        "its share of the error budget is recorded as",
    ),
}


@pytest.mark.parametrize("name", list(TAMPERINGS))
def test_what_was_changed_is_found(copy: Path, name: str) -> None:
    """Whatever a decision rests on, a change of it is named with what should be there."""
    statements, expected = TAMPERINGS[name]
    change(copy, *statements)
    found = "\n".join(problems(copy)[1])
    assert re.search(expected, found)


def test_a_rule_that_cannot_be_found_is_not_looked_at(copy: Path) -> None:
    """A rule of somebody's own that is not on this machine is neither held again nor a finding."""
    change(
        copy,
        "UPDATE decisions SET rule = 'nobodys.rule'",
        "UPDATE runs SET settings = json_replace(settings, '$.search.survival', 'nobodys.rule')",
    )
    assert problems(copy) == (0, ())


def test_a_run_of_the_version_before_is_not_looked_at(copy: Path) -> None:
    """Where the run's settings know no error budget, and no decision was recorded, nothing is missed."""
    change(
        copy,
        "DELETE FROM decisions",
        "UPDATE runs SET settings = json_remove(settings, '$.search.error', '$.search.survival')",
    )
    assert problems(copy) == (0, ())


def test_a_run_that_goes_on_is_sound(copy: Path) -> None:
    """Iterations that finished before their elders is no finding, as long as they did not see them."""
    number = NUMBER - 1
    tables = ("rollouts", "evaluations", "decisions", "candidates")
    change(
        copy,
        f"DELETE FROM iterations WHERE number = {number}",
        *(f"DELETE FROM {table} WHERE iteration = {number}" for table in tables),
    )
    assert problems(copy) == (NUMBER - 1, ())
