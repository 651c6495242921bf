"""A run full of contenders is held again: it comes out the same, and whatever is changed about a contender is found."""

import random
import re
import shutil
from pathlib import Path

import pytest
from decided_runs import change, made, one_of, problems
from evolve_fakes import Score

from evolve.population import Population
from evolve.report.store import opened
from evolve.report.verify import lineage
from harness.types import Side

NUMBER = 24
PARENTS = "SELECT parent FROM iterations WHERE number > 0"
CONTENDERS = "SELECT candidate FROM candidates WHERE status = 'contender'"


def gains(candidate: str, iteration: int, side: Side, document: str) -> Score:
    """Later children are a little better, one in four is bad; now and then a draw is missing."""
    drawn, number = random.Random(f"{candidate} {iteration} {side} {document}").random(), int(candidate[1:])
    rate = 0.1 if number % 4 == 3 else 0.25 + 0.03 * number
    return None if drawn > 0.97 else float(drawn < rate)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a finished run."""
    path = tmp_path_factory.mktemp("contending") / "population.db"
    population = Population(made(path, "sequential", gains, NUMBER, overlook=0.05))
    outcomes = [one.outcome for one in population.iterations]
    assert min(outcomes.count("contender"), outcomes.count("survived"), outcomes.count("dropped")) > 1
    return path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "population.db"))


def test_the_run_has_what_the_other_tests_rest_on(sound: Path) -> None:
    """Children of contenders, contenders among them, and draws of a reference in the race of another one's child."""
    assert one_of(sound, f"SELECT count(*) FROM iterations WHERE number > 0 AND parent IN ({CONTENDERS})") > 4
    assert one_of(
        sound, f"SELECT count(*) FROM candidates WHERE status = 'contender' AND parent IN ({CONTENDERS})"
    )
    elsewhere = """SELECT count(*) FROM evaluations AS e JOIN iterations AS i ON i.number = e.iteration
        WHERE e.side = 'parent' AND e.candidate <> i.parent"""
    assert one_of(sound, elsewhere) > 0
    assert not one_of(
        sound, f"SELECT count(*) FROM evaluations WHERE side = 'parent' AND candidate IN ({CONTENDERS})"
    )


def test_it_comes_out_the_same(sound: Path) -> None:
    """Every decision, with the records of references and rivals as the run had them."""
    assert problems(sound) == (NUMBER, ())


CHILDREN = f"(SELECT min(number) FROM iterations WHERE number > 0 AND parent IN ({CONTENDERS}))"
RIVAL = f"(SELECT parent FROM iterations WHERE number = {CHILDREN})"


def becomes(old: str, new: str) -> tuple[str, ...]:
    """The first iteration with one outcome gets another one, and so does its child."""
    first = f"(SELECT min(number) FROM iterations WHERE outcome = '{old}')"
    return (
        f"UPDATE candidates SET status = '{new}' WHERE iteration = {first}",
        f"UPDATE iterations SET outcome = '{new}' WHERE number = {first}",
    )


WORDS = {"survived": "survives", "contender": "becomes a contender", "dropped": "is dropped"}
PAIRS = [(old, new) for old in WORDS for new in WORDS if old != new]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_another_outcome_is_found(copy: Path, old: str, new: str) -> None:
    """What the draws say, and what is recorded."""
    change(copy, *becomes(old, new))
    said = f"its child {WORDS[old]} by the recorded draws, recorded is that it {WORDS[new]}"
    assert said in "\n".join(problems(copy)[1])


@pytest.mark.parametrize(("old", "new"), [("contender", "survived"), ("survived", "contender")])
def test_a_status_alone_is_found(copy: Path, old: str, new: str) -> None:
    """Where the candidate says one thing and its iteration another."""

    first = f"(SELECT min(iteration) FROM candidates WHERE status = '{old}')"
    change(copy, f"UPDATE candidates SET status = '{new}' WHERE iteration = {first}")
    with opened(copy, None) as store:
        assert re.search(rf"c\d+ is {new}, the iteration {old}", "\n".join(lineage(store).findings))


OTHERWISE = "look [0-9]+: [a-z_]+ is recorded as|the rule asks for"
ONE = "SELECT min(rowid) FROM rollouts WHERE score IS NOT NULL"
TAMPERINGS = {
    "another parent than the rival": (
        f"UPDATE iterations SET parent = 'c0' WHERE number = {CHILDREN}",
        "look 1: (rival|ahead) is recorded as -?[0-9.]+, should be None",
    ),
    "scores of a contender": (
        f"UPDATE rollouts SET score = 1 - score WHERE side = 'child' AND candidate = {RIVAL}",
        OTHERWISE,
    ),
    "draws of a reference passed off as the contender's": (
        f"UPDATE evaluations SET candidate = {RIVAL} WHERE side = 'parent' AND iteration = {CHILDREN}",
        OTHERWISE,
    ),
    "a score of a reference in the race of another one's child": (
        f"UPDATE rollouts SET score = 1 - score WHERE rowid = ({ONE} AND side = 'parent' AND iteration = {CHILDREN})",
        OTHERWISE,
    ),
    "the rival of a look": (
        f"UPDATE decisions SET looks = json_replace(looks, '$[0].rival', 99.5) WHERE iteration = {CHILDREN}",
        "look 1: rival is recorded as 99.5, should be",
    ),
    "a rival taken from a look": (
        f"UPDATE decisions SET looks = json_remove(looks, '$[0].rival') WHERE iteration = {CHILDREN}",
        "look 1: rival is recorded as None, should be",
    ),
    "a rival where there is none": (
        "UPDATE decisions SET looks = json_set(looks, '$[0].ahead', 0.5) WHERE iteration = 1",
        "look 1: ahead is recorded as 0.5, should be None",
    ),
    "no contenders in the settings": (
        "UPDATE runs SET settings = json_replace(settings, '$.search.contend', 0)",
        "the rule asks for trial [0-9]+ of '.*' of the (child|parent), recorded is none",
    ),
    "missing draws passed off as none": (
        "UPDATE rollouts SET outcome = 'missing', score = NULL WHERE side = 'child' AND iteration = "
        "(SELECT max(number) FROM iterations WHERE outcome = 'survived')",
        "its child is dropped by the recorded draws, recorded is that it survives|the rule asks for",
    ),
}


@pytest.mark.parametrize("name", list(TAMPERINGS))
def test_what_was_changed_is_found(copy: Path, name: str) -> None:
    """Draws and looks of rivals and references, and the terms."""
    statement, expected = TAMPERINGS[name]
    change(copy, statement)
    assert re.search(expected, "\n".join(problems(copy)[1]))


def test_a_fresh_record_of_a_contender_is_found(copy: Path) -> None:
    """It has none; draws that are recorded as one would count for it as nothing else does."""
    first = "(SELECT min(iteration) FROM candidates WHERE status = 'contender')"
    change(
        copy,
        f"""INSERT INTO evaluations SELECT run, iteration, 'record', candidate, split, instrument, simulated, trials,
        missing, score, low, high FROM evaluations WHERE side = 'child' AND iteration = {first}""",
        f"""INSERT INTO rollouts SELECT run, iteration, 'record', candidate, document, trial, position, outcome, score,
        margin, detail, submissions, asks, tokens, stage, weak_mean, strong_mean, gap, reasons, shadow FROM rollouts
        WHERE iteration = {first} AND side = 'child' AND trial = 0""",
    )
    assert "the fresh record of its child has" in "\n".join(problems(copy)[1])


def test_draws_of_somebody_else_are_found(copy: Path) -> None:
    """In every race the one that was measured beside the child is the reference, in the last one as well."""
    last = "(SELECT max(iteration) FROM evaluations WHERE side = 'parent')"
    other = "(SELECT candidate FROM candidates WHERE status = 'contender' LIMIT 1)"
    change(
        copy,
        f"UPDATE evaluations SET candidate = {other} WHERE side = 'parent' AND iteration = {last}",
        f"UPDATE rollouts SET candidate = {other} WHERE side = 'parent' AND iteration = {last}",
    )
    assert problems(copy)[1]
