"""The loop over in-memory parts: order of events, what an iteration sees, and that speed changes nothing."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from evolve_fakes import VALIDATION, World, baseline, compared
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evolve.iteration import Iteration
from evolve.loop import Plan, evolve
from evolve.results import Results
from harness.errors import BudgetSpent, EvolveError, ProviderError, StorageError

PLAN = Plan(seed=5, lag=3, workers=3, iterations=9)


def run(plan: Plan, world: World, known: Sequence[Iteration] = ()) -> tuple[EvolveError | None, Results]:
    """Everything up to the end; a loop that never ends fails."""

    async def bounded() -> tuple[EvolveError | None, Results]:
        results = Results(known or [baseline()])
        async with asyncio.timeout(20):
            return await evolve(plan, world.parts(), results), results

    return asyncio.run(bounded())


def bare(iterations: Iterable[Iteration]) -> list[Iteration]:
    """By number and without clock times: what must be equal at any speed."""
    return [replace(one, started=0, finished=0) for one in sorted(iterations, key=lambda one: one.number)]


class Shuffled:
    """A pause that lets waiting work go on one at a time, in an order drawn from a seed: any finishing order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.waiting: list[asyncio.Future[None]] = []
        self.released = 0

    def __call__(self, number: int) -> "asyncio.Future[None]":
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        asyncio.get_running_loop().call_soon(self.settle, 3)
        return turn

    def settle(self, rounds: int) -> None:
        """Wait until all who can have arrived, then release one of them."""
        if rounds:
            asyncio.get_running_loop().call_soon(self.settle, rounds - 1)
        elif self.waiting:
            turn = self.waiting.pop(self.random.randrange(len(self.waiting)))
            self.released += 1
            if not turn.done():
                turn.set_result(None)


def test_one_iteration_in_the_order_of_the_paper() -> None:
    """Minibatch, diagnosis, edit, then parent and child at the same time, then the record, then the population."""
    world = World()
    stopped, results = run(Plan(seed=1, lag=1, workers=1, iterations=1), world)
    assert stopped is None
    names = [event for event, _ in world.events]
    assert names[:5] == ["minibatch", "minibatch done", "case", "diagnose", "implement"]
    assert names[5:7] == ["parent", "child"]
    assert set(names[7:9]) == {"parent done", "child done"}
    assert names[9:] == ["record", "durable"]
    done = results.finished[1]
    assert [one.side for one in done.evaluations] == ["minibatch", "parent", "child"]
    old, new = done.side("parent"), done.side("child")
    assert old is not None and new is not None
    assert list(old.scores) == list(new.scores)
    assert set(new.scores) == {one.id for one in VALIDATION}
    assert (old.candidate, new.candidate) == ("c0", "c1")
    assert [one.role for one in done.exchanges] == ["analyzer", "implementer"]
    assert done.probabilities == {"c0": 1.0}
    assert done.started <= done.finished


@pytest.mark.parametrize("outcome", ["no_change", "out_of_scope", "broken", "no_proposal"])
def test_a_rejected_proposal_costs_no_validation(outcome: str) -> None:
    """Its name and reason are recorded, its iteration has the minibatch alone, and the next one goes on."""
    world = World(proposals={1: outcome})
    _, results = run(Plan(seed=1, lag=1, workers=1, iterations=2), world)
    rejected = results.finished[1]
    assert (rejected.outcome, rejected.reason, rejected.child) == (outcome, f"why {outcome}", None)
    assert rejected.summary == "tried"
    assert [one.side for one in rejected.evaluations] == ["minibatch"]
    assert len(rejected.exchanges) == 2
    assert not {("parent", 1), ("child", 1)} & set(world.events)
    assert results.finished[2].outcome in ("survived", "dropped")


def test_no_edit_is_asked_for_without_a_diagnosis() -> None:
    """An analysis that cannot be used ends the iteration as no_proposal, with its problem as the reason."""
    world = World(undiagnosed=frozenset({1}))
    _, results = run(Plan(seed=1, lag=1, workers=1, iterations=1), world)
    lost = results.finished[1]
    assert (lost.outcome, lost.reason, lost.diagnosis) == ("no_proposal", "no JSON", None)
    assert [one.role for one in lost.exchanges] == ["analyzer"]
    assert ("implement", 1) not in world.events


@pytest.mark.parametrize(("better", "outcome"), [(True, "survived"), (False, "dropped")])
def test_the_comparison_decides(better: bool, outcome: str) -> None:
    """A child above its parent survives and can be a parent; one below it is dropped and never chosen."""
    world = World(scores=lambda _, __, side, ___: float((side == "child") == better))
    _, results = run(Plan(seed=1, lag=1, workers=1, iterations=4), world, [baseline([0.0] * 6)])
    assert {results.finished[n].outcome for n in range(1, 5)} == {outcome}
    stands = {"c0", "c1", "c2", "c3", "c4"} if better else {"c0"}
    assert set(results.population.standings) == stands
    assert set(results.finished[4].probabilities) == stands - {"c4"}


def test_a_result_is_durable_before_anybody_sees_it() -> None:
    """No iteration starts on a result that is not on disk yet."""
    world = World(pause=Shuffled(3))
    run(Plan(seed=2, lag=2, workers=4, iterations=8), world)
    for number, seen in world.seen.items():
        started = world.events.index(("minibatch", number))
        for other in seen[1:]:
            assert world.events.index(("durable", other)) < started


def test_a_record_that_fails_is_never_applied() -> None:
    """The loop stops with the storage error, and the population stays as it is on disk."""
    world = World(fail={("record", 2): StorageError("disk full")})
    results = Results([baseline()])
    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(evolve(Plan(seed=1, lag=1, workers=1, iterations=4), world.parts(), results))
    assert raised.group_contains(StorageError, match="disk full")
    assert list(results.finished) == [0, 1]
    assert ("minibatch", 3) not in world.events


@given(seed=st.integers(0, 10**6), lag=st.integers(1, 6), workers=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
@example(seed=0, lag=1, workers=9)
@example(seed=0, lag=6, workers=1)
def test_an_iteration_sees_exactly_up_to_its_number_minus_the_lag(seed: int, lag: int, workers: int) -> None:
    """Whatever finishes first, and with more or fewer workers than the lag: no more, no less, and no deadlock."""
    world = World(pause=Shuffled(seed))
    stopped, results = run(Plan(seed=5, lag=lag, workers=workers, iterations=9), world)
    assert stopped is None
    assert set(results.finished) == set(range(10))
    for number in range(1, 10):
        assert world.seen[number] == tuple(range(max(0, number - lag) + 1))
        assert results.finished[number].sees == max(0, number - lag)


REFERENCE = {
    lag: bare(run(replace(PLAN, lag=lag, workers=1), World())[1].finished.values()) for lag in (1, 3)
}


@given(seed=st.integers(0, 10**6), lag=st.sampled_from([1, 3]), workers=st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_the_same_seed_grows_the_same_tree_in_any_finishing_order(seed: int, lag: int, workers: int) -> None:
    """Parents, probabilities, minibatches, scores, outcomes: all equal to a run of one worker without waits."""
    world = World(pause=Shuffled(seed))
    _, results = run(replace(PLAN, lag=lag, workers=workers), world)
    assert bare(results.finished.values()) == REFERENCE[lag]


def test_another_seed_or_lag_grows_another_tree() -> None:
    """The reference of the tests above is no constant: seed and lag show in it."""
    assert REFERENCE[1] != REFERENCE[3]
    other = run(replace(PLAN, seed=6), World())[1]
    assert bare(other.finished.values()) != REFERENCE[3]
    assert len({one.parent for one in REFERENCE[1]}) > 1


def test_as_many_iterations_run_at_once_as_there_are_workers() -> None:
    """With a lag of at least the workers nobody waits for anybody: no barrier, and never more than the workers."""
    running: set[int] = set()
    most: list[int] = []
    world = World(pause=Shuffled(1))
    run(Plan(seed=1, lag=4, workers=4, iterations=12), world)
    for event, number in world.events:
        (running.discard if event == "durable" else running.add)(number)
        most.append(len(running))
    assert max(most) == 4
    assert sum(count == 4 for count in most) > len(most) / 2


@pytest.mark.parametrize(
    "event", ["minibatch", "minibatch done", "diagnose", "implement", "parent", "child done"]
)
def test_a_spent_budget_ends_it_quietly(event: str) -> None:
    """The loop returns what stopped it, wherever it struck; unfinished numbers stay open, and nothing half is kept."""
    world = World(pause=Shuffled(2), fail={(event, 5): BudgetSpent("calls limit 9")})
    stopped, results = run(PLAN, world)
    assert isinstance(stopped, BudgetSpent)
    assert str(stopped) == "calls limit 9"
    assert 5 not in results.finished
    assert [one.number for one in world.recorded] == [n for n in results.finished if n]
    assert max(results.finished) < 5 + PLAN.lag


@pytest.mark.parametrize("event", ["minibatch", "diagnose", "child done"])
@pytest.mark.parametrize("seed", range(5))
def test_a_resume_after_a_spent_budget_ends_as_if_uninterrupted(event: str, seed: int) -> None:
    """What was recorded is not done again, holes are filled, and the tree is that of an uninterrupted run."""
    world = World(pause=Shuffled(seed), fail={(event, 4): BudgetSpent("spent")})
    stopped, before = run(PLAN, world)
    assert stopped is not None
    again = World(pause=Shuffled(seed + 100))
    stopped, after = run(replace(PLAN, workers=2), again, list(before.finished.values()))
    assert stopped is None
    assert bare(after.finished.values()) == REFERENCE[3]
    assert {one.number for one in again.recorded}.isdisjoint(before.finished)


def test_a_larger_total_goes_on_and_a_smaller_one_does_nothing() -> None:
    """Iterations 1..5 of a run of nine are those of a run of five."""
    _, five = run(replace(PLAN, iterations=5), World())
    _, nine = run(PLAN, World(), list(five.finished.values()))
    assert bare(nine.finished.values()) == REFERENCE[3]
    idle = World()
    run(replace(PLAN, iterations=2), idle, list(nine.finished.values()))
    assert idle.events == []


@pytest.mark.parametrize("event", ["minibatch", "implement", "parent done", "record"])
def test_our_fault_stops_the_loop_loudly(event: str) -> None:
    """A provider that is down is raised, not recorded as anybody's failure, and nothing new is started."""
    world = World(pause=Shuffled(4), fail={(event, 4): ProviderError("down")})
    with pytest.raises(ExceptionGroup) as raised:
        run(PLAN, world)
    assert raised.group_contains(ProviderError, match="down")
    assert 4 not in [one.number for one in world.recorded]
    assert all(number < 4 + PLAN.lag for _, number in world.events)


def test_our_fault_wins_over_a_spent_budget() -> None:
    """If both strike, the fault is raised: a stop is only quiet if nothing is broken."""
    fail = {("minibatch", 1): BudgetSpent("spent"), ("minibatch", 2): ProviderError("down")}
    with pytest.raises(ExceptionGroup) as raised:
        run(PLAN, World(fail=fail))
    assert raised.group_contains(ProviderError)
    assert not raised.group_contains(BudgetSpent)


def test_a_bug_is_not_taken_for_anything_else() -> None:
    """An error that no branch of the tree knows comes out as it is."""
    with pytest.raises(ExceptionGroup) as raised:
        run(PLAN, World(fail={("diagnose", 2): ZeroDivisionError("bug")}))
    assert raised.group_contains(ZeroDivisionError, match="bug")


def test_minibatches_and_parents_come_from_seed_and_number() -> None:
    """Two iterations with the same parent draw different minibatches; a resumed one draws the same."""
    drawn: dict[int, list[str]] = defaultdict(list)
    for known in ([baseline()], [baseline(), *(compared(n, [1.0], [0.0], "dropped") for n in (1, 2, 3))]):
        _, results = run(replace(PLAN, lag=9), World(), known)
        for number in range(4, 10):
            batch = results.finished[number].side("minibatch")
            assert batch is not None
            drawn[number].append(" ".join(batch.scores))
    assert all(first == second for first, second in drawn.values())
    assert len({first for first, _ in drawn.values()}) > 3
