"""Modes of solvers: several samples, how they become one answer, how long they are, what they see; and what is refused."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import DOCUMENT, DRAW, PlayedSandbox, ScriptedModels, example, graded, instrument, reply
from gateways import Rig, in_turn, ok

from evolve.assembly import instrument_of
from evolve.layout import Layout
from evolve.opening import Opening
from evolve.settings import Settings
from evolve.testing import refuse
from harness import domains
from harness.answers.verdicts import Comparison
from harness.domains import names
from harness.domains.passage import DOMAIN as PASSAGE
from harness.errors import InvalidMeasurement, UsageError
from harness.inspection import CONFIRMING, FINALLY, SELECTING, STRONG
from harness.instrument import Instrument
from harness.measuring import RETRIES, measure, user
from harness.mode_check import refuse_modes
from harness.modes import Mode, ModeChange
from harness.place import Place, Subject
from harness.proofs import FIRST
from harness.solvers import AGAIN, NEXT, SAMPLE, answer_of, attempts, prompt_of
from harness.trajectory import Attempt, Example
from harness.types import Reply, Request

PASSED = "The sector size of the disk is 512 bytes, and that of the tape is 80. Both are read as a whole."
TASK = Example(
    question_type="fact",
    question="How large is a sector of the disk?",
    reference_answer="512",
    answer_kind="number",
    passage=PASSED,
)


class Alike:
    """A checker that knows letters and nothing else."""

    async def compare(self, reference: str, final: str, kind: str) -> Comparison:
        return Comparison("equal" if reference.casefold() == final.casefold() else "different", "words")


def used(**change: Any) -> Instrument:
    """The passage domain's instrument with a strong solver whose mode is changed."""
    modes = {"weak": ModeChange(), "strong": ModeChange(**change)}
    return replace(instrument(), preset="few", domain=PASSAGE, source="passage", modes=modes)


def place(models: ScriptedModels, chosen: Instrument) -> Place:
    return Place(models, PlayedSandbox(), chosen, Alike())  # type: ignore[arg-type]  # a checker in little


def strong(
    models: ScriptedModels, chosen: Instrument, task: Example = TASK, count: int = 1
) -> Sequence[Attempt]:
    """Attempts of the strong solver."""
    draws = [DRAW.at(attempt=number) for number in range(count)]
    found = asyncio.run(attempts(place(models, chosen), Subject(DOCUMENT, task), "strong", draws))
    return found.made


def by_sample(*answers: str | Reply) -> Callable[[Request], str | Reply]:
    """A solver that gives its samples these answers, whatever the attempt, and again at every retry."""
    return lambda request: answers[request.draw.attempt // SAMPLE]


def test_samples_are_draws_of_their_own() -> None:
    """No sample of an attempt coincides with another one's, nor with one of an attempt that is made again."""

    def say(request: Request) -> str | Reply:
        attempt = request.draw.attempt % SAMPLE
        return reply("", "length") if attempt == 0 else "512"  # the first attempt is lost and made again

    models = ScriptedModels(strong=say)
    strong(models, used(samples=5), count=3)
    draws = Counter(one.draw for one in models.of("strong"))
    assert max(draws.values()) == 1 and len({one.attempt for one in draws}) >= 5 * 3 + 5


def test_no_two_numbers_meet() -> None:
    """Whatever attempt is made where and how often, each of its samples has a number of its own."""
    selecting = [
        first + n for first in (SELECTING, CONFIRMING) for n in (*range(100), *range(STRONG, 2 * STRONG))
    ]
    proving = [first + n for first in FIRST.values() for n in range(10)]
    once = [*selecting, *proving, FINALLY]
    every = [
        one + again * NEXT + SAMPLE * number
        for one in once
        for again in range(AGAIN + 1)
        for number in range(64)
    ]
    assert len(set(every)) == len(every) and max(once) < NEXT and (AGAIN + 1) * NEXT <= SAMPLE


def test_the_majority_decides() -> None:
    """The largest class of equal answers stands for all, its call first and all others behind it."""
    models = ScriptedModels(strong=by_sample("80", "It is 512.", "Answer: 512", "7", "80 or 81"))
    (one,) = strong(models, used(samples=5))
    assert (one.final, one.score, one.how) == ("512", 1.0, "words")
    assert one.answer == "It is 512." and one.calls[0] == f"strong 0.{SAMPLE}.0" and len(one.calls) == 5


def test_the_majority_does_not_know_the_reference() -> None:
    """The same answers give the same majority whatever the reference says."""
    models = ScriptedModels(strong=by_sample("80", "512", "80"))
    (one,) = strong(models, used(samples=3))
    assert (one.final, one.score) == ("80", 0.0)


def test_a_judge_picks() -> None:
    """With `pick` the judge's model says which answer stands for all; it is shown no reference and no passage."""
    models = ScriptedModels(strong=by_sample("80", "512", "7"), judge='{"number": 2}')
    (one,) = strong(models, used(samples=3, aggregation="pick"))
    assert (
        (one.final, one.score) == ("512", 1.0) and one.calls[-1].startswith("judge") and len(one.calls) == 4
    )
    (asked,) = models.of("judge")
    assert "80" in asked.messages[0].content and "tape" not in asked.messages[0].content


def test_a_pick_that_is_none_is_drawn_again() -> None:
    """A number that names no answer is unreadable; if it stays so, the attempt is missing on the judge's account."""
    said = ['{"number": 4}', '{"number": 0}', '{"number": 3}']
    models = ScriptedModels(
        strong=by_sample("80", "512", "7"), judge=lambda one: said[min(one.draw.retry, 2)]
    )
    assert strong(models, used(samples=3, aggregation="pick"))[0].final == "7"
    models.roles["judge"] = lambda one: "the second" if "Pick the answer" in one.messages[0].content else "42"
    with pytest.raises(InvalidMeasurement) as caught:
        strong(models, used(samples=3, aggregation="pick"))
    assert caught.value.role == "judge" and caught.value.cause == "unreadable"


def test_prose_may_be_sampled_and_picked() -> None:
    """In a domain with rubrics several samples become one by pick, and that one is marked."""
    models = ScriptedModels(
        strong=by_sample("short", "long"),
        judge=lambda one: '{"number": 2}' if "Pick the answer" in one.messages[0].content else graded(0.5),
    )
    chosen = replace(instrument(), modes={"strong": ModeChange(samples=2, aggregation="pick")})
    (one,) = strong(models, chosen, example())
    assert one.answer == "long" and one.score == 0.5


@pytest.mark.parametrize(("lost", "missing"), [(1, False), (2, False), (3, True), (5, True)])
def test_lost_samples(lost: int, missing: bool) -> None:
    """Where most samples came through they decide; where half or more are lost the attempt is missing, never wrong."""
    answers: list[str | Reply] = [reply("", "length")] * lost + ["512"] * (5 - lost)
    models = ScriptedModels(strong=by_sample(*answers))
    if missing:
        with pytest.raises(InvalidMeasurement, match="strong"):
            strong(models, used(samples=5))
    else:
        assert strong(models, used(samples=5))[0].score == 1.0


def test_half_of_the_samples_lost() -> None:
    """Exactly half is not enough: two of four would be another solver than four."""
    models = ScriptedModels(strong=by_sample(reply("", "length"), "512", reply("", "length"), "512"))
    with pytest.raises(InvalidMeasurement):
        strong(models, used(samples=4))


def test_the_limit_goes_over_the_wire(tmp_path: Path) -> None:
    """A mode's limit lowers what is asked for; an answer it cuts off is drawn again with twice the room, not with 2,048."""
    rig = Rig(tmp_path, in_turn(ok(text="It is", finish="length", said=64), ok(text="512")))

    async def main() -> None:
        async with rig.open() as gateway:
            where = Place(gateway, PlayedSandbox(), used(samples=1, max_tokens=64), Alike())  # type: ignore[arg-type]
            answer, _ = await answer_of(where, Subject(DOCUMENT, TASK), "strong", DRAW)
            assert answer == "512"

    asyncio.run(main())
    assert [room(body) for body in rig.wire.bodies] == [64, 128]


def room(body: dict[str, Any]) -> int:
    """The room a request body asks for, whatever the field's name."""
    return int(body.get("max_tokens") or body["max_completion_tokens"])


def test_without_a_limit_it_is_the_models_own(tmp_path: Path) -> None:
    """A mode without max_tokens leaves the model's own limit."""
    rig = Rig(tmp_path)

    async def main() -> None:
        async with rig.open() as gateway:
            where = Place(gateway, PlayedSandbox(), used(samples=1), Alike())  # type: ignore[arg-type]
            own = replace(where, instrument=replace(where.instrument, domain=replace(PASSAGE, strong=Mode())))
            await answer_of(own, Subject(DOCUMENT, TASK), "strong", DRAW)

    asyncio.run(main())
    assert [room(body) for body in rig.wire.bodies] == [4096]


def test_a_limited_solver_stays_brief() -> None:
    """However often it is cut off, a limited solver never gets more than eight times its limit."""
    models = ScriptedModels(
        weak=lambda one: reply("and so on", "length", said=one.max_tokens or one.limit or 0)
    )

    async def main() -> None:
        await measure(models, Request("weak", user("?"), DRAW, limit=50), str)

    with pytest.raises(InvalidMeasurement, match="length"):
        asyncio.run(main())
    assert [one.max_tokens for one in models.of("weak")] == [None, 100, 200, 400] and RETRIES == 3


@pytest.mark.parametrize(
    ("sees", "shown", "hidden"),
    [
        ("task", (), ("tape", "queue keeps")),
        ("passage", ("tape",), ("queue keeps",)),
        ("document", ("queue keeps",), ("tape",)),
    ],
)
def test_what_a_solver_sees(sees: str, shown: tuple[str, ...], hidden: tuple[str, ...]) -> None:
    """The task alone, the passage before it, or the document before it; never the reference answer by itself."""
    chosen = used(sees=sees)
    text = prompt_of(place(ScriptedModels(), chosen), Subject(DOCUMENT, TASK), chosen.mode("strong"))
    assert all(one in text for one in shown) and not any(one in text for one in hidden)
    assert "How large is a sector" in text and "{{" not in text


def test_weak_and_strong_may_be_one_model_in_two_modes() -> None:
    """In the passage domain the weak solver is one short sample without the passage, the strong one a vote with it."""
    models = ScriptedModels(weak="80", strong="512")
    where, subject = place(models, used()), Subject(DOCUMENT, TASK)
    for solver in ("weak", "strong"):
        asyncio.run(attempts(where, subject, solver, [DRAW]))
    assert (len(models.of("weak")), len(models.of("strong"))) == (1, 5)
    assert "tape" not in models.of("weak")[0].messages[0].content
    assert all("tape" in one.messages[0].content for one in models.of("strong"))


OTHER: dict[str, Any] = {
    "samples": 3,
    "aggregation": "pick",
    "max_tokens": 99,
    "prompt": "solver_steps.md",
    "sees": "document",
}


@pytest.mark.parametrize("field", list(Mode.model_fields))
@pytest.mark.parametrize("solver", ["weak", "strong"])
def test_every_field_of_a_mode_counts(field: str, solver: str) -> None:
    """Whatever is set of a mode is another instrument, and setting it to what it is anyway is the same one."""
    base = used()
    changed = replace(base, modes={solver: ModeChange(**{field: OTHER[field]})})
    usual = getattr(base.mode(solver), field)  # type: ignore[arg-type]
    assert changed.hash != base.hash
    assert replace(base, modes={solver: ModeChange(**{field: usual})}).hash == base.hash


def test_the_text_of_an_own_prompt_counts(tmp_path: Path) -> None:
    """An own prompt is part of the instrument by its text."""
    file = tmp_path / "own.md"
    found = []
    for text in ("{{context}} {{question}}", "{{context}} {{question}} Answer well."):
        file.write_text(text, "utf-8")
        domains.text_of.cache_clear()  # another process reads it afresh
        chosen = used(prompt=str(file))
        refuse_modes(chosen)
        asked = prompt_of(place(ScriptedModels(), chosen), Subject(DOCUMENT, TASK), Mode(prompt=str(file)))
        assert asked.endswith(text.rpartition("}}")[2]) and "How large is" in asked
        found.append(chosen.hash)
    assert found[0] != found[1]


def settings(domain: str = "cs", **strong: Any) -> Settings:
    return Settings.model_validate({"measure": {"domain": domain, "strong": strong}})


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (
            settings(samples=5),
            r"measure\.strong\.aggregation .*measure\.strong\.samples = 5.*set .* = 'pick'",
        ),
        (settings(sees="passage"), r"measure\.strong\.sees .*'document' or 'task'"),
        (settings(prompt="nowhere.md"), r"measure\.strong\.prompt: .*nowhere\.md"),
        (settings(prompt="./nowhere/own.md"), r"measure\.strong\.prompt: .*own\.md"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(chosen: Settings, words: str) -> None:
    """A mode that a domain cannot do is refused before anything is opened, with the setting and what to do."""
    with pytest.raises(UsageError, match=words):
        instrument_of(chosen)
    with pytest.raises(UsageError, match=words):
        refuse(Opening(Layout(Path(), Path("population.db"), "r"), chosen, None, ()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{question}}", r"no place for the context; write {{context}}"),
        ("{{context}}", r"no place for the question; write {{question}}"),
        ("plain", "no place for the context and the question"),
        ("{{context}} {{question}} {{rubric}}", r"a place {{rubric}} that nothing can fill"),
    ],
)
def test_a_prompt_without_its_places_is_refused(text: str, words: str, tmp_path: Path) -> None:
    """An own prompt has a place for context and question, and for nothing else."""
    file = tmp_path / "own.md"
    file.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=words):
        instrument_of(settings(prompt=str(file)))


def test_a_prompt_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 end no run in its middle."""
    file = tmp_path / "own.md"
    file.write_bytes(b"{{context}} {{question}} \xff\xfe")
    with pytest.raises(UsageError, match="cannot be read as UTF-8"):
        instrument_of(settings(prompt=str(file)))


@pytest.mark.parametrize(
    "chosen",
    [
        settings(samples=5, aggregation="pick"),
        settings(sees="document"),
        settings("passage", samples=9),
        settings("math", samples=9),
        *(settings(name, prompt="solver_steps.md") for name in names()),
    ],
)
def test_what_can_be_used_is_not_refused(chosen: Settings) -> None:
    """Modes that a domain can do pass, the step-by-step prompt in every one of them."""
    assert instrument_of(chosen).hash


def test_every_domain_can_use_its_own_modes() -> None:
    """No domain comes with a mode that would be refused."""
    for name in names():
        found = domains.domain(name)
        refuse_modes(replace(instrument(), preset=found.preset, domain=found, source=name))
