"""What a diagnosis predicts of its minibatch, and how the child's rerun judges it."""

import pytest
from cases import evaluation, submission
from cases import rollout as measured

from evolve.iteration import Cause, Diagnosis, Evaluation, Exchange, Prediction, Proposal
from evolve.predictions import UNNAMED, better, checked, improved, named, predicted, taken_up
from harness.trajectory import Rollout


def cause(**claim: object) -> Cause:
    return Cause(title="easy", explanation="x", evidence=("e",), remedy="r", **claim)


def diagnosis(*causes: Cause) -> Diagnosis:
    return Diagnosis(summary="s", causes=causes)


def run(side: str, instrument: str = "i", **scores: float | None) -> Evaluation:
    rollouts = tuple(measured(name, score=score) for name, score in scores.items())
    return Evaluation("c1", 5, side, "training", instrument, rollouts)


def near(weak: float) -> Rollout:
    """A failure that was too easy, with this mean of the weak solver."""
    report = submission([]).report.model_copy(update={"weak_mean": weak})
    return measured("d", submission(["x"], report=report))


def claim(fixes: tuple[str, ...] = (), breaks: tuple[str, ...] = ()) -> Prediction:
    return Prediction("too_easy", "easy", fixes, breaks)


BEFORE = run("minibatch", a=0.0, b=0.0, c=0.0, d=1.0, e=1.0, f=None)


def test_numbers_become_documents():
    """Rollout n is the n-th of the minibatch, each named once, whatever the order in the claim."""
    found = predicted(diagnosis(cause(kind="quality", fixes=(3, 1, 1), breaks=(5,))), BEFORE)
    assert found == (Prediction("quality", "easy", ("a", "c"), ("e",)),)


def test_claims_about_nothing_are_dropped():
    """Numbers outside the minibatch, fixes of what passed or is missing, and breaks of what failed say nothing."""
    found = predicted(diagnosis(cause(fixes=(0, -1, 2, 4, 6, 7), breaks=(1, 4, 6, 99))), BEFORE)
    assert found == (Prediction("other", "easy", ("b",), ("d",)),)


def test_a_prediction_is_confirmed_when_most_of_its_fixes_get_better():
    """Two of three are enough, one of two is not, and the counts are kept."""
    after = run("rerun", a=1.0, b=0.0, c=1.0, d=1.0, e=0.0)
    most, half, _ = checked((claim(("a", "b", "c"), ("d", "e")), claim(("a", "b"))), BEFORE, after)
    assert (most.fixed, most.broken, most.outcome) == (2, 1, "confirmed")
    assert (half.fixed, half.broken, half.outcome) == (1, None, "refuted")


def test_what_is_missing_is_not_counted():
    """A document without a score in either run is neither right nor wrong; none left leaves the claim untested."""
    after = run("rerun", a=1.0, b=None, d=None, e=1.0)
    some, none, _ = checked((claim(("a", "b", "c"), ("d", "e")), claim(("b",), ("d",))), BEFORE, after)
    assert (some.fixes, some.fixed, some.breaks, some.broken) == (("a",), 1, ("e",), 0)
    assert some.outcome == "confirmed"
    assert none == claim(("b",), ("d",))


def test_the_rest_is_counted_beside_what_was_named():
    """The last row holds failures and passes that no cause named, so that luck has a rate of its own."""
    after = run("rerun", a=1.0, b=1.0, c=0.0, d=1.0, e=0.0)
    rows = checked((claim(("a",), ("d",)),), BEFORE, after)
    assert rows[-1] == Prediction("other", UNNAMED, ("b", "c"), ("e",), 1, 1)
    assert named(rows) == rows[:-1]


def test_a_cause_that_the_edit_does_not_take_on_stays_untested():
    """Its documents count with the rest: nothing was done for them."""
    after = run("rerun", a=1.0, b=1.0, c=0.0, d=1.0, e=1.0)
    first, second, rest = checked((claim(("a",)), claim(("b",))), BEFORE, after, taken={1})
    assert (first.outcome, second) == ("confirmed", claim(("b",)))
    assert (rest.fixes, rest.fixed) == (("b", "c"), 1)


def test_without_predictions_nothing_is_kept():
    """A child that no diagnosis led to has no base rate either."""
    assert checked((), BEFORE, run("rerun", a=1.0)) == ()


def test_runs_of_different_instruments_are_not_compared():
    """Scores under another instrument say nothing of a prediction."""
    with pytest.raises(ValueError, match="instruments differ: 'i' and 'j'"):
        checked((claim(("a",)),), BEFORE, run("rerun", "j", a=1.0))


def test_clearly_nearer_to_acceptance_is_better():
    """Between two failures half a stage's width counts and less does not; a lower score is never better."""
    assert better(near(0.9), near(0.4)) and not better(near(0.9), near(0.5))
    assert not better(near(0.4), near(0.9)) and not better(near(0.4), near(0.4))
    assert not better(measured("d", score=1.0), near(0.0)) and better(near(0.0), measured("d", score=1.0))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": 0.0, "b": 0.0, "c": 0.0, "d": 1.0}, False),
        ({"a": 0.0, "b": 1.0, "c": 0.0, "d": 0.0}, True),
        ({"a": None, "b": 0.0}, False),
        ({"a": None, "d": 1.0}, True),
        ({"f": 1.0}, True),
    ],
)
def test_the_screen_wants_one_failure_to_get_better(after, expected):
    """It stops a child only on evidence: failures that were compared, of which not one got better."""
    assert improved(BEFORE, run("rerun", **after)) is expected


def test_a_parent_without_failures_screens_nobody():
    """Where nothing failed, nothing can get better."""
    assert improved(run("minibatch", a=1.0), run("rerun", a=0.0))


def test_margins_count_at_the_screen():
    """A failure that comes clearly nearer to acceptance is a sign of an effect."""
    assert improved(evaluation("c3", near(0.9)), evaluation("c5", near(0.2), side="rerun"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("SUMMARY: s\nCAUSES: 1, 3\nFILE: agent.py", {1, 3}),
        ("SUMMARY: s\n**CAUSES:** 2 and 3\nWRITE: x", {2, 3}),
        ("SUMMARY: s\nCAUSES: all\nFILE: x", set()),
        ("SUMMARY: s\nWRITE: x.md\n<<<<<<< CONTENT\nCAUSES: 2\n>>>>>>> END", set()),
        ("I edit.\nFILE: as CAUSES: 9\nCAUSES: 7\nSUMMARY: s\nCAUSES: 2\n", {2}),
        ("SUMMARY: it removes CAUSES: 2", set()),
    ],
)
def test_the_reply_says_which_causes_it_takes_on(said, expected):
    """The last line before the edits counts, of the implementer's last reply; without it every cause does."""
    exchanges = (
        Exchange("implementer", "k", "p", "CAUSES: 4", "does not apply"),
        Exchange("implementer", "k", "p", said),
        Exchange("analyzer", "k", "p", "CAUSES: 5"),
    )
    assert taken_up(Proposal("proposed", "", "s", None, exchanges)) == expected


def test_a_proposal_without_exchanges_takes_on_every_cause():
    """An edit that no model wrote says nothing about causes."""
    assert taken_up(Proposal("proposed", "", "s", None, ())) == frozenset()
