"""The loop judge: what it is shown, which answers are readable, and that code has the last word."""

import json

import pytest
from fakes import DOCUMENT
from legal_tasks import QUESTION, asked_with, case, rolled, scripted, verdict
from rollouts import submits

from harness.loop_judge import LoopVerdict, advice, cited, read
from harness.parsing import Malformed
from harness.trajectory import Rollout

THERE = ("W1", "W2", "W3", "W4", "W5", "S1", "S2", "S3")


def judged(said: str) -> Rollout:
    return rolled(scripted(loop_judge=said), submits(case()))


def test_it_is_shown_what_was_measured() -> None:
    """Message, reference, packet and every answer under its label, between boundary lines; the source is not shown."""
    models = scripted()
    rolled(models, submits(case()))
    (request,) = asked_with(models, LoopVerdict)
    prompt = request.messages[0].content
    for part in (
        QUESTION,
        "Demand it back",
        "Weak 0.29, strong 0.71, gap +0.43.",
        "### W5, score",
        "### S3, score",
    ):
        assert part in prompt
    assert DOCUMENT.text not in prompt and prompt.count("a weak answer") == 5
    assert request.role == "verifier"


def test_it_sees_the_earlier_verdicts() -> None:
    """In a later round the packet lists what was said before, with the totals of the earlier rubric."""
    models = scripted(loop_judge=verdict(verdict="improve", suggestion="Sharpen claim 2."))
    rolled(models, submits(case(), case(question="My tenant keeps the keys. What now?")))
    _, second = asked_with(models, LoopVerdict)
    assert (
        "1. improve (judge_improve); weak 0.29, strong 0.71; 15 criteria, 70 points to be earned, 1 negative. Said: "
        "Sharpen claim 2." in second.messages[0].content
    )


@pytest.mark.parametrize(
    "quiet", [{"strong_pattern": "better"}, {"weak_pattern": "poor", "gap_interpretation": "ground"}]
)
def test_an_accept_cites_an_attempt_of_each_solver(quiet: dict[str, str]) -> None:
    """Without one it is drawn again, four times in all, and then the document has no score."""
    models = scripted(loop_judge=verdict(**quiet))
    done = rolled(models, submits(case()))
    assert (done.outcome, done.score) == ("missing", None)
    assert "cites at least one weak and one strong attempt" in done.detail
    assert len(asked_with(models, LoopVerdict)) == 4


def test_labels_that_do_not_exist_are_no_evidence() -> None:
    """W6 and S4 were never made; citing them alone is citing nothing."""
    invented = verdict(weak_pattern="W6 fails.", strong_pattern="S4 wins.", gap_interpretation="See W9.")
    with pytest.raises(Malformed, match="W1, W2, W3, W4, W5, S1, S2, S3"):
        read(invented, THERE)
    found = read(verdict(weak_pattern="W6 and W2 fail.", gap_interpretation="fertile ground"), THERE)
    assert cited(found, THERE) == ("W2", "S2")


def test_an_improve_needs_no_evidence() -> None:
    """The careful verdict is readable without a label."""
    bare = verdict(verdict="improve", weak_pattern="", strong_pattern="", gap_interpretation="unsure")
    assert cited(read(bare, THERE), THERE) == ()
    assert judged(bare).outcome == "stopped"


@pytest.mark.parametrize(
    "nonsense",
    ["accept", "{}", verdict(verdict="Accept"), verdict(grpo_suitability="very high"), verdict(score=1), ""],
)
def test_nonsense_is_missing_data(nonsense: str) -> None:
    """An unreadable verdict is never a verdict: no score, no accepted case, and no refinement on it."""
    done = judged(nonsense)
    assert (done.outcome, done.score, done.example) == ("missing", None, None)


def test_one_bad_draw_is_drawn_again() -> None:
    """A second, readable answer counts."""
    said = iter(["I think it is fine.", verdict()])
    models = scripted(loop_judge=lambda request: next(said))
    assert rolled(models, submits(case())).outcome == "accepted"


def test_low_suitability_contradicts_an_accept() -> None:
    """Code makes it an improve and names why; with medium it stands."""
    done = judged(verdict(grpo_suitability="low"))
    (step,) = done.steps
    assert step.opinion is not None and step.opinion.verdict == "accept" and not step.opinion.accepted
    assert step.report is not None and (step.report.stage, step.report.reasons) == (
        "improve",
        ("suitability_low",),
    )
    assert judged(verdict(grpo_suitability="medium")).outcome == "accepted"
    plain = judged(verdict(grpo_suitability="low", verdict="improve")).steps[0]
    assert plain.report is not None and plain.report.reasons == ("judge_improve",)


def test_advice_begins_with_the_reason_and_ends_with_the_packet() -> None:
    """Words first, then what was measured under a heading of its own."""
    opinion = judged(verdict(verdict="improve")).steps[0].opinion
    assert opinion is not None
    told = advice(opinion)
    assert told.startswith("The gap is one of reasoning. Keep it.\n\nWeak attempts: W1 and W3 stop")
    assert told.endswith(f"# Diagnostic packet\n\n{opinion.packet}")


def test_what_it_returns_is_what_the_prompt_asks_for() -> None:
    """The form has the eight fields and no more."""
    assert set(json.loads(verdict())) == set(LoopVerdict.model_fields)
