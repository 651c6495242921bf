"""What a task was put through besides its attempts, as the analyzer reads it and as `evolve show --trace` prints it."""

from io import StringIO

from cases import attempt, submission
from rich.console import Console, Group

from evolve.report.detail import trajectory
from evolve.transcript import rollout_text
from harness.trajectory import (
    Attempt,
    Confirmation,
    Example,
    Extraction,
    Opinion,
    Posterior,
    Proof,
    Rollout,
    Step,
    Verdict,
)

POSTERIOR = Posterior(gap=0.31, low=0.12, high=0.5, above=0.87, required=0.2, weak=4, strong=4)
OPINION = Opinion(
    weak_pattern="W1 and W3 miss the deadline",
    strong_pattern="S2 applies the exception",
    gap_interpretation="fertile ground",
    rubric_concerns="none",
    suitability="high",
    verdict="improve",
    cited=("W1", "S2"),
    reason="the gap rests on one criterion",
    suggestion="ask for the remedy as well",
    overrides=("question_long",),
    packet="the packet",
)
CONFIRMED = Confirmation(
    weak=(attempt("weak", 200, "fresh weak words", (0,)),),
    strong=(attempt("strong", 300, "fresh strong words", range(7)),),
    posterior=POSTERIOR,
    verdict=Verdict(accepted=False, reasons=("gap_unclear",)),
)
PROOFS = (
    Proof(check="reference", passed=True, score=0.95, detail="0.95"),
    Proof(check="null_answers", passed=False, reason="null_high", score=0.6, detail="keywords score 0.60"),
)
SCRUTINISED = submission(
    ["weak words"],
    ["strong words"],
    "unconfirmed",
    posterior=POSTERIOR,
    missing=("weak: cut_off",),
    opinion=OPINION,
    proofs=PROOFS,
    confirmation=CONFIRMED,
)


def rollout(*steps: Step) -> Rollout:
    """A rollout with notes on its document."""
    notes = Extraction(suitable=True, note="", facts={"holdings": ["a promise binds"]})
    return Rollout(
        document="d", name="n", outcome="exhausted", score=0.0, extraction=notes, steps=steps, submissions=1
    )


def shown(one: Rollout) -> str:
    """The rollout as it is printed, on one line."""
    console = Console(file=StringIO(), width=400, color_system=None)
    console.print(Group(trajectory(one)))
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def test_the_analyzer_reads_what_decided() -> None:
    """Notes on the document, the loop judge, failed checks and fresh attempts stand in the text; passed checks do not."""
    text = rollout_text("0123", rollout(SCRUTINISED), 1, 40_000)
    for words in (
        "a promise binds",
        "verdict improve, suitability high",
        "suggestion: ask for the remedy as well",
        "failed check null_answers: null_high",
        "keywords score 0.60",
        "gap 0.31 [0.12, 0.50], 87% likely to be at least 0.20",
    ):
        assert words in text
    assert "failed check reference" not in text


def test_a_trace_shows_everything() -> None:
    """Also what passed, what was made again, and what overruled the judge."""
    text = shown(rollout(SCRUTINISED))
    for words in (
        "attempts that were made again weak: cut_off",
        "the gap after these attempts 0.31 [0.12, 0.50] from 4 weak and 4 strong attempts",
        "loop judge: improve, overruled by question_long",
        "check reference: passed, score 0.95",
        "check null answers: null_high, score 0.60",
        "fresh attempts weak 0.10; strong 0.70",
        "refused: gap_unclear",
    ):
        assert words in text, words


def test_answers_that_are_compared_show_what_decided() -> None:
    """A task without a rubric shows its kind, and each attempt the answer that was compared."""
    task = Example(question_type="a root", question="Which x?", reference_answer="2/3", answer_kind="number")
    tried = Attempt(
        solver="weak", number=0, answer="It is 2/3.", score=1.0, final="2/3", how="text", calls=("k",)
    )
    step = submission([], example=task, verification=None, weak=(tried,))
    text = rollout_text("0123", rollout(step), 1, 40_000)
    assert "answer number" in text and "score 1.00, answer '2/3', text" in text
    assert "rubric" not in text and "context" not in text
    assert "answer of kind number" in shown(rollout(step))
    assert "score 1.00, answer '2/3' by text" in shown(rollout(step))


def test_a_passage_is_shown() -> None:
    """What only the strong solver was given is part of the task."""
    task = Example(question_type="fact", question="Who?", reference_answer="Ada", passage="Ada wrote it.")
    step = submission([], example=task, verification=None)
    assert "Ada wrote it." in rollout_text("0123", rollout(step), 1, 40_000)
    assert "Passage: Ada wrote it." in shown(rollout(step))
