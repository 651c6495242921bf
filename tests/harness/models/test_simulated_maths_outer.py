"""The simulated analyzer and implementer on maths scaffolds."""

import json
import random
from collections import Counter

import pytest
from cases import ask, case
from cases import rollout as minibatch_rollout
from maths_play import DOCUMENT, FILES, PROMPTS, challenge, drawn, slips_of, task

from evolve.analyzer import analyzer_prompt
from evolve.edits import apply_edits, parse_edits
from evolve.implementer import implementer_prompt
from evolve.iteration import Cause, Diagnosis
from harness.answers import final_answer
from harness.models.simulated import analyzer, implementer, maths, maths_reading, maths_wording, wording
from harness.parsing import Malformed, parse
from harness.prompting import render
from harness.trajectory import Attempt, Report, Solver, Stage, Step, Verification


def exchange(weak: str, stage: Stage, strong: str = "", reasons: tuple[str, ...] = ()) -> Step:
    """A submission of a sound problem that ended at that stage."""

    def attempts(solver: Solver, text: str, score: float) -> tuple[Attempt, ...]:
        return tuple(
            Attempt(
                solver=solver, number=n, answer=text, score=score, final=final_answer(text), how="numeric"
            )
            for n in range(4 if text else 0)
        )

    return Step(
        kind="submit",
        ordinal=1,
        example=task(drawn(5)[0]),
        verification=Verification(
            passed=not reasons,
            leak=False,
            quality="GOOD",
            positives=0,
            negatives=0,
            reasons=reasons,
            feedback="",
        ),
        weak=attempts("weak", weak, 1.0 if stage == "too_easy" else 0.0),
        strong=attempts("strong", strong, 0.0),
        report=Report(accepted=False, stage=stage, reasons=reasons, feedback=""),
    )


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (exchange("This takes only one routine step.\nAnswer: 1/2", "too_easy"), "shallow"),
        (exchange("This is a standard exercise.\nAnswer: 1/2", "too_easy"), "stock"),
        (exchange("Answer: 1", "failed_on_strong", "So be it.\nAnswer: 2"), "wrong"),
        (
            exchange("Answer: 1", "failed_on_strong", "The problem does not say what $k$ is.\nAnswer: 2"),
            "ambiguous",
        ),
        (exchange("", "quality", reasons=("bare_integer",)), "guessable"),
        (exchange("", "quality", reasons=("kind",)), "form"),
    ],
)
def test_the_analyzer_reads_maths_exchanges(step: Step, cause: str) -> None:
    """The simulated analyzer names the cause that the answers or the verifier's reasons betray, most of the time."""
    prompt = analyzer_prompt(case(minibatch_rollout("d", ask(), step), files=FILES))
    assert maths.recognises("analyzer", prompt)
    found: Counter[str] = Counter()
    for seed in range(60):
        try:
            first = parse(maths.reply("analyzer", prompt, random.Random(seed)), Diagnosis).causes[0].title
        except Malformed:
            continue
        found.update(key for key, titles in maths_wording.TITLES.items() if first in titles)
    assert found.most_common(1)[0][0] == cause and found[cause] >= 40


@pytest.mark.parametrize("key", maths_wording.CAUSES)
def test_the_implementer_s_remedies_work(key: str) -> None:
    """What the simulated implementer writes against a cause is understood by the simulated challenger, mostly."""
    diagnosis = Diagnosis(
        summary="It fails.",
        causes=(
            Cause(
                title=maths_wording.TITLES[key][0],
                explanation=".",
                evidence=("r",),
                remedy=maths_wording.LACKS[key][0],
            ),
        ),
    )
    prompt = implementer_prompt(case(files=FILES), diagnosis)
    slip: maths_reading.MathsSlip = "format" if key == "form" else key  # type: ignore[assignment]
    before = slips_of(challenge())[slip]
    better = tried = 0
    for seed in range(60):
        text = maths.reply("implementer", prompt, random.Random(seed))
        try:
            new = apply_edits(FILES, parse_edits(text))["prompts/challenger.md"]
        except ValueError:
            continue
        tried += 1
        values = {
            "name": "a",
            "document": DOCUMENT.text,
            "angle": "any",
            "request": PROMPTS["first_round.md"],
        }
        better += slips_of(render(new, **values))[slip] < 0.8 * before
    assert tried > 35 and better > 0.5 * tried


@pytest.mark.parametrize("key", maths_wording.CAUSES)
def test_summaries_and_titles_speak_of_their_cause(key: str) -> None:
    """The implementer finds the cause in a title or a remedy, and the history's summaries name it again."""
    words = maths_wording.WORDS
    for text in (*maths_wording.SUMMARIES[key], *maths_wording.TITLES[key]):
        assert key in wording.topics(text, words) or key in wording.topics(
            text + maths_wording.LACKS[key][0], words
        )


def test_the_outer_roles_of_other_worlds_are_as_they_were() -> None:
    """Without the maths files the usual analyzer and implementer answer."""
    prompt = analyzer_prompt(
        case(minibatch_rollout("d", ask()), files={"prompts/challenger.md": "Write a rubric."})
    )
    assert not maths.recognises("analyzer", prompt)
    assert json.loads(analyzer.reply(prompt, random.Random(1)).strip("`json\n"))["causes"]
    assert implementer.reply(prompt, random.Random(1))
