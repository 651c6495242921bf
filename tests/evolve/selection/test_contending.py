"""Contenders under the default rule: who becomes one, whom their children are compared with, what missing draws win."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

import pytest
from contests import DOCUMENTS, TERMS, Score, Scoring, always, half, held, luck, passes

from evolve.contest import Contest, Look, Measure, Record, Survival, Terms, Trial
from evolve.selection.sequential import NEAR, contend_after, most, step
from evolve.settings import SearchSettings

TRIED = replace(TERMS, contend=None)
AFTER = 14  # 1.2 / 0.3 squared
EQUAL = passes(1, 2)


def trials(scores: Mapping[str, Sequence[Score]]) -> tuple[Trial, ...]:
    """Draws in their order."""
    return tuple(
        Trial(key, trial, score, score, score is None)
        for key, some in scores.items()
        for trial, score in enumerate(some)
    )


def alike(hits: int, asked: int = 2) -> tuple[Trial, ...]:
    """So many draws of every document, of which so many pass."""
    return trials({key: [1.0] * hits + [0.0] * (asked - hits) for key in DOCUMENTS})


def decided(contest: Contest) -> Survival:
    found = step(contest)
    assert isinstance(found, Survival)
    return found


def looks(asked: list[Measure], found: Survival) -> list[Look]:
    """Every look in its order; the first block is drawn without one."""
    return [look for look in (*(one.look for one in asked), found.look) if look is not None]


@pytest.mark.parametrize(
    ("terms", "after"),
    [
        (Terms(), 0),
        (Terms(contend=None), 30),
        (TRIED, AFTER),
        (Terms(contend=7), 7),
        (Terms(contend=0, effect=0.01), 0),
        (Terms(contend=None, effect=0.05), 480),
    ],
)
def test_how_long_a_child_is_tried(terms: Terms, after: int) -> None:
    """As it is set; without a setting by the effect alone; 0: nobody contends."""
    assert contend_after(terms) == after


def test_the_setting_has_contenders_by_default() -> None:
    """Terms by themselves have none."""
    assert (SearchSettings().contend, Terms().contend) == (None, 0)


def test_ahead_and_not_near_contends() -> None:
    """Over many contests: the outcome follows from the last look alone, and no look before it could have ended one."""
    ends: dict[str, int] = {}
    for seed in range(60):
        found, contest, asked = held(luck({"parent": 0.3, "child": 0.4 + 0.1 * (seed % 5)}, seed), TRIED)
        *before, last = looks(asked, found)
        evidence, bar = last.evidence or 0.0, last.keep_at or 0.0
        if evidence <= (last.drop_at or 0.0):
            expected = "dropped"
        elif evidence >= bar:
            expected = "survived"
        else:
            assert len(contest.child) >= AFTER
            assert evidence < NEAR * bar or len(contest.child) >= most(TRIED)
            expected = "contender" if last.difference > 0 else "dropped"
        assert found.outcome == expected
        assert found.contender == (expected == "contender")
        for one in before:
            drawn = one.child_trials
            assert (one.drop_at or 0.0) < (one.evidence or 0.0) < bar
            assert drawn < AFTER or (one.evidence or 0.0) >= NEAR * bar
        ends[found.outcome] = ends.get(found.outcome, 0) + 1
    assert set(ends) == {"survived", "contender", "dropped"}


def test_the_reason_claims_nothing() -> None:
    """It says ahead, not better, and has the figures."""
    terms = replace(TRIED, overlook=0.001)
    mixed = {key: [1.0, 1.0 if at % 3 else 0.0] for at, key in enumerate(DOCUMENTS)}
    found = decided(Contest(1, DOCUMENTS, EQUAL, terms, child=trials(mixed)))
    assert (found.survived, found.contender, found.outcome) == (False, True, "contender")
    assert found.reason.startswith("ahead, not shown to be better: difference +0.300 on 10 documents, ")
    assert "parent" not in found.reason.partition("difference")[2]


@pytest.mark.parametrize("hits", [3, 4])
def test_who_is_not_ahead_is_dropped_when_its_time_is_over(hits: int) -> None:
    """Behind or level, though it is not shown to be worse."""
    terms = replace(TRIED, overlook=1e-6)
    found = decided(Contest(1, DOCUMENTS, passes(2, 4), terms, child=alike(hits, 8)))
    assert found.outcome == "dropped"
    assert found.reason.startswith("not ahead after 80 rollouts: ")
    assert found.look is not None and (found.look.evidence or 0.0) > (found.look.drop_at or 0.0)


@pytest.mark.parametrize("drawn", [AFTER - 1, AFTER])
def test_not_before_its_time(drawn: int) -> None:
    """One draw earlier it is measured on."""
    scores = [1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    child = tuple(
        Trial(DOCUMENTS[at % 10], at // 10, score, score) for at, score in enumerate(scores[:drawn])
    )
    found = step(Contest(1, DOCUMENTS, EQUAL, replace(TRIED, overlook=1e-6), child=child))
    assert isinstance(found, Survival) == (drawn == AFTER)
    if isinstance(found, Survival):
        assert found.outcome == "contender"


@pytest.mark.parametrize("seed", range(25))
def test_nobody_contends_where_it_is_off(seed: int) -> None:
    """With 0 a child is measured on to the most, and no outcome but the two of old is left."""
    found, contest, _ = held(luck({"parent": 0.45, "child": 0.5}, seed), replace(TERMS, contend=0))
    assert found.outcome in ("survived", "dropped")
    assert not found.contender
    if found.reason.startswith("undecided"):
        assert len(contest.child) >= most(TERMS)


def test_a_clear_winner_survives_all_the_same() -> None:
    """Contenders are for what is unclear: a claim that holds is made, and a clear loser is dropped."""
    assert held(always(0.0, 1.0), TRIED)[0].outcome == "survived"
    assert held(always(1.0, 0.0), TRIED)[0].outcome == "dropped"
    assert held(half, TRIED)[0].outcome == "dropped"


def test_contenders_are_cheaper() -> None:
    """The trial of an unclear child ends long before its most."""
    unclear = [luck({"parent": 0.45, "child": 0.5}, seed) for seed in range(12)]
    tried = [len(held(one, TRIED)[1].child) for one in unclear]
    whole = [len(held(one, TERMS)[1].child) for one in unclear]
    assert sum(tried) < sum(whole) / 2


def test_the_claim_is_against_the_reference() -> None:
    """The evidence is the same whoever the contender parent is; that one is looked at beside it."""
    child, known = alike(1), passes(1, 4)
    alone = Contest(1, DOCUMENTS, known, replace(TERMS, overlook=1e-9), child=child)
    first, second = step(alone), step(replace(alone, rival=passes(3, 4)))
    assert isinstance(first, Measure) and isinstance(second, Measure)
    assert first.look is not None and second.look is not None
    assert replace(second.look, rival=None, ahead=None) == first.look
    assert (first.look.rival, first.look.ahead) == (None, None)
    assert second.look.ahead == pytest.approx(-0.25)
    assert second.look.rival is not None and second.look.rival < 0 < (second.look.evidence or 0.0) + 1


def test_better_than_the_reference_survives_with_a_weaker_rival() -> None:
    """A child that is ahead of both is claimed to be better than the reference."""
    found, _, _ = held(always(0.0, 1.0), TRIED, passes(0, 4), rival=passes(2, 4))
    assert found.outcome == "survived"
    assert found.reason.endswith("; +0.500 against its parent")
    assert found.look is not None and found.look.parent_trials >= 40
    assert (found.look.evidence or 0.0) >= (found.look.keep_at or 0.0)


def test_much_worse_than_its_parent_falls() -> None:
    """Though it is better than the reference: a contender's child is held to what the contender reached."""
    contest = Contest(1, DOCUMENTS, passes(1, 10), TRIED, child=alike(1), rival=passes(10, 10))
    found = decided(contest)
    assert found.outcome == "dropped"
    assert found.reason.startswith("not better than its own parent by 0.3: difference +0.400 ")
    assert found.reason.endswith("; -0.500 against its parent")
    assert found.look is not None
    assert (found.look.rival or 0.0) <= (found.look.drop_at or 0.0) < 0 < (found.look.evidence or 0.0)
    assert isinstance(step(replace(contest, rival=None)), Measure)  # near a claim, it goes on


@pytest.mark.parametrize("rival", [passes(4, 4), passes(19, 20)])
def test_a_claim_holds_whatever_its_parent_reached(rival: Record) -> None:
    """Better than the reference is shown: that the contender parent scores as high is no reason to drop the child."""
    found = decided(Contest(1, DOCUMENTS, passes(0, 4), TRIED, child=alike(1, 1), rival=rival))
    assert found.outcome == "survived"
    assert found.look is not None
    assert (found.look.rival or 0.0) > (found.look.drop_at or 0.0)


@pytest.mark.parametrize("hits", [4, 5, 6])
def test_only_who_is_ahead_of_its_parent_too_contends(hits: int) -> None:
    """Ahead of the reference is not enough."""
    terms = replace(TRIED, overlook=1e-9, error=1e-9)
    contest = Contest(1, DOCUMENTS, passes(3, 8), terms, child=alike(5, 8), rival=passes(hits, 8))
    found = decided(contest)
    assert found.outcome == ("contender" if hits < 5 else "dropped")
    assert found.look is not None and found.look.difference > 0


def test_a_rival_without_a_score_stands_in_nobodys_way() -> None:
    """A contender parent of which nothing could be measured is no bar."""
    found, _, _ = held(always(0.0, 1.0), TRIED, passes(0, 4), rival=Record({}, 9))
    assert found.outcome == "survived"


def breaking(lost: int, spoils: Scoring) -> Scoring:
    """A child whose tasks make the instrument fail on the first so many documents, and pass on all others."""

    def scoring(side: str, document: str, trial: int) -> Score:
        if side == "child" and int(document[1:]) < lost:
            return None
        return spoils(side, document, trial)

    return scoring


def strength(side: str, document: str, trial: int) -> Score:
    """The parent passes the first documents, which the child would lose; the child passes the others alone."""
    return float((int(document[1:]) < 4) == (side == "parent"))


@pytest.mark.parametrize("terms", [TERMS, TRIED])
@pytest.mark.parametrize("lost", [4, 6, 9])
def test_nothing_is_won_by_what_could_not_be_measured(terms: Terms, lost: int) -> None:
    """The attack: where it would lose, its tasks make the instrument fail; what is left is perfect, and is refused."""
    record = replace(
        passes(0, 4), scores={**passes(0, 4).scores, **dict(list(passes(4, 4).scores.items())[:4])}
    )
    found, contest, _ = held(breaking(lost, strength), terms, record)
    assert found.outcome == "dropped"
    assert "draws are missing" in found.reason
    assert {one.score for one in contest.child} == {None, 1.0}
    assert found.look is not None and found.look.difference == 1.0
    assert (found.look.evidence or 0.0) > 0


def test_who_breaks_as_much_as_its_parent_is_let_pass() -> None:
    """The same gaps on both sides are the instrument's: the claim on all other documents stands."""

    def both(side: str, document: str, trial: int) -> Score:
        return None if int(document[1:]) < 3 else float(side == "child")

    known = {key: one for key, one in passes(0, 4).scores.items() if int(key[1:]) >= 3}
    assert held(both, TRIED, Record(known, 12))[0].outcome == "survived"
    found = held(both, TRIED, Record(known, 0))[0]
    assert found.outcome == "survived"  # of the parent the same documents were asked for again, in vain


def test_a_contender_must_not_lean_either() -> None:
    """Ahead with too many missing is dropped, with what is missing as the reason."""
    terms = replace(TRIED, overlook=1e-9, error=1e-9)
    scores: dict[str, list[Score]] = {key: [1.0, 1.0, 0.0] for key in DOCUMENTS}
    whole = Contest(1, DOCUMENTS, passes(2, 4), terms, child=trials(scores))
    assert decided(whole).outcome == "contender"
    holes: dict[str, list[Score]] = {
        key: [1.0, 1.0, None if at < 6 else 0.0] for at, key in enumerate(DOCUMENTS)
    }
    found = decided(replace(whole, child=trials(holes)))
    assert found.outcome == "dropped"
    assert found.reason == "6 of 30 draws are missing, 0 of 40 on the other side: more than chance allows"
    few: dict[str, list[Score]] = {**scores, "v0": [1.0, 1.0, None]}
    assert decided(replace(whole, child=trials(few))).outcome == "contender"


def test_the_missing_draws_of_the_reference_are_compared_with() -> None:
    """Not those of a contender parent, which may have broken the instrument itself."""
    holes: dict[str, list[Score]] = {
        key: [1.0, 1.0, None if at < 6 else 0.0] for at, key in enumerate(DOCUMENTS)
    }
    terms = replace(TRIED, overlook=1e-9, error=1e-9)
    contest = Contest(
        1, DOCUMENTS, passes(2, 4), terms, child=trials(holes), rival=replace(EQUAL, missing=20)
    )
    assert decided(contest).outcome == "dropped"
    assert decided(replace(contest, record=replace(passes(2, 4), missing=10))).outcome == "contender"


def test_hiding_failures_makes_no_claim() -> None:
    """A child that equals its parent and loses every third failure to the instrument is hardly ever kept."""

    def hiding(seed: int) -> Scoring:
        inner, lost = luck({"parent": 0.5, "child": 0.5}, seed), luck({"child": 0.5}, -seed - 1)

        def scoring(side: str, document: str, trial: int) -> Score:
            score = inner(side, document, trial)
            return None if side == "child" and not score and lost(side, document, trial) else score

        return scoring

    terms = Terms(effect=0.2, block=10, contend=None)
    found = [held(hiding(seed), terms, passes(5, 10))[0].outcome for seed in range(60)]
    assert found.count("survived") <= 1
    assert ceil(1.2 / 0.2**2) == contend_after(terms)
