"""Contenders in a database: what is read of them is what the loop has, whatever their lines look like."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_rows import against, contends, evaluation, make, population, raced

from evolve import bandit
from evolve.iteration import Arm, Iteration
from evolve.population import Population
from evolve.report import arms as report
from evolve.report import overview
from evolve.report.operators import operators
from evolve.report.records import records
from evolve.report.store import Store, best, descent_of, opened, resolve, scores

GOOD = [[1.0] * 6] * 10
FAIR = [[1.0] * 3 + [0.0] * 3] * 10
POOR = [[0.0] * 6] * 10
HOLES = [[1.0, None]] * 10


def beaten(store: Store) -> frozenset[str]:
    """Who was shown to be beaten by a candidate that has a score."""
    return descent_of(store).outdone(
        {
            key
            for key, one in scores(store).items()
            if "validation" in one and one["validation"].interval.trials
        }
    )


def lined() -> list[Iteration]:
    """c1 contends, c2 contends after it, c3 survives after them against c0; c4 of a control arm contends, c5 is dropped."""
    return [
        contends(raced(1, child=HOLES, parent=POOR)),
        contends(against("c0", raced(2, of="c1", child=GOOD, parent=POOR))),
        against("c0", raced(3, of="c2", child=GOOD, parent=POOR, record=FAIR)),
        contends(raced(4, "random", child=FAIR)),
        against("c0", raced(5, "random", of="c4", child=POOR, parent=FAIR)),
    ]


def agree(path: Path) -> None:
    """Everything that the rows and the population both say of records, descent and the best is the same."""
    known = population(path)
    with opened(path, None) as store:
        assert records(store) == known.records
        for number in range(len(known.iterations)):
            assert records(store, number) == known.upto(number).records
        assert descent_of(store) == known.descent
        assert beaten(store) == known.descent.outdone()
        assert best(store) == known.best.candidate.id
        assert resolve(store, "best").id == known.best.candidate.id
        assert overview.overview(store).best is not None
        born = [one.candidate for one in known.standings.values()]
        for arm in get_args(Arm):
            found = report.best(report.standings(records(store), born, arm), descent_of(store))
            assert found.candidate.id == known.best_of(arm).candidate.id
        earned = bandit.summarise(known.iterations)
        assert {one.operator: (one.tries, one.kept, one.rollouts) for one in operators(store).lines} == {
            key: (one.tries, one.kept, one.rollouts) for key, one in earned.items()
        }


def test_what_is_read_is_what_the_loop_has(tmp_path: Path) -> None:
    """Records with missing draws, who descends from whom, who was beaten, the best of all and of each arm."""
    path = make(tmp_path, lined())
    agree(path)
    known = population(path)
    assert known.descent.contenders == {"c1", "c2", "c4"} and known.descent.claimed == {"c3"}
    assert known.descent.outdone() == {"c0"}
    assert (known.records["c1"].trials, known.records["c1"].missing) == (10, 10)


def test_the_best_with_few_draws_outranks_the_beaten_with_many(tmp_path: Path) -> None:
    """A baseline that was drawn a lot and well is not the best, once a survivor was shown to be better."""
    lucky = raced(1, child=POOR, parent=GOOD)
    won = raced(2, child=GOOD, parent=[[1.0] * 20] * 10, record=[[1.0]] * 4)
    path = make(tmp_path, [lucky, won])
    agree(path)
    with opened(path, None) as store:
        assert best(store) == "c2"
        assert scores(store)["c0"]["validation"].interval.low > scores(store)["c2"]["validation"].interval.low


def test_a_contender_can_be_the_best(tmp_path: Path) -> None:
    """It is in the population with its draws; it is not taken for one that was shown to be better."""
    path = make(tmp_path, [contends(raced(1, child=GOOD, parent=POOR))])
    agree(path)
    with opened(path, None) as store:
        assert (best(store), beaten(store)) == ("c1", frozenset())


def test_a_survivor_without_a_fresh_record_shows_nothing(tmp_path: Path) -> None:
    """Rules of old make no claim: their survivors beat nobody but by their scores."""
    won = replace(raced(1, child=[[1.0]], parent=GOOD), outcome="survived")
    path = make(tmp_path, [won])
    agree(path)
    with opened(path, None) as store:
        assert (best(store), beaten(store)) == ("c0", frozenset())


def test_arms_count_contenders_apart(tmp_path: Path) -> None:
    """They are no survivors; both arms have a best of their own."""
    path = make(tmp_path, lined())
    with opened(path, None) as store:
        found = report.arms(store)
    assert found is not None
    assert [(one.arm, one.survivors, one.contenders) for one in found.lines] == [
        ("evolution", 1, 2),
        ("random", 0, 1),
    ]
    known = population(path)
    assert [one.best for one in found.lines] == [known.best_of(one.arm).candidate.id for one in found.lines]


def test_at_equal_spend_a_later_claim_beats_nobody(tmp_path: Path) -> None:
    """The best of then is that by what was shown then: c1, which was beaten only after the control arm's spend."""
    first = contends(raced(1, child=GOOD))
    won = raced(2, of="c1", child=GOOD, record=[[1.0, 0.0]] * 10)
    control = raced(3, "random", child=POOR, parent=POOR)
    path = make(tmp_path, [first, against("c0", won), control])
    with opened(path, None) as store:
        found = report.arms(store)
    assert found is not None
    assert found.comparisons[0].equal.evolution == "c1"
    assert found.lines[0].best == population(path).best_of("evolution").candidate.id


def measured(draw: st.DrawFn) -> list[list[float | None]]:
    return draw(
        st.lists(st.lists(st.sampled_from([0.0, 1.0, None]), min_size=1, max_size=3), min_size=1, max_size=3)
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Iteration]:
    """Runs in which every measured candidate has a score, with every outcome, in two arms."""
    made: list[Iteration] = []
    for number in range(1, draw(st.integers(0, 7)) + 1):
        arm: Arm = draw(st.sampled_from(["evolution", "random"]))
        inside = ["c0", *(f"c{one.number}" for one in made if one.outcome != "dropped" and one.arm == arm)]
        parent = draw(st.sampled_from(inside))
        sides: dict[str, Any] = {"parent": measured(draw), "child": [[1.0], *measured(draw)]}
        kind = draw(st.sampled_from(["claimed", "survived", "contender", "dropped"]))
        if kind == "claimed":
            sides["record"] = [[0.0, 1.0], *measured(draw)]
        one = raced(number, arm, parent, **sides)
        one = contends(one) if kind == "contender" else one
        one = replace(one, outcome="survived") if kind == "survived" else one
        made.append(against(Population([ZERO, *made]).descent.reference(parent), one))
    return made


ZERO = replace(raced(0, child=GOOD), outcome="baseline", parent="")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_rows_and_population_always_agree(
    history: list[Iteration], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the outcomes and lines: the commands speak of the very candidates that the loop goes by."""
    agree(make(tmp_path_factory.mktemp("history"), history))


def test_an_unmeasured_survivor_is_not_the_best(tmp_path: Path) -> None:
    """A survivor whose fresh record is all missing has no score: whom it beat stands in front of it."""
    won = raced(1, child=GOOD, parent=POOR, record=[[None]] * 10)
    path = make(tmp_path, [won])
    known = population(path)
    assert evaluation(1, "record", "c1", [[None]] * 10).tally.trials == 0
    with opened(path, None) as store:
        assert best(store) == known.best.candidate.id
    assert known.best.score >= 0.0
