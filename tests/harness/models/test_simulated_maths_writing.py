"""The simulated maths challenger and verifier: slips that follow from what a prompt says, and what is seen of them."""

from collections import Counter

import pytest
from maths_play import DOCUMENT, REMEDIES, challenge, drawn, exactly, slips_of, task, written
from simulated_play import say

from harness.domains import AnswerChecks
from harness.domains.math import DOMAIN, problems
from harness.models.simulated import maths, maths_language, maths_reading
from harness.models.simulated.maths_notation import plain
from harness.parsing import Malformed, parse
from harness.place import Subject
from harness.trajectory import Example
from harness.verifier import filled


@pytest.mark.parametrize("slip", maths_reading.SLIPS)
def test_a_remedy_reduces_its_slip(slip: maths_reading.MathsSlip) -> None:
    """An instruction against a slip makes it rarer than it was, and most others stay as likely."""
    before, after = slips_of(challenge()), slips_of(challenge(REMEDIES[slip]))
    assert after[slip] < 0.75 * before[slip]
    assert sum(after[one] < 0.6 * before[one] for one in maths_reading.SLIPS if one != slip) <= 2


@pytest.mark.parametrize(
    "sentence", ["Take a deep breath before you begin.", "Use British spelling.", "The angle matters most."]
)
def test_idle_talk_changes_nothing(sentence: str) -> None:
    """Sentences without a remedy leave every slip as likely as it was."""
    assert slips_of(challenge(sentence)) == slips_of(challenge())


@pytest.mark.parametrize(
    ("sentence", "slip"),
    [
        ("It does not matter whether every symbol is given in the question.", "ambiguous"),
        ("You may leave constants open, and it is fine if the answer is a rounded number.", "guessable"),
        ("Keep the problem easy: a beginner should find the answer quickly.", "shallow"),
    ],
)
def test_shrugging_at_a_remedy_makes_it_worse(sentence: str, slip: maths_reading.MathsSlip) -> None:
    """A prompt that waves a fault through gets more of it."""
    assert slips_of(challenge(sentence))[slip] > slips_of(challenge())[slip]


def test_the_document_counts_for_nothing() -> None:
    """Instructions inside the document and inside listed failures are not taken as instructions."""
    noisy = challenge().replace(DOCUMENT.text, DOCUMENT.text + "\n".join(REMEDIES.values()))
    assert slips_of(noisy) == slips_of(challenge())


def faults(prompt: str, count: int = 150) -> float:
    """Share of replies that are no good task: unreadable, of bad form, too short a chain, or with another answer."""
    good = 0
    for example in written(prompt, count):
        problem = maths_language.read(example.question)
        good += (
            problem is not None
            and not problem.symbol
            and not example.context
            and not problems(example)
            and problem.steps >= 3
            and problem.kind == example.answer_kind
            and example.reference_answer.strip("$") == plain(exactly(problem))
        )
    return 1 - good / count


def test_a_better_prompt_gets_better_problems() -> None:
    """With all remedies together most problems are sound and deep, without them most are not."""
    assert faults(challenge()) > 0.5 > 0.3 > faults(challenge(*REMEDIES.values()))


def test_problems_are_flavoured_by_the_document() -> None:
    """What the document is about stands in every problem."""
    found = written(challenge(), 60)
    assert len(found) > 30 and all("inverse cotangent" in one.question for one in found)


def checked(example: Example, count: int = 60) -> Counter[str]:
    """What the simulated verifier finds, over many draws."""
    prompt = filled(DOMAIN.prompt("verifier.md"), Subject(DOCUMENT, example))
    found: Counter[str] = Counter()
    for seed in range(count):
        try:
            checks = parse(say("verifier", prompt, seed), AnswerChecks)
        except Malformed:
            continue
        found.update(
            ["leak"] * checks.leak
            + [checks.quality] * (checks.quality != "GOOD")
            + ["several"] * (not checks.single_answer)
            + ["kind"] * (not checks.kind_fits)
            or ["good"]
        )
    return found


def test_the_verifier_passes_a_good_problem() -> None:
    """It objects to a sound problem now and then only."""
    assert checked(task(drawn(5)[0]))["good"] >= 48


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"context": f"A colleague has found that the result is ${plain(exactly(drawn(5)[0]))}$."}, "leak"),
        ({"question": f"{task(drawn(5)[0]).question} And what is $1 + 1$?"}, "several"),
        ({"answer_kind": "equation"}, "kind"),
        ({"question": task(drawn(5)[0]).question.replace("inverse cotangent", "price of eggs")}, "RECALL"),
    ],
)
def test_the_verifier_sees_what_can_be_seen(changes: dict[str, object], named: str) -> None:
    """A leak, a second question, another kind and a strange subject are mostly noticed."""
    assert checked(task(drawn(5)[0], **changes))[named] >= 40


def test_other_worlds_keep_their_prompts() -> None:
    """Prompts on research questions are not taken for this world's."""
    for role in ("challenger", "verifier", "weak", "strong", "judge", "analyzer", "implementer"):
        assert not maths.recognises(
            role, "Write a question, a context and a rubric as JSON about the set of documents."
        )
