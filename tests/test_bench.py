"""The benchmarks of the search in small: that they measure what they say they do."""

import asyncio
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from bench import engine, engine_runs, selection
from bench.engine_world import Ration, Rationed
from bench.null_world import NullExecutor, Pools
from evolve.contest import Terms, valid
from evolve.iteration import Iteration
from evolve.results import Results
from harness.errors import BudgetSpent
from harness.trajectory import Rollout
from harness.types import Document, Draw

DOCUMENTS = tuple(Document(f"d{at}", f"document {at}", "") for at in range(40))
BENCH = Path(selection.__file__).parent
MODULES = sorted(one.stem for one in BENCH.glob("*.py"))
USUAL = selection.World("usual", better={3: 0.2})


@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_can_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them uses a name that is gone. They find each other as scripts do, by the folder they are in."""
    monkeypatch.syspath_prepend(BENCH)
    import_module(name)


def test_a_run_is_repeatable_and_counts_all_scores() -> None:
    """The paper's rule takes 100 scores a child on 50 documents, after 50 of the baseline; one in ten contests is timed."""
    strict = replace(USUAL, rule="strict")
    first, again = selection.play(strict, 1), selection.play(strict, 1)
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)
    assert first.scores == 50 + 40 * 100 and first.steps == 80 // selection.TIMED


def test_a_better_child_is_better_by_what_is_said_and_all_others_are_the_baseline() -> None:
    """Truth is known in these worlds."""
    rng, baseline = np.random.default_rng(0), np.linspace(0.1, 0.7, 50)
    better = selection.child_of(USUAL, 3, (baseline, baseline), rng)
    assert better.mean() - baseline.mean() == pytest.approx(0.2)
    assert selection.child_of(USUAL, 4, (better, baseline), rng) is baseline


def test_uneven_children_have_the_mean_of_their_parent() -> None:
    """They differ on every document."""
    rng, rates = np.random.default_rng(0), np.linspace(0.1, 0.7, 50)
    child = selection.child_of(replace(USUAL, uneven=1.0), 3, (rates, rates), rng)
    assert child.mean() == pytest.approx(rates.mean()) and abs(child - rates).min() > 0


def test_an_iteration_knows_only_draws_that_it_sees() -> None:
    """What a lag hides is not used."""
    draws = valid(selection.fresh(USUAL, np.full(50, 0.5), 1, np.random.default_rng(0)))
    member = selection.Member(np.full(50, 0.5), {0: draws, 4: draws})
    assert [member.record(at).trials for at in (0, 3, 4)] == [50, 50, 100]


def test_contenders_make_no_claim() -> None:
    """They are parents, and count neither as claims nor as false ones."""
    world = replace(USUAL, better={}, terms=Terms(effect=0.2, contend=None))
    runs = [selection.play(world, seed) for seed in range(3)]
    assert sum(one.claims for one in runs) == sum(one.false for one in runs) <= 1
    line = {
        0: selection.Member(np.full(2, 0.5), {}),
        3: selection.Member(np.full(2, 0.6), {}, 0, contender=True),
        4: selection.Member(np.full(2, 0.7), {}, 3),
    }
    found = selection.descent_of(line)
    assert (found.reference("3"), found.outdone()) == ("0", {"0"})


def test_equal_candidates_pass_alike() -> None:
    """In the null world a score depends on draw and document alone, and a document keeps its pass rate."""
    rollouts = {
        score: (Rollout(document="", name="", outcome="stopped", score=score),) for score in (0.0, 1.0)
    }
    executor = NullExecutor(1, Pools(rollouts, rollouts))

    def means(scaffold: str, trials: range) -> np.ndarray:
        runs = [
            asyncio.run(executor.run(Path(scaffold), DOCUMENTS, Draw(1, "child", trial=at))) for at in trials
        ]
        return np.array([[one.score for one in run] for run in runs]).mean(axis=0)

    assert (means("a", range(20)) == means("b", range(20))).all()
    rates = [executor.rate(one.id) for one in DOCUMENTS]
    assert abs(means("a", range(300)) - rates).max() < 0.15


def test_a_ration_counts_whole_iterations_in_their_order() -> None:
    """What was taken by iterations that do not fit any more is not the run's."""
    results = Results(Iteration(at, "dropped", "", "c0", 0) for at in range(3))
    ration = Ration(100, Counter({0: 40, 1: 50, 2: 30, 7: 90}), results)
    assert (ration.last, ration.used(ration.last), ration.spent) == (1, 90, True)
    assert not Ration(200, ration.taken, results).spent
    with pytest.raises(BudgetSpent, match="100 rollouts"):
        asyncio.run(Rationed(NullExecutor(1, Pools({}, {})), ration).run(Path(), DOCUMENTS, Draw(3, "child")))


def test_kept_results_are_not_made_again(tmp_path: Path) -> None:
    """A benchmark that was stopped goes on."""
    file = tmp_path / "kept.jsonl"
    file.write_text('[["", 0, 40], {"seed": 0, "contests": 3, "survived": 0, "rollouts": 9}]\n', "utf-8")
    assert engine.Kept(file).all(0, [("", 0)], 1) == [engine_runs.Null(0, 3, 0, 9)]


def test_the_median_of_equal_values_has_no_width() -> None:
    """The bootstrap interval of a constant is that constant."""
    found = engine.bootstrapped([0.5] * 9, np.median)
    assert (found.value, found.low, found.high, found.trials) == (0.5, 0.5, 0.5, 9)
