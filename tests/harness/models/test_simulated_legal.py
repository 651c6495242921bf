"""The legal world: extractor, writer, solvers, verifier and loop judge react to what they are shown, and to nothing else."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from simulated_play import LINE, REMEDIES, Source, documents, say

from harness.domains.legal import DOMAIN, Findings, LegalChecks, overrides, problems, read
from harness.gate import rubric_score
from harness.judge import read as read_judgement
from harness.loop_judge import LoopVerdict
from harness.models.simulated import items, legal, legal_items, legal_judging, sources, worlds
from harness.packet import packet
from harness.parsing import Malformed, parse
from harness.prompting import numbered, render
from harness.trajectory import Attempt, Example, Solver, Step

BASELINE = Path(__file__).parents[3] / "baseline_repo" / "legal" / "prompts"
FLAWS = ("generic", "shallow", "leak", "underspecified", "misfire", "lenient")


def writer_prompt(source: Source, *sentences: str, request: str = "first_round.md", **values: str) -> str:
    """What the baseline asks, with sentences added to the section on the case."""
    text = (BASELINE / "writer.md").read_text("utf-8")
    text = text.replace("\n# The rubric\n", "".join(f"- {one}\n" for one in sentences) + "\n# The rubric\n")
    asked = (BASELINE / request).read_text("utf-8")
    for name, value in values.items():
        asked = asked.replace("{{" + name + "}}", value)
    return render(text, name=source.name, document=source.text, notes="- Topics: duty", request=asked)


def written(prompt: str, seed: int) -> Example | None:
    """The case that the writer hands in; None if it cannot be read."""
    try:
        return read(say("challenger", prompt, seed))
    except Malformed:
        return None


def case(flaw: str, number: int) -> Example:
    """A case with one flaw, or with none."""
    rng = random.Random(number)
    flaws = frozenset([flaw]) if flaw else frozenset()
    made = legal_items.plan(rng, sources.read(documents(number + 1)[number].text), flaws)
    message = legal_items.message(rng, made, frozenset())
    while len(message) > legal.ROOM and len(made.chains) > 2:
        made = legal_items.shorter(made)
        message = legal_items.message(rng, made, frozenset())
    named = legal_items.capabilities(rng)
    return read(
        {
            "capabilities": named,
            "question": message,
            "reference_answer": items.reference(rng, made),
            "rubric": legal_items.rubric(rng, made, named, flaws),
        }
    )


def solver_prompt(example: Example) -> str:
    """The domain's prompt of both solvers, filled in."""
    return render(DOMAIN.prompt("solver.md"), context="", question=example.question)


def marked(example: Example, answer: str, seed: int) -> tuple[bool, ...]:
    """What the judge finds in an answer; its unusable replies are drawn again."""
    prompt = render(
        DOMAIN.prompt("judge.md"),
        question=example.question,
        answer=answer,
        boundary=LINE,
        criteria=numbered(example.rubric),
        count=str(len(example.rubric)),
    )
    return usable("judge", prompt, seed, lambda text: read_judgement(text, len(example.rubric)))


def usable(role: str, prompt: str, seed: int, reader: Any) -> Any:
    """The first usable reply of an instrument role."""
    for again in range(6):
        try:
            return reader(say(role, prompt, seed + again * 10**6))
        except Malformed:
            continue
    raise AssertionError(f"no usable reply of {role}")


def attempts(example: Example, solver: Solver, count: int, seed: int) -> tuple[Attempt, ...]:
    """So many answers with their marks."""
    made = []
    for number in range(count):
        answer = say(solver, solver_prompt(example), seed + number)
        hits = marked(example, answer, seed + number)
        made.append(
            Attempt(
                solver=solver,
                number=number,
                answer=answer,
                hits=hits,
                score=rubric_score(example.rubric, hits),
            )
        )
    return tuple(made)


def measured(flaw: str, number: int) -> Step:
    """A case with all its attempts."""
    example = case(flaw, number)
    weak, strong = (
        attempts(example, "weak", 5, 100 * number),
        attempts(example, "strong", 3, 100 * number + 50),
    )
    return Step(kind="submit", ordinal=0, example=example, weak=weak, strong=strong)


def loop_prompt(step: Step) -> str:
    """The loop judge's prompt, filled in without the answers, which the simulation does not read."""
    assert step.example is not None
    return render(
        DOMAIN.prompt("loop_judge.md"),
        boundary=LINE,
        question=step.example.question,
        reference=step.example.reference_answer,
        packet=packet(step),
        attempts="",
    )


def judged(step: Step, seed: int) -> LoopVerdict:
    """The loop judge's verdict."""
    verdict = usable("verifier", loop_prompt(step), seed, lambda text: parse(text, LoopVerdict))
    assert isinstance(verdict, LoopVerdict)
    return verdict


def accepted(flaw: str, numbers: Sequence[int]) -> float:
    """Which part of such cases the loop judge accepts."""
    return sum(judged(measured(flaw, one), one).verdict == "accept" for one in numbers) / len(numbers)


def test_each_prompt_finds_its_world() -> None:
    """The prompts of the domain are the legal world's, those of others are not."""
    example = case("", 0)
    own = [
        ("challenger", writer_prompt(documents(1)[0])),
        ("weak", solver_prompt(example)),
        ("strong", solver_prompt(example)),
        ("verifier", render(DOMAIN.prompt("extractor.md"), boundary=LINE, document="A rule.")),
        ("verifier", DOMAIN.prompt("verifier.md")),
        ("verifier", DOMAIN.prompt("loop_judge.md")),
    ]
    assert all(worlds.world_of(role, prompt) is legal for role, prompt in own)
    assert worlds.world_of("weak", "You are given a context and one question about it.") is None
    assert worlds.world_of("judge", DOMAIN.prompt("judge.md")) is None


def test_most_cases_are_readable_and_in_form() -> None:
    """What the baseline's prompt brings is mostly a valid case; the slips of form are a minority and named."""
    found = [written(writer_prompt(one), number) for number, one in enumerate(documents(40))]
    fine = [one for one in found if one is not None and not problems(one)]
    assert len(fine) >= 30
    assert sum(bool(overrides(one)) for one in fine) <= 6
    assert all("Now `" in one.question and one.context == "" for one in fine)


def test_a_client_who_is_not_told_about_length_writes_more() -> None:
    """Without a word on the limit, overlong messages are much more frequent."""
    silent = [writer_prompt(one).replace("1,000 characters", "a few lines") for one in documents(40)]
    long = [
        one for n, prompt in enumerate(silent) if (one := written(prompt, n)) and len(one.question) > 1_000
    ]
    told = [
        one
        for n, doc in enumerate(documents(40))
        if (one := written(writer_prompt(doc), n)) and len(one.question) > 1_000
    ]
    assert len(long) > len(told) + 1


def test_one_document_tempts_to_the_same_slip() -> None:
    """The same document brings the same flaws nearly always; others bring others."""
    parts = [legal.take_apart(writer_prompt(one)) for one in documents(30)]
    wishes = [legal.brief(one.instructions) for one in parts]
    drawn = [
        [legal.slips(random.Random(seed), one, wish) for seed in range(10)]
        for one, wish in zip(parts, wishes, strict=True)
    ]
    usual = [max(set(row), key=row.count) for row in drawn]
    assert sum(row.count(most) for row, most in zip(drawn, usual, strict=True)) >= 270
    assert len(set(usual)) >= 4


@pytest.mark.parametrize("remedy", ["generic", "shallow", "lenient"])
def test_remedies_are_heeded(remedy: str) -> None:
    """A sentence against a cause lowers the risk of its slip, in this world as in the other."""
    plain, told = (
        legal.brief(legal.take_apart(writer_prompt(documents(1)[0], *said)).instructions).strengths[remedy]  # type: ignore[index]
        for said in ((), (REMEDIES[remedy],))
    )
    assert told > plain + 0.3


def test_earlier_cases_and_packets_are_no_instructions() -> None:
    """The record of earlier rounds changes nothing about what the writer takes the instructions to be."""
    step = measured("", 0)
    values = {
        "case": say("challenger", writer_prompt(documents(1)[0]), 3),
        "feedback": f"Sharpen it.\n\n# Diagnostic packet\n\n{packet(step)}",
        "verdicts": "1. improve (judge_improve) [weak 0.41, strong 0.52] A client asks?",
    }
    asked = writer_prompt(documents(1)[0], request="improvement.md", **values)
    bare = writer_prompt(
        documents(1)[0], request="improvement.md", case="", feedback="Sharpen it.", verdicts=""
    )
    kept = legal.take_apart(legal.without_record(asked)).instructions
    assert legal.brief(kept) == legal.brief(legal.take_apart(bare).instructions)
    assert "Diagnostic" not in kept and '"rubric"' not in kept


def test_solvers_answer_a_message_without_a_context() -> None:
    """Facts and question stand in one message: nearly everything that is asked for is answered, by both."""
    for number in range(8):
        example = case("", number)
        for solver in ("weak", "strong"):
            answer = say(solver, solver_prompt(example), number)
            assert "Through `" in answer and "context" not in answer


def test_the_strong_solver_is_ahead_on_sound_cases() -> None:
    """Weak about a third to a half, strong about three quarters."""
    steps = [measured("", number) for number in range(12)]
    weak, strong = (
        [one.score for step in steps for one in getattr(step, side)] for side in ("weak", "strong")
    )
    assert 0.2 < sum(weak) / len(weak) < 0.55 and 0.6 < sum(strong) / len(strong) < 0.9


def test_the_reference_answers_its_own_rubric() -> None:
    """The reference answers of sound cases are marked nearly full, slips of the judge apart."""
    examples = [case("", number) for number in range(8)]
    scores = [rubric_score(one.rubric, marked(one, one.reference_answer, 1)) for one in examples]
    assert sum(scores) / len(scores) > 0.9


def test_the_loop_judge_tells_sound_cases_from_flawed_ones() -> None:
    """About half and more of the sound ones are accepted, hardly any of the flawed."""
    numbers = range(10)
    assert accepted("", numbers) >= 0.4
    assert max(accepted(flaw, numbers) for flaw in FLAWS) <= 0.3


def test_the_loop_judge_cites_attempts_that_exist() -> None:
    """Every accept rests on labels of the packet, as the host demands."""
    step = measured("", 3)
    said = " ".join(judged(step, 1).model_dump(include={"weak_pattern", "strong_pattern"}).values())
    assert (
        "W" in said
        and "S" in said
        and legal_judging.read_packet(packet(step)).attempts.keys() >= {"W5", "S3"}
    )


def test_a_packet_that_cannot_be_read_is_no_accept() -> None:
    """Without numbers the verdict is improve."""
    nothing = legal_judging.read_packet("no packet at all")
    assert legal_judging.objection(nothing) and nothing.attempts == {}


@pytest.mark.parametrize(
    ("text", "suitable"),
    [
        (
            documents(1)[0].text
            + " The user must give notice unless the fee is paid. If so, it shall end. " * 3,
            True,
        ),
        ("The judgment is affirmed.", False),
        ("Docket entry 14. Motion granted. It is so ordered. " * 20, False),
        ("A licensee must keep the notice. If it is removed, the licence ends unless it is put back.", True),
    ],
)
def test_the_extractor_judges_the_text_itself(text: str, suitable: bool) -> None:
    """Rules make a document suitable, bare dispositions do not; what it returns fits the form."""
    prompt = render(DOMAIN.prompt("extractor.md"), boundary=LINE, document=text)
    found = usable("verifier", prompt, 1, lambda said: parse(said, Findings))
    assert found.suitable is suitable and found.note


def test_the_verifier_sees_a_leak() -> None:
    """A message that tells the outcome is found to leak more often than one that does not."""

    def leaks(flaw: str) -> int:
        found = []
        for number in range(12):
            example = case(flaw, number)
            values = {
                "boundary": LINE,
                "document": documents(number + 1)[number].text,
                "question": example.question,
                "reference": example.reference_answer,
                "criteria": numbered(example.rubric),
            }
            prompt = render(DOMAIN.prompt("verifier.md"), **values)
            found.append(usable("verifier", prompt, number, lambda text: parse(text, LegalChecks)).leak)
        return sum(found)

    assert leaks("leak") >= 4 > leaks("") + 1


def edit_prompt(marker: str) -> str:
    """What the implementer is asked about a scaffold with one prompt file, whose contexts leak."""
    shown = {
        "diagnosis": "### Cause 1: The context gives the answer away\n\nThe conclusion is not held back.",
        "file prompts/writer.md": f"# The case\n\n- The question needs a context or a scenario. {marker}",
        "file agent.py": "def create(document, env):\n    env.submit(env.ask(document.text))",
    }
    return "\n\n".join(
        f"--- 0123456789ab {label}\n{text}\n--- 0123456789ab end" for label, text in shown.items()
    )


def test_the_implementer_speaks_of_a_scenario() -> None:
    """Its edits to a legal scaffold say scenario where those to another say context."""
    added = {
        marker: " ".join(
            line
            for seed in range(30)
            for line in say("implementer", edit_prompt(marker), seed).split("\n")
            if marker not in line
        )
        for marker in ("weight_class", "weight")
    }
    clients, research = added["weight_class"].lower(), added["weight"].lower()
    assert clients.count("the scenario") > 4 * clients.count(
        "the context"
    )  # what does not apply is not translated
    assert research.count("the context") > 5 > research.count("the scenario")
