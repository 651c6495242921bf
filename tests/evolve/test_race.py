"""Racing over a fake that keeps what was asked for: draws and their numbers, what a rule is told, what remains."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from evolve_fakes import BASELINE, VALIDATION, Score, baseline, child, compared, evaluation, rollout

from evolve.contest import Contest, Decision, Look, Measure, Record, Sums, Survival, Terms, Trial
from evolve.iteration import Candidate, Evaluation, Iteration, Outcome
from evolve.population import Population
from evolve.race import Draws, Raced, Rule, Track, more, numbered, once, race, record
from evolve.selection import sequential
from harness.errors import BudgetSpent, ProviderError, UsageError
from harness.types import Side

CHILD = child(7)
KEPT, DROPPED = Survival(True, "better", error=0.01), Survival(False, "worse")
TRY = Survival(False, "ahead", contender=True)
LOOK = Look(1, 1, 1, 0.0, -1.0, 1.0)
Asked = tuple[str, Side, list[tuple[str, int]]]


def half(candidate: str, document: str, trial: int) -> Score:
    """The child passes always, the parent every other time."""
    return 1.0 if candidate == CHILD.id else float(trial % 2)


@dataclass
class Stand:
    """Measures by a function, and keeps what it was asked. meeting: where measurements wait for one another."""

    score: Callable[[str, str, int], Score] = half
    meeting: asyncio.Barrier | None = None
    fail: dict[Side, Exception] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    done: list[Side] = field(default_factory=list)

    async def __call__(self, candidate: Candidate, draws: Draws, number: int, side: Side) -> Evaluation:
        assert number == 7
        self.asked.append((candidate.id, side, [(one.id, trial) for one, trial in draws]))
        if side in self.fail:
            raise self.fail[side]
        if self.meeting:
            await self.meeting.wait()
        rollouts = (rollout(one.id, self.score(candidate.id, one.id, trial), trial) for one, trial in draws)
        self.done.append(side)
        return replace(evaluation(candidate.id, {}, side, iteration=number), rollouts=tuple(rollouts))

    def of(self, side: Side) -> list[tuple[str, int]]:
        """All draws of a side, in their order."""
        return [draw for _, other, draws in self.asked if other == side for draw in draws]


class Scripted:
    """A rule that answers from a list and keeps the contests it was shown."""

    def __init__(self, *answers: Measure | Survival) -> None:
        self.answers = list(answers)
        self.shown: list[Contest] = []

    def __call__(self, contest: Contest) -> Measure | Survival:
        self.shown.append(contest)
        return self.answers[len(self.shown) - 1]


def run(
    stand: Stand,
    step: Callable[[Contest], Measure | Survival],
    trials: int = 0,
    seen: Population | None = None,
    parent: Candidate = BASELINE,
) -> Raced:
    track = Track(Rule("mine", step, trials, Terms(effect=0.3, block=4)), VALIDATION, stand)
    rng = np.random.default_rng(3)

    async def bounded() -> Raced:
        async with asyncio.timeout(20):
            return await race(track, 7, (parent, CHILD), seen or Population([baseline()]), rng)

    return asyncio.run(bounded())


def sides(raced: Raced) -> list[Side]:
    return [one.side for one in raced.evaluations]


def test_trials_are_numbered_by_document_and_side() -> None:
    """The n-th draw of a document on a side is trial n - 1, within a request and over several of them."""
    rule = Scripted(
        Measure(("v0", "v1", "v0"), ("v0",)),
        Measure(("v0",), ("v0", "v0", "v2")),
        Measure((), ("v0",)),
        DROPPED,
    )
    stand = Stand()
    raced = run(stand, rule)
    assert stand.of("parent") == [("v0", 0), ("v1", 0), ("v0", 1), ("v0", 2)]
    assert stand.of("child") == [("v0", 0), ("v0", 1), ("v0", 2), ("v2", 0), ("v0", 3)]
    assert [(one.document, one.trial) for one in raced.evaluations[0].rollouts] == stand.of("parent")
    assert [(one.document, one.trial) for one in raced.evaluations[1].rollouts] == stand.of("child")
    assert numbered(["a", "b", "a"], [Trial("a", 0, None)]) == [("a", 1), ("b", 0), ("a", 2)]


def test_parent_and_child_are_measured_at_the_same_time() -> None:
    """Neither waits for the other: both have begun before one of them ends."""
    stand = Stand(meeting=asyncio.Barrier(2))
    run(stand, Scripted(Measure(("v0",), ("v0",)), Measure(("v1",), ("v1",)), DROPPED))
    assert [side for _, side, _ in stand.asked] == ["parent", "child"] * 2
    assert sorted(stand.done) == ["child"] * 2 + ["parent"] * 2


def test_a_rule_sees_what_it_asked_for() -> None:
    """All draws so far in their order, missing ones too; the parent's record; documents in an order of their own."""

    def lost(candidate: str, document: str, trial: int) -> Score:
        return None if document == "v1" else 1.0

    rule = Scripted(Measure(("v0",), ("v1", "v0")), Measure(("v1",), ()), DROPPED)
    run(Stand(lost), rule)
    first, second, third = rule.shown
    assert (first.number, first.parent, first.child) == (7, (), ())
    assert sorted(first.documents) == [one.id for one in VALIDATION] != list(first.documents)
    assert first.record == Record({f"v{n}": Sums(1, *[float(n == 0)] * 2) for n in range(6)})
    assert first.rival is None
    assert second.parent == (Trial("v0", 0, 1.0, 1.0),)
    assert second.child == (Trial("v1", 0, None, None, True), Trial("v0", 0, 1.0, 1.0))
    assert third.parent == (*second.parent, Trial("v1", 0, None, None, True))
    assert third.child == second.child
    assert third.documents == first.documents


def test_the_record_is_that_of_the_population_that_is_seen() -> None:
    """Draws of the parent in earlier iterations count, those of its children do not."""
    rule = Scripted(DROPPED)
    run(Stand(), rule, seen=Population([baseline(), compared(1, [1.0] * 6, [1.0] * 6, "dropped")]))
    assert {one.number for one in rule.shown[0].record.scores.values()} == {2}


def lineage(*outcomes: Outcome) -> Population:
    """c1 from the baseline, c2 from c1, ...; each passes half of what it was measured on."""
    made = [baseline()]
    for number, outcome in enumerate(outcomes, 1):
        scores = [1.0, 0.0, None, 1.0, 0.0, 1.0]
        parent = f"c{number - 1}"
        reference = Population(made).descent.reference(parent)
        made.append(compared(number, [0.0] * 6, scores, outcome, parent, reference))
    return Population(made)


@pytest.mark.parametrize(
    ("outcomes", "reference"),
    [
        (("contender",), "c0"),
        (("contender", "contender"), "c0"),
        (("survived", "contender"), "c1"),
        (("contender", "survived"), "c2"),
        (("contender", "survived", "contender"), "c2"),
    ],
)
def test_the_child_of_a_contender_is_compared_with_its_reference(
    outcomes: tuple[Outcome, ...], reference: str
) -> None:
    """That one is drawn, never the contender; the contender's record is the rival. A survivor has no rival."""
    seen, parent = lineage(*outcomes), f"c{len(outcomes)}"
    rule, stand = Scripted(Measure(("v0", "v3"), ("v1",)), DROPPED), Stand()
    raced = run(stand, rule, seen=seen, parent=seen.born[parent])
    assert [(key, side) for key, side, _ in stand.asked] == [(reference, "parent"), (CHILD.id, "child")]
    assert [(one.candidate, one.side) for one in raced.evaluations] == [
        (reference, "parent"),
        (CHILD.id, "child"),
    ]
    first, last = rule.shown
    assert first.record == last.record == seen.records[reference]
    assert first.rival == last.rival == (seen.records[parent] if parent != reference else None)
    assert [one.document for one in last.parent] == ["v0", "v3"]


def test_an_equal_parent_is_no_rival_of_itself() -> None:
    """A candidate that was read from the database again is still the same one."""
    rule = Scripted(DROPPED)
    run(Stand(), rule, parent=replace(BASELINE))
    assert rule.shown[0].rival is None


def test_draws_of_a_contenders_child_count_for_the_reference() -> None:
    """What was measured in the race of a contender's child belongs to the one that was measured."""
    seen = lineage("contender")
    raced = run(Stand(), Scripted(Measure(("v0", "v0"), ("v1",)), DROPPED), seen=seen, parent=seen.born["c1"])
    one = Iteration(7, "dropped", "", "c1", 0, CHILD, evaluations=raced.evaluations)
    later = seen.extended([one])
    before = seen.records["c0"].scores["v0"]
    assert later.records["c0"].scores["v0"].number == before.number + 2
    assert later.records["c1"] == seen.records["c1"]
    assert CHILD.id not in later.records


@pytest.mark.parametrize(("answer", "record"), [(TRY, []), (KEPT, ["record"])])
def test_a_contender_gets_no_fresh_record(answer: Survival, record: list[Side]) -> None:
    """It is not measured again, nothing being claimed of it; its child that survives is."""
    seen = lineage("contender")
    script = Scripted(Measure(("v0",), ("v0",)), answer)
    raced = run(Stand(), script, 2, seen, seen.born["c1"])
    assert sides(raced) == ["parent", "child", *record]
    assert raced.survival.outcome == ("contender" if answer is TRY else "survived")


def test_the_order_of_the_documents_comes_from_the_generator() -> None:
    """Another state of it, another order; the same, the same."""
    orders = []
    for seed in (0, 1, 0):
        rule = Scripted(DROPPED)
        track = Track(Rule("mine", rule, 0, Terms()), VALIDATION, Stand())
        asyncio.run(race(track, 7, (BASELINE, CHILD), Population([baseline()]), np.random.default_rng(seed)))
        orders.append(rule.shown[0].documents)
    assert orders[0] == orders[2] != orders[1]


def test_every_look_is_kept() -> None:
    """With the name of the rule and its share of the error budget, in the order they were taken."""
    looks = [replace(LOOK, child_trials=n) for n in range(3)]
    rule = Scripted(
        Measure(("v0",), ("v0",)),
        Measure(("v0",), ("v0",), looks[0]),
        Measure(("v0",), ("v0",), looks[1]),
        Survival(False, "no", looks[2], 0.02),
    )
    assert run(Stand(), rule).decision == Decision("mine", 0.02, tuple(looks))
    assert run(Stand(), Scripted(DROPPED)).decision == Decision("mine", None, ())


def test_a_survivor_is_measured_afresh() -> None:
    """So many trials of every document under a side of its own, after the decision, whatever was drawn before."""
    stand = Stand()
    raced = run(stand, Scripted(Measure(("v0",), ("v0", "v0")), KEPT), trials=2)
    assert sides(raced) == ["parent", "child", "record"]
    assert sorted(stand.of("record")) == [(one.id, trial) for one in VALIDATION for trial in range(2)]
    assert stand.asked[-1][:2] == (CHILD.id, "record")
    assert raced.survival == KEPT


@pytest.mark.parametrize(("answer", "trials"), [(DROPPED, 2), (KEPT, 0)])
def test_no_record_of_the_dropped_or_under_rules_without_one(answer: Survival, trials: int) -> None:
    """Nothing is measured beyond the decision."""
    stand = Stand()
    assert sides(run(stand, Scripted(Measure(("v0",), ("v0",)), answer), trials)) == ["parent", "child"]
    assert stand.of("record") == []


def test_a_side_that_nothing_is_asked_of_is_not_measured() -> None:
    """No request without draws; the evaluations hold only what was measured."""
    stand = Stand()
    raced = run(stand, Scripted(Measure((), ("v0",)), Measure((), ("v1",)), DROPPED))
    assert sides(raced) == ["child"]
    assert [side for _, side, _ in stand.asked] == ["child", "child"]
    assert run(Stand(), Scripted(DROPPED)).evaluations == ()


def test_a_rule_that_asks_for_nothing_is_refused() -> None:
    """It would be asked for ever; the message names it."""
    with pytest.raises(
        UsageError, match="the rule 'mine' neither decides nor names a document; mend its `step`"
    ):
        run(Stand(), Scripted(Measure((), ())))


@pytest.mark.parametrize("side", ["parent", "child", "record"])
@pytest.mark.parametrize("error", [BudgetSpent("spent"), ProviderError("down")])
def test_what_ends_measuring_goes_through(side: Side, error: Exception) -> None:
    """A spent budget and our faults reach the loop, wherever they strike; nothing is decided."""
    rule = Scripted(Measure(("v0",), ("v0",)), KEPT)
    with pytest.raises((type(error), ExceptionGroup)) as raised:
        run(Stand(fail={side: error}), rule, trials=1)
    found = raised.value
    assert found is error or (isinstance(found, ExceptionGroup) and error in found.exceptions)


def test_the_default_rule_over_the_fake() -> None:
    """A child that always passes against a parent that passes half of the time is kept, and its draws are fresh."""
    stand = Stand()
    raced = run(stand, sequential.step, trials=2)
    assert raced.survival.survived
    mine = stand.of("child")
    assert len(set(mine)) == len(mine)
    counts = [one.child_trials for one in raced.decision.looks]
    assert counts == sorted(counts)
    assert raced.decision.looks[-1].child_trials == len(mine)


def test_draws_of_every_document() -> None:
    """`once` asks for trial 0 of each; `record` for the trials that it is given."""
    assert once(VALIDATION) == tuple((one, 0) for one in VALIDATION)
    stand = Stand()
    track = Track(Rule("mine", Scripted(), 0, Terms()), VALIDATION, stand)
    measured = asyncio.run(record(track, CHILD, 7, "record", range(1, 3)))
    assert [(one.document, one.trial) for one in measured.rollouts] == stand.of("record")
    assert {trial for _, trial in stand.of("record")} == {1, 2}


def test_without_draws_nothing_is_added() -> None:
    """What was measured before stays what it is."""
    track = Track(Rule("mine", Scripted(), 0, Terms()), VALIDATION, Stand())
    before = evaluation("c7", [1.0], "child")
    found: Sequence[Evaluation | None] = [
        asyncio.run(more(track, (CHILD, 7, "child"), old, ())) for old in (None, before)
    ]
    assert list(found) == [None, before]
