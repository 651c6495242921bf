"""Simulated runs: the real rules, scores that are drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evolve.commands.null import rules
from evolve.contest import Record, Sums, Terms
from evolve.descent import Descent
from evolve.null import Family, Match, Member, Scenario, contest, rule_of, screened, shifted, simulate
from evolve.pass_rates import assumed
from evolve.rules import terms_of
from evolve.selection import Pressure
from evolve.settings import SearchSettings
from harness.errors import UsageError

STRICT = Scenario("strict", Terms(), 6, 12, assumed(None))
SEQUENTIAL = replace(STRICT, survival="sequential", terms=Terms(effect=0.3))
LAZY = """
from evolve.contest import Measure, Survival


def step(contest):
    return Measure((), ())


def record(documents, terms):
    return 0
"""
COIN = LAZY.replace(
    "return Measure((), ())",
    "return Survival(contest.number % 2 == 0, '') if contest.child else Measure((), contest.documents[:1])",
)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with rules of a user."""
    (tmp_path / "owned").mkdir()
    (tmp_path / "owned" / "__init__.py").write_text("")
    (tmp_path / "owned" / "lazy.py").write_text(LAZY)
    (tmp_path / "owned" / "coin.py").write_text(COIN)
    (tmp_path / "owned" / "half.py").write_text("def step(contest):\n    return None\n")
    (tmp_path / "owned" / "wild.py").write_text(LAZY.replace("Measure((), ())", "1 / 0"))
    (tmp_path / "owned" / "short.py").write_text(LAZY.replace("return 0", "return -1"))
    monkeypatch.syspath_prepend(str(tmp_path))


def test_the_seed_decides() -> None:
    """The same seed gives the same run, another one another."""
    assert simulate(SEQUENTIAL, (0, 1)) == simulate(SEQUENTIAL, (0, 1))
    assert simulate(SEQUENTIAL, (0, 1)) != simulate(SEQUENTIAL, (0, 2))


def test_strict_lets_luck_through_and_measures_everything_once() -> None:
    """Of equal children some win under the paper's rule; a decision is two rollouts a document."""
    run = simulate(STRICT, (0, 0))
    assert run.kept > 0
    assert run.baseline == 6
    assert {one.contest for one in run.steps} == {12}
    assert {one.record for one in run.steps} == {0}
    assert run.rollouts == 6 + 12 * 12


def test_sequential_keeps_what_is_better_and_measures_it_anew() -> None:
    """A child that is much better is kept, and pays for the rule's fresh record; equal ones are not kept."""
    runs = [simulate(replace(SEQUENTIAL, better={5: 0.45}), (0, at)) for at in range(5)]
    kept = [[number for number, one in enumerate(run.steps, 1) if one.kept] for run in runs]
    assert sum(one == [5] for one in kept) >= 4
    trials = rule_of("sequential").record(6, SEQUENTIAL.terms)
    assert {one.record for run in runs for one in run.steps if one.kept} == {6 * trials}
    assert {run.baseline for run in runs} == {6 * trials}


def test_iterations_that_end_early_hold_no_contest() -> None:
    """Without a child only the parent runs on the minibatch; a child that is screened out runs on it too."""
    barren = simulate(replace(STRICT, minibatch=4, rerun=True, fruitless=1.0), (0, 0))
    assert {(one.training, one.contest) for one in barren.steps} == {(4, 0)}
    hard = replace(STRICT, minibatch=4, rerun=True, screen=True, rates=assumed(0.01))
    assert (8, 0) in {(one.training, one.contest) for one in simulate(hard, (0, 0)).steps}
    unseen = simulate(replace(hard, rerun=False), (0, 0))
    assert {(one.training, one.contest) for one in unseen.steps} == {(4, 12)}


def test_screening_wants_one_failure_to_get_better() -> None:
    """A child that fails all of it is dropped; one that passes is not; nor is any where the parent failed nothing."""
    rng = np.random.default_rng(0)
    never, always = np.zeros(5), np.ones(5)
    assert screened(never, never, 4, rng)
    assert not screened(never, always, 4, rng)
    assert not screened(always, never, 4, rng)


@pytest.mark.parametrize("gain", [0.02, 0.3])
def test_better_children_are_better_by_so_much(gain: float) -> None:
    """The mean rises by the gain, and no document gets worse."""
    rates = assumed(0.3).draw(40, np.random.default_rng(0))
    raised = shifted(rates, gain)
    assert raised.mean() - rates.mean() == pytest.approx(gain, abs=1e-6)
    assert (raised >= rates).all()


def test_children_of_the_best_can_be_raised_too() -> None:
    """Where there is no room for the whole gain, the rates end just below 1, and can be raised again."""
    raised = shifted(shifted(np.full(3, 0.9), 0.4), 0.4)
    assert (raised > 0.999).all()
    assert (raised < 1).all()


@pytest.mark.usefixtures("mine")
def test_rules_of_a_user_are_simulated_too() -> None:
    """A dotted path names a rule; its own decisions hold."""
    run = simulate(replace(STRICT, survival="owned.coin"), (0, 0))
    assert [one.kept for one in run.steps] == [False, True] * 6
    assert {one.contest for one in run.steps} == {1}


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("owned.lazy", "neither decides nor names"),
        ("owned.half", "has no function 'record'"),
        (
            "owned.wild",
            r"its `step` in iteration 1 raises ZeroDivisionError: division by zero \(wild.py, line 6\)",
        ),
        ("owned.short", "its `record` returns -1, which is no int of 0 or more"),
        ("strikt", "strict"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(name: str, message: str) -> None:
    """One that asks for nothing, one without a record, one that fails, one that is not there."""
    with pytest.raises(UsageError, match=message):
        simulate(replace(STRICT, survival=name), (0, 0))


def test_a_contest_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that goes on asking is stopped, with what to do."""
    monkeypatch.setattr("evolve.null.ENDLESS", 50)
    rates = np.full(6, 0.5)
    with pytest.raises(UsageError, match="not decided after 50"):
        contest(
            replace(SEQUENTIAL, terms=Terms(effect=0.01)),
            Match(1, rates, rates, Record()),
            np.random.default_rng(0),
        )


def test_terms_are_those_of_the_settings() -> None:
    """Every term of a contest has the value of the setting of its name; contenders are on unless they are set off."""
    chosen = SearchSettings(error=0.2, effect=0.3, most=40, missing_bound=2)
    assert terms_of(chosen) == Terms(error=0.2, effect=0.3, most=40, missing_bound=2, contend=None)
    assert terms_of(SearchSettings(contend=0)) == Terms()
    assert terms_of(SearchSettings(contend=9)).contend == 9


CONTENDING = replace(SEQUENTIAL, terms=Terms(effect=0.3, contend=None), iterations=40)


def test_equal_children_contend_and_do_not_survive() -> None:
    """Luck makes contenders, of whom nothing is claimed; a run that has none of them keeps nobody either."""
    runs = [simulate(CONTENDING, (0, at)) for at in range(6)]
    assert sum(one.contenders for one in runs) > 6
    assert sum(one.kept for one in runs) <= 1
    assert all(one.contenders == sum(step.contender for step in one.steps) for one in runs)
    assert not any(step.kept and step.contender for one in runs for step in one.steps)
    assert {step.record for one in runs for step in one.steps if step.contender} == {0}
    assert [one.contenders for one in (simulate(SEQUENTIAL, (0, at)) for at in range(3))] == [0, 0, 0]
    assert simulate(CONTENDING, (0, 1)) == simulate(CONTENDING, (0, 1))


def test_contenders_become_parents() -> None:
    """A small gain goes on as a contender; what descends from it is measured against the baseline and survives."""
    first, second = 3, 12
    hopeful = replace(CONTENDING, better={first: 0.3, second: 0.3}, iterations=30, rates=assumed(0.2))
    runs = [simulate(hopeful, (3, at)) for at in range(8)]
    kept = {number for one in runs for number, step in enumerate(one.steps, 1) if step.kept or step.contender}
    assert {first, second} <= kept


def member(number: int, parent: Member | None, contender: bool = False) -> Member:
    return Member(number, np.full(6, 0.5), Record(), parent, contender)


def test_a_members_reference_is_that_of_a_run() -> None:
    """The nearest ancestor that is no contender, as `Descent.reference` has it."""
    zero = member(0, None)
    first = member(1, zero, True)
    second = member(2, first, True)
    third = member(3, second)
    fourth = member(4, third, True)
    found = [one.reference.number for one in (zero, first, second, third, fourth)]
    descent = Descent(
        {"c0": None, "c1": "c0", "c2": "c1", "c3": "c2", "c4": "c3"}, frozenset({"c1", "c2", "c4"})
    )
    assert [f"c{number}" for number in found] == [descent.reference(f"c{number}") for number in range(5)]
    assert found == [0, 0, 0, 3, 3]


def test_parents_are_drawn_by_their_scores() -> None:
    """As a run selects them: the one with the high scores nearly always, at a low temperature; alone, the baseline."""
    low, high = (Record({str(at): Sums(40, hits, hits) for at in range(6)}) for hits in (4.0, 36.0))
    family, rng = Family(np.full(6, 0.5), low, STRICT), np.random.default_rng(0)
    assert family.draw(rng).number == 0
    family.add(Member(5, np.full(6, 0.5), high))
    drawn = [family.draw(rng).number for _ in range(50)]
    assert set(drawn) <= {0, 5} and drawn.count(5) > 45
    assert family.children == {"c0": 51 - drawn.count(5), "c5": drawn.count(5)}


def test_the_selection_rule_is_the_one_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the user's own draws the parents too; a name without a rule is refused."""
    (tmp_path / "eldest").mkdir()
    (tmp_path / "eldest/rule.py").write_text(
        "from evolve.iteration import Choice\n"
        "def select(standings, children, pressure, rng):\n"
        "    assert children['c0'] > 0 and pressure.temperature == 7\n"
        "    return Choice(standings[0].candidate, {})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    scenario = replace(STRICT, selection="eldest.rule", pressure=Pressure(temperature=7))
    rates, rng = np.full(6, 0.5), np.random.default_rng(0)
    family = Family(rates, Record(), scenario)
    assert family.draw(rng).number == 0
    family.add(Member(5, rates, Record({"0": Sums(9, 9.0, 9.0)})))
    assert {family.draw(rng).number for _ in range(20)} == {0}
    with pytest.raises(UsageError, match=r"no rule 'boltzman': .* did you mean 'boltzmann'"):
        simulate(replace(STRICT, selection="boltzman"), (0,))


def test_a_contest_has_its_rival() -> None:
    """A rival that is far better drops a child that its reference would not."""
    rates, rng = np.full(6, 0.5), np.random.default_rng(0)
    known, far = (Record({str(at): Sums(60, hits, hits) for at in range(6)}) for hits in (12.0, 60.0))
    held = contest(CONTENDING, Match(1, rates, rates, known, far), rng)
    assert held.survival.outcome == "dropped" and held.contest.rival == far
    assert held.survival.look is not None and (held.survival.look.ahead or 0.0) < 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("strict", ("strict",)),
        ("all", ("strict", "paired", "sequential")),
        ("all,strict", ("strict", "paired", "sequential")),
        (" mine.rule, all ,mine.rule", ("mine.rule", "strict", "paired", "sequential")),
        ("sequential,all", ("sequential", "strict", "paired")),
    ],
)
def test_rules_that_are_named(text: str, named: tuple[str, ...]) -> None:
    """Each once, in their order; `all` stands for ours, beside others too."""
    assert rules(text) == named
