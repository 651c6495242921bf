"""The diagnostic packet: every number in it follows from the attempts, and its flags point to the right criteria."""

from collections.abc import Sequence

import pytest
from legal_tasks import case, row

from harness.domains.legal import read
from harness.packet import flags, labels, packet
from harness.trajectory import Attempt, Opinion, Report, Solver, Step

WEAK = ((1, 1, 0, 0, 0), (1, 0, 0, 0, 1), (1, 1, 0, 0, 0), (1, 0, 0, 0, 0), (1, 1, 0, 0, 0))
STRONG = ((1, 0, 1, 0, 1), (1, 0, 1, 0, 0), (1, 0, 0, 0, 0))


def attempt(solver: Solver, number: int, met: Sequence[int], score: float) -> Attempt:
    """An attempt that met these: 1 or 0 for criteria 1 to 4 and for the negative one, the last; all others not."""
    hits = (*map(bool, met[:4]), *[False] * 10, bool(met[4]))
    return Attempt(solver=solver, number=number, answer=f"{solver} answer {number}", hits=hits, score=score)


def step(
    weak: Sequence[Sequence[int]] = WEAK, strong: Sequence[Sequence[int]] = STRONG, **changes: object
) -> Step:
    """A measured submission; scores are 5 points a criterion of 70, 5 off for the negative one."""
    made = {
        name: tuple(
            attempt(name, n, met, max(0, 5 * sum(met[:4]) - 5 * met[4]) / 70)  # type: ignore[arg-type]
            for n, met in enumerate(side)
        )
        for name, side in (("weak", weak), ("strong", strong))
    }
    return Step(kind="submit", ordinal=3, example=read(case(**changes)), **made)  # type: ignore[arg-type]


def test_means_and_sizes_stand_at_the_top() -> None:
    """Weak, strong, gap, valid attempts, length of the question, totals of the rubric."""
    head = packet(step(), ()).split("\n\n")[0].split("\n")
    assert head[0] == "Weak 0.10, strong 0.10, gap -0.00."
    assert head[1] == "Valid attempts: 5 weak, 3 strong."
    assert head[2].endswith("characters. 15 criteria, 70 points to be earned, 1 negative.")


def test_what_was_missing_is_told() -> None:
    """Attempts that had to be made again are named with their cause."""
    redone = step().model_copy(update={"missing": ("weak: cut_off",)})
    assert "Missing and made again: weak: cut_off." in packet(redone)


def test_attempts_are_labelled_in_order() -> None:
    """W1 to W5 and S1 to S3, each with its score and what it met, negatives apart."""
    assert labels(step()) == ("W1", "W2", "W3", "W4", "W5", "S1", "S2", "S3")
    text = packet(step())
    assert "| W1 | 0.14 | 1, 2 | none |\n| W2 | 0.00 | 1 | 15 |" in text
    assert "| S1 | 0.07 | 1, 3 | 15 |" in text


def test_criteria_show_who_met_them() -> None:
    """Weight, class, capability and hits of both solvers; a bar in a criterion does not break the table."""
    rubric = [row(1, criterion="Says a | b.\nAnd more."), *case()["rubric"][1:]]
    text = packet(step(rubric=rubric))
    assert "| 1 | +5 substantial | applying rules | 5/5 | 3/3 | Says a / b. And more. |" in text
    assert "| 15 | -5 error | applying rules | 1/5 | 1/3 | Says that claim 15 follows. |" in text


def test_capabilities_are_sorted_by_the_weak_score() -> None:
    """The weakest first, with scores on its own criteria; a capability without criteria comes last and is flagged."""
    text = packet(step())
    table = text.partition("## Capabilities")[2].partition("## Flags")[0]
    rows = [line for line in table.split("\n") if line.startswith("| ")][1:]
    assert [line.split(" | ")[0] for line in rows] == [
        "| weighing duties",
        "| applying rules",
        "| plain words",
    ]
    assert rows[0] == "| weighing duties | primary | 7 | 0.09 | 0.00 |"  # criterion 2 of seven, met by 3 of 5
    assert rows[2] == "| plain words | secondary | 0 | none | none |"
    assert "- untested_capability: plain words" in text


def test_flags_name_their_criteria() -> None:
    """Met by nobody, by everybody, by weak ones alone, and a negative one that fires on a strong answer."""
    found = flags(step(), ())
    assert "- nobody_met (met by no attempt): 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14" in found
    assert "- everybody_met (met by every attempt): 1" in found
    assert "- weak_only (met by weak attempts and by no strong one): 2" in found
    assert "- negative_on_strong (negative, and met by strong attempts): 15" in found
    assert not any("weak_above_strong" in one for one in found)


def test_weak_above_strong_compares_rates() -> None:
    """Five attempts against three: 4 of 5 is more than 2 of 3, 2 of 5 is less."""
    weak = ((1, 1, 0, 0, 0),) * 2 + ((1, 0, 0, 0, 0),) * 2 + ((0, 0, 0, 0, 0),)
    strong = ((1, 1, 1, 0, 0),) * 2 + ((0, 0, 1, 0, 0),)
    assert "- weak_above_strong (met more often by weak attempts): 1" in flags(step(weak, strong), ())


def test_flags_of_the_whole() -> None:
    """A long question, a gap the wrong way, and strong attempts that hardly score."""
    found = flags(step(strong=((0, 0, 0, 0, 0),) * 3, question="x" * 950), ())
    assert "- negative_gap: the weak attempts did better" in found
    assert "- strong_low: 0.00, below 0.30" in found
    assert "- long_question: 950 characters" in found
    assert any(one.startswith("- strong_high: 1.00") for one in flags(step(strong=perfect()), ()))


def perfect() -> tuple[tuple[int, ...], ...]:
    """Three strong attempts whose score comes out as 1."""
    return ((14, 0, 0, 0, 0),) * 3


def before(stage: str, **changes: object) -> Step:
    """An earlier submission that ended there."""
    told = Report.model_validate(
        {
            "accepted": False,
            "stage": stage,
            "reasons": ("judge_improve",),
            "feedback": "f",
            "weak_mean": 0.2,
            "strong_mean": 0.3,
        }
    )
    return step().model_copy(update={"report": told} | changes)


def test_earlier_verdicts_are_listed_with_their_rubrics() -> None:
    """Each earlier submission in one row with stage, means, totals and what was said; asks are left out."""
    said = Opinion.model_validate(
        dict.fromkeys(
            ("weak_pattern", "strong_pattern", "gap_interpretation", "rubric_concerns", "reason", "packet"),
            "x",
        )
        | {"suitability": "low", "verdict": "improve", "cited": (), "suggestion": "Sharpen it."}
    )
    earlier = (
        Step(kind="ask", ordinal=0),
        before("improve", opinion=said),
        before("malformed", example=None),
    )
    text = packet(step(), earlier)
    listed = text.partition("## Earlier verdicts\n\n")[2].split("\n")
    assert listed[0] == (
        "1. improve (judge_improve); weak 0.20, strong 0.30; 15 criteria, 70 points to be earned, 1 negative. "
        "Said: Sharpen it."
    )
    assert listed[1] == "2. malformed (judge_improve); weak 0.20, strong 0.30; unreadable. Said: f"
    assert packet(step()).endswith("## Earlier verdicts\n\nnone")


def test_a_rubric_that_shrinks_is_flagged() -> None:
    """Less than nine tenths of the points of the case before is a flag; as many are none."""
    rubric = [row(n, weight_class="decisive", weight=8) for n in range(1, 15)] + [case()["rubric"][14]]
    larger = before("improve", example=read(case(rubric=rubric)))
    assert "- smaller_rubric: 70 points, 112 before" in flags(step(), (larger,))
    assert not any("smaller_rubric" in one for one in flags(step(), (before("improve"),)))


@pytest.mark.parametrize("lacking", ["weak", "strong", "example"])
def test_nothing_is_diagnosed_without_attempts(lacking: str) -> None:
    """A missing measurement is refused, not shown as a zero."""
    bare = step().model_copy(update={lacking: None if lacking == "example" else ()})
    with pytest.raises(ValueError, match="attempts of both solvers"):
        packet(bare)
