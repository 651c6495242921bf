"""The failure mix of the first documents, and the one sentence that follows from it."""

import pytest

from harness.advice import FIRST, REMEDIES, Mix, advice
from harness.trajectory import Outcome, Report, Rollout, Stage, Step, score_of


def rollout(outcome: Outcome, *ended: tuple[Stage, tuple[str, ...]]) -> Rollout:
    """A rollout whose submissions ended at these stages for these reasons."""
    steps = [
        Step(
            kind="submit",
            ordinal=number,
            report=Report(accepted=stage == "accepted", stage=stage, reasons=reasons, feedback=""),
        )
        for number, (stage, reasons) in enumerate(ended)
    ]
    return Rollout(document="d", name="n", outcome=outcome, score=score_of(outcome), steps=tuple(steps))


def mixed(*rollouts: Rollout) -> Mix:
    """The mix of rollouts, repeated until there are enough."""
    mix = Mix()
    for number in range(FIRST):
        mix.add(rollouts[number % len(rollouts)])
    return mix


def test_nothing_is_said_before_twenty_documents() -> None:
    """Nineteen documents give no advice, the twentieth does."""
    mix = Mix()
    for _ in range(FIRST - 1):
        mix.add(rollout("exhausted", ("too_easy", ("weak_mean_high",))))
    assert advice(mix) == ""
    mix.add(rollout("missing"))
    assert "after 20 documents: 0 accepted; of 20 failed rounds 95% too easy, 5% invalid." in advice(mix)


def test_what_comes_later_changes_nothing() -> None:
    """The advice is about the first twenty documents."""
    mix = mixed(rollout("exhausted", ("too_easy", ())))
    before = advice(mix)
    mix.add(rollout("accepted", ("accepted", ())))
    assert advice(mix) == before


@pytest.mark.parametrize(
    ("outcome", "ended", "cause"),
    [
        ("exhausted", ("too_easy", ("weak_best_high",)), "too_easy"),
        ("exhausted", ("failed_on_strong", ("strong_mean_low", "gap_small")), "strong_low"),
        ("exhausted", ("failed_on_strong", ("strong_mean_high",)), "strong_high"),
        ("exhausted", ("failed_on_strong", ("gap_small",)), "gap"),
        ("exhausted", ("quality", ("leak",)), "quality"),
        ("exhausted", ("malformed", ("malformed",)), "invalid"),
        ("exhausted", ("improve", ("judge_improve",)), "improve"),
        ("exhausted", ("unproven", ("reference_low",)), "unproven"),
        ("exhausted", ("unconfirmed", ("gap_unconfirmed",)), "unconfirmed"),
    ],
)
def test_the_commonest_failure_decides(
    outcome: Outcome, ended: tuple[Stage, tuple[str, ...]], cause: str
) -> None:
    """Each kind of failure has its own remedy."""
    assert advice(mixed(rollout(outcome, ended))).endswith(REMEDIES[cause])


def test_documents_and_silence() -> None:
    """Unsuitable documents, lost measurements and scaffolds that submit nothing are told apart."""
    assert "20 not suitable" in advice(mixed(rollout("doc_not_suitable")))
    assert advice(mixed(rollout("doc_not_suitable"))).endswith(REMEDIES["unsuitable"])
    assert advice(mixed(rollout("missing"))).endswith(REMEDIES["invalid"])
    assert advice(mixed(rollout("crashed"))).endswith(REMEDIES["none"])


def test_success_needs_no_change() -> None:
    """Where half of the suitable documents are accepted nothing needs to change, whatever failed on the way."""
    good = rollout("accepted", ("too_easy", ()), ("too_easy", ()), ("accepted", ()))
    assert "nothing needs to change" in advice(mixed(good, rollout("exhausted", ("too_easy", ()))))
