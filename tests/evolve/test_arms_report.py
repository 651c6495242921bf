"""Evolution against the control arms: who is compared with whom, at which spend, and what is said of it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from report_rows import contends, make, population, raced, stopped, text

from evolve import assigning, bandit
from evolve.contest import Record, Sums
from evolve.intervals import bonferroni, paired_difference
from evolve.iteration import Iteration
from evolve.report import arms_view, overview, views
from evolve.report import operators as report
from evolve.report.arms import Arms, Spent, arms, versus, within
from evolve.report.operators import Line, Operators, operators, rate
from evolve.report.records import gap, records
from evolve.report.store import opened

GOOD = [[1.0] * 6] * 10
FAIR = [[1.0] * 3 + [0.0] * 3] * 10
POOR = [[0.0] * 6] * 10
ONE = [[0.0]] * 10


def read(folder: Path, iterations: list[Iteration], finals: dict[str, list[float]] | None = None) -> Arms:
    with opened(make(folder, iterations, finals), None) as store:
        found = arms(store)
    assert found is not None
    return found


def spent(number: int, rollouts: int) -> Spent:
    return Spent(number, "evolution", rollouts, True, "dropped")


def record(passes: int, trials: int) -> Record:
    """On two documents, so many passes of so many trials each."""
    one = Sums(trials, passes, passes)
    return Record({"a": one, "b": one})


def test_equal_spend_is_a_prefix() -> None:
    """An iteration that would cost too much ends it, even if a later one would still fit."""
    found = [spent(1, 10), spent(2, 30), spent(3, 5)]
    assert [len(within(found, rollouts)) for rollouts in (9, 10, 39, 40, 45, 99)] == [0, 1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("mine", "theirs", "verdict"),
    [((18, 20), (2, 20), "beats"), ((2, 20), (18, 20), "loses"), ((11, 20), (9, 20), "open")],
)
def test_only_what_is_more_than_noise_is_a_verdict(
    mine: tuple[int, int], theirs: tuple[int, int], verdict: str
) -> None:
    """Better and worse are said where the interval excludes zero, nothing where it does not."""
    assert versus({"c1": record(*mine), "c2": record(*theirs)}, "c1", "c2").verdict == verdict


def test_the_gap_is_of_shared_documents() -> None:
    """What only one of two candidates was measured on is not compared, and more rollouts narrow the interval."""
    mine = Record({"a": Sums(4, 4, 4), "x": Sums(9, 0, 0)})
    found = gap(mine, record(0, 4))
    assert found is not None
    assert (found.interval.value, found.interval.trials, found.first, found.second) == (1.0, 1, 4, 4)
    more = gap(Record({"a": Sums(40, 40, 40)}), record(0, 40))
    assert more is not None and more.interval.low > found.interval.low
    assert gap(Record({"x": Sums(1, 1, 1)}), record(0, 4)) is None


def test_records_are_those_of_the_loop(tmp_path: Path) -> None:
    """Read from rows they are what the population has, as of every iteration: winning draws of a survivor left out."""
    path = make(
        tmp_path,
        [
            raced(1, child=GOOD, record=FAIR, parent=POOR),
            raced(2, "random", child=POOR, parent=ONE),
            raced(3, of="c1", child=FAIR, record=[[None, 1.0]] * 10),
        ],
    )
    known = population(path)
    with opened(path, None) as store:
        for upto in (0, 1, 2, 3):
            assert records(store, upto) == known.upto(upto).records
        assert records(store, candidate="c1") == {"c1": known.records["c1"]}


def test_arms_have_their_own_best(tmp_path: Path) -> None:
    """Spend, races and survivors are counted by arm, and each best is that of the population's arm."""
    iterations = [
        raced(1, child=GOOD, record=FAIR),
        raced(2, "random", child=GOOD, record=GOOD),
        raced(3, "best_of", child=POOR, minibatch=ONE[:4]),
        stopped(4, "not_improved", "no"),
    ]
    path = make(tmp_path, iterations)
    known = population(path)
    with opened(path, None) as store:
        found = arms(store)
    assert found is not None
    assert [(one.arm, one.iterations, one.raced, one.survivors, one.rollouts) for one in found.lines] == [
        ("evolution", 2, 1, 1, 124),
        ("random", 1, 1, 1, 120),
        ("best_of", 1, 1, 0, 64),
    ]
    assert [one.best for one in found.lines] == [known.best_of(one.arm).candidate.id for one in found.lines]
    assert [one.best for one in found.lines] == ["c1", "c2", "c0"]


def test_evolution_that_lost_is_said_to_have(tmp_path: Path) -> None:
    """A control arm with a better best is named as such; what started from the baseline only is beaten."""
    found = read(
        tmp_path,
        [
            raced(1, child=GOOD, record=FAIR),
            raced(2, "random", child=GOOD, record=GOOD),
            raced(3, "best_of", child=POOR),
        ],
    )
    random, best_of = found.comparisons
    assert (random.now.verdict, best_of.now.verdict) == ("loses", "beats")
    picture = text(arms_view.drawn(found))
    figures = [line.rstrip() for line in picture.splitlines() if re.search(r"\d\.\d\d \[", line)]
    assert len(figures) == 6 and all(re.search(r"\] n=\d+.*simulated$", line) for line in figures)
    shown = " ".join(picture.split())
    assert (
        "Evolution (120 rollouts) did not beat random edits (120); the control arm's best is better: c1 − c2"
        in shown
    )
    assert "Evolution (120 rollouts) beats best of n from the baseline (60): c1 − c0" in shown
    assert "n=10 documents, 60+60 rollouts, simulated" in shown


def test_equal_spend_takes_evolution_as_it_was(tmp_path: Path) -> None:
    """What evolution found later, at a cost the control arm never had, does not count at equal spend."""
    found = read(
        tmp_path,
        [
            raced(1, child=ONE, parent=ONE),
            raced(2, "random", child=ONE, parent=ONE),
            raced(3, child=GOOD, record=GOOD),
        ],
    )
    (one,) = found.comparisons
    assert (one.now.evolution, one.equal.evolution) == ("c3", "c0")
    assert (one.spent, one.iterations, one.rollouts, one.total) == (20, 1, 20, 140)
    assert (one.now.verdict, one.equal.verdict) == ("beats", "same")
    shown = " ".join(text(arms_view.drawn(found)).split())
    assert (
        "At equal spend (20 rollouts, evolution's first iteration) the best of both is the baseline" in shown
    )


def test_a_spend_too_small_for_one_iteration_decides_nothing(tmp_path: Path) -> None:
    """The baseline is nothing that evolution found: neither won nor lost at equal spend."""
    found = read(tmp_path, [raced(1, child=GOOD, record=GOOD), contends(raced(2, "random", child=FAIR))])
    (one,) = found.comparisons
    assert (one.equal, one.iterations) == (None, 0)
    assert "At equal spend (60 rollouts) not one iteration of evolution was done." in text(
        arms_view.drawn(found)
    )


def test_a_control_arm_by_itself_is_compared_with_nothing(tmp_path: Path) -> None:
    """As with search.arm: evolution that did not run has not lost."""
    found = read(tmp_path, [raced(1, "random", child=GOOD, record=GOOD)])
    assert [one.arm for one in found.lines] == ["random"] and not found.comparisons
    shown = " ".join(text(arms_view.drawn(found)).split())
    assert "there is nothing to compare" in shown and "beat" not in shown


def test_what_cannot_be_told_apart_is_not_won(tmp_path: Path) -> None:
    """With an interval around zero evolution did not beat the control arm, in these words."""
    found = read(tmp_path, [raced(1, child=GOOD, record=GOOD), raced(2, "random", child=GOOD, record=GOOD)])
    shown = " ".join(text(arms_view.drawn(found)).split())
    assert "did not beat random edits (120); the two cannot be told apart: c1 − c2 +0.00" in shown


def test_without_a_control_arm_nothing_is_claimed(tmp_path: Path) -> None:
    """A run without one says that luck is not ruled out."""
    with opened(make(tmp_path, [raced(1, child=GOOD, record=GOOD)]), None) as store:
        found = overview.overview(store)
    assert found.arms is None
    assert "luck and plain retries are not ruled out" in " ".join(text(views.summary(found)).split())


def test_the_test_split_is_shown_corrected(tmp_path: Path) -> None:
    """A best that was opened has its test score, and its gain holds for all candidates that were opened."""
    finals = {"c0": [0.0] * 8, "c1": [1.0] * 8, "c2": [1.0, 0.0] * 4}
    iterations = [raced(1, child=GOOD, record=GOOD), raced(2, "random", child=GOOD, record=FAIR)]
    found = read(tmp_path, iterations, finals)
    assert found.opened == 2
    gain = found.lines[1].gain
    assert gain == paired_difference([(one, 0.0) for one in finals["c2"]], bonferroni(2))
    shown = text(arms_view.drawn(found, ("c0", "c1")))
    assert "c2 on test 0.50 [" in shown and "corrected for 2 candidates" in " ".join(shown.split())
    assert "c1 on test" not in shown


def test_a_best_of_a_control_arm_is_named_so(tmp_path: Path) -> None:
    """The closing table does not pass a random edit off as the fruit of evolution."""
    with opened(
        make(tmp_path, [raced(1, child=POOR), raced(2, "random", child=GOOD, record=GOOD)]), None
    ) as store:
        found = overview.overview(store)
    assert "Best: c2, of a control arm (random edits)" in text(views.summary(found))


def test_only_what_counts_is_a_gain(tmp_path: Path) -> None:
    """Best minus baseline leaves out the draws by which a survivor won."""
    with opened(make(tmp_path, [raced(1, child=GOOD, record=FAIR)]), None) as store:
        found = overview.overview(store).validation_difference
    assert found == paired_difference([(0.5, 1.0)] + [(0.5, 0.0)] * 8)


def test_operators_are_counted_as_the_bandit_counts(tmp_path: Path) -> None:
    """Tries, kept children and rollouts are those that the loop goes by; control arms are none of them."""
    merged = replace(raced(2, child=POOR), operator="merge", partner="c1")
    path = make(
        tmp_path,
        [raced(1, child=GOOD, record=FAIR), merged, raced(3, "random", child=POOR), raced(4, child=ONE)],
    )
    earned = bandit.summarise(population(path).iterations)
    with opened(path, None) as store:
        found = operators(store)
    assert {one.operator: (one.tries, one.kept, one.rollouts) for one in found.lines} == {
        key: (one.tries, one.kept, one.rollouts) for key, one in earned.items()
    }
    assert report.WINDOW == assigning.WINDOW
    assert {one.operator: one.share for one in found.lines} == bandit.probabilities(earned, list(earned))


def test_the_rate_of_survivors_is_bounded_without_any() -> None:
    """Nothing kept in 500 rollouts is compatible with some in a thousand; more rollouts bound it lower."""
    none, more, some = rate(0, 500), rate(0, 5000), rate(2, 500)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(7.68, abs=0.01)  # z squared, times 1000 / 500
    assert more.high < none.high
    assert some.value == 4.0 and 0 < some.low < 4.0 < some.high


def test_a_fixed_operator_has_no_shares() -> None:
    """What the user fixed is not drawn by a bandit, and is named."""
    one = Line("edit", 3, 1, 100, rate(1, 100), None)
    shown = text(arms_view.operators(Operators((one, replace(one, operator="merge")), "edit")))
    assert "search.operator = 'edit'" in shown and "%" not in shown.replace("95 %", "")
