"""Refuted ideas, lessons, and how often predictions come true."""

from dataclasses import replace

import pytest

from evolve.ideas import HitRates, hit_rates, ideas, ideas_text, lessons, rates_text, refuted
from evolve.iteration import Iteration, Outcome, Prediction
from evolve.predictions import UNNAMED


def claim(title: str, fixed: int | None, of: int = 2, **more: object) -> Prediction:
    """A prediction of `of` fixes of which so many came true."""
    outcome = "untested" if fixed is None else "confirmed" if 2 * fixed > of else "refuted"
    made = Prediction("too_easy", title, tuple("abcdefgh"[:of]), (), fixed, None, outcome)
    return replace(made, **more)


def iteration(number: int, outcome: Outcome, *claims: Prediction, **more: object) -> Iteration:
    return Iteration(number, outcome, "", "c0", 0, summary=f"change {number}", predictions=claims, **more)


def rest(fixed: int | None, of: int, broken: int | None = None, passes: int = 0) -> Prediction:
    return Prediction("other", UNNAMED, ("x",) * of, ("y",) * passes, fixed, broken)


def titles(found: object) -> list[str]:
    return [one.title for one in found]


def test_a_confirmed_prediction_of_a_survivor_is_a_lesson():
    """Both have to hold; either alone leaves the idea refuted."""
    known = ideas(
        [
            iteration(1, "survived", claim("asks for several steps", 2)),
            iteration(2, "dropped", claim("forbids general knowledge", 2)),
            iteration(3, "survived", claim("format stated loosely", 0)),
        ]
    )
    assert titles(lessons(known)) == ["asks for several steps"]
    assert titles(refuted(known)) == ["format stated loosely", "forbids general knowledge"]


def test_a_contender_was_kept():
    """Its prediction that came true is a lesson, one that did not is refuted, and the text says what became of it."""
    ahead = iteration(1, "contender", claim("asks for several steps", 2), claim("format stated loosely", 0))
    known = ideas([ahead, iteration(2, "contender"), iteration(3, "contender", claim("x", None, of=0))])
    assert titles(lessons(known)) == ["asks for several steps"]
    assert titles(refuted(known)) == ["format stated loosely"]
    assert "the child was kept" in ideas_text(known) and "dropped" not in ideas_text(known)


@pytest.mark.parametrize(
    ("outcome", "made"),
    [("survived", claim("x", None)), ("dropped", claim("x", None)), ("survived", claim("x", None, of=0))],
)
def test_what_was_not_tested_is_neither(outcome, made):
    """A cause that the edit did not take on, or that predicted nothing of a survivor, is no evidence."""
    assert ideas([iteration(1, outcome, made)]) == ()


@pytest.mark.parametrize("outcome", ["no_change", "out_of_scope", "broken", "no_proposal", "baseline"])
def test_what_was_not_measured_refutes_nothing(outcome):
    """An edit that did not start says nothing of its idea."""
    assert ideas([iteration(1, outcome, claim("x", None, of=0))]) == ()


def test_a_dropped_child_refutes_a_cause_that_predicted_nothing():
    """Where nothing was named, the contest alone judges."""
    (one,) = ideas([iteration(1, "dropped", claim("x", None, of=0))])
    assert one.tries[0].why == "nothing was predicted; the child was dropped"


def test_a_dropped_change_without_a_diagnosis_is_an_idea():
    """Where no cause was named, the change itself is refuted; a random edit of the control arm is nobody's idea."""
    known = ideas([iteration(1, "dropped"), iteration(2, "dropped", arm="random"), iteration(3, "survived")])
    assert titles(known) == ["change 1"]


def test_like_titles_are_one_idea_with_all_its_tries():
    """Other endings and small words make no new idea; the newest title stands, and the tries are counted."""
    known = ideas(
        [
            iteration(1, "dropped", claim("The question is general knowledge", 0)),
            iteration(2, "survived", claim("One step is enough", 0)),
            iteration(
                4,
                "survived",
                claim("Questions ask for general knowledge!", 2),
                claim("a question of general knowledge", 0),
            ),
        ]
    )
    assert titles(known) == ["Questions ask for general knowledge!", "One step is enough"]
    assert [(one.iteration, one.upheld) for one in known[0].tries] == [(4, True), (1, False)]
    assert lessons(known) == known[:1]


def test_titles_without_words_are_not_all_alike():
    """Only equal sets of words are alike where there is nothing else to go by."""
    assert (
        len(ideas([iteration(1, "dropped", claim("Weights", 0)), iteration(2, "dropped", claim("??", 0))]))
        == 2
    )


def test_the_text_tells_tries_counts_and_the_reason():
    """A reader sees on how much a refutation rests, what was done, and the figures of the decision."""
    one = replace(
        iteration(7, "dropped", claim("x y\nz", 0, of=3)), reason="difference -0.031 on 40 documents"
    )
    assert ideas_text(ideas([one])) == (
        "- x y z (too_easy): 1 try, upheld 0, refuted 1 (iteration 7). Edit: change 7. "
        "Last result: 0 of 3 failures named got better; "
        "the child was dropped (difference -0.031 on 40 documents)."
    )


def test_a_long_list_is_cut_with_its_count():
    """The latest ideas are told, and how many are not."""
    known = ideas(
        [iteration(n, "dropped", claim(f"word{n:03d} idea{n:03d}"[::-1], 0)) for n in range(1, 101)]
    )
    text = ideas_text(known, 1000)
    assert len(known) == 100 and len(text) < 1100
    assert text.startswith("- 001aedi") and text.endswith("older ones are left out here.")


def rates(*iterations: Iteration) -> HitRates:
    return hit_rates(iterations)


def test_rates_stand_beside_the_rate_of_what_nobody_named():
    """Counts by kind, in all, and of unnamed failures and passes in the same reruns."""
    found = rates(
        iteration(1, "dropped", claim("a", 2, of=3), claim("b", 0, of=1, kind="quality"), rest(1, 4, 0, 5)),
        iteration(2, "survived", claim("c", 1, of=1, breaks=("y", "z"), broken=1), rest(0, 2, 1, 4)),
    )
    assert (found.kinds["too_easy"].fixes.value, found.kinds["too_easy"].fixes.trials) == (0.75, 4)
    assert (found.kinds["quality"].fixes.value, found.all.fixes.trials) == (0.0, 5)
    assert (found.unnamed.fixes.trials, found.unnamed.fixes.value) == (6, pytest.approx(1 / 6))
    assert (found.all.breaks.trials, found.unnamed.breaks.trials, found.unnamed.breaks.value) == (2, 4, 0.25)
    assert set(found.kinds) == {"too_easy", "quality"}


def test_only_reruns_with_a_checked_claim_count_for_the_base_rate():
    """Where nothing was named, nothing is compared with the rest."""
    found = rates(iteration(1, "dropped", claim("a", None, of=0), rest(3, 3)))
    assert found.unnamed.fixes.trials == 0 and rates_text(found) == "No prediction has been checked yet."


def test_the_rates_as_text():
    """Counts, share and interval for each kind, for all, and for comparison."""
    text = rates_text(
        rates(iteration(1, "dropped", claim("a", 1, of=4, breaks=("y",), broken=0), rest(1, 2, 0, 3)))
    )
    assert "- too_easy: 1 of 4, 0.25 [0.05, 0.70]" in text and "- all kinds: 1 of 4" in text
    assert "that no cause named: 1 of 2, 0.50 [0.09, 0.91]" in text
    assert "failed afterwards: 0 of 1" in text and "no cause named: 0 of 3" in text
