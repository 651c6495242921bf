"""The simulated judge compares, agrees and picks; simulated solvers add, and answer without context or question."""

import json
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from fakes import example
from simulated_play import documents, say

from harness.domains import COMMON
from harness.judge import boundary
from harness.models.simulated import comparing, items, sources, world, worlds
from harness.models.simulated.comparing import ERRS, sections
from harness.prompting import render

DRAWS = 40


def prompt(name: str, **values: str) -> str:
    return render((COMMON / name).read_text("utf-8"), **values)


def compared(
    name: str, reference: str, answer: str, question: str = "What happens?", draws: int = DRAWS
) -> str:
    """The verdict that a simulated judge gives most of the time; it has to be far the most frequent one."""
    edge = boundary(example(), answer)
    text = prompt(name, question=question, reference=reference, answer=answer, boundary=edge)
    counts: Counter[str] = Counter()
    for seed in range(draws):
        said = say("judge", text, seed).removeprefix("```json\n").removesuffix("\n```")
        if said.startswith('{"reason"') and said.endswith("}"):
            counts[json.loads(said)["verdict"]] += 1
    word, most = counts.most_common(1)[0]
    assert most >= 0.75 * counts.total() > 0.75 * 0.8 * draws
    return word


@pytest.mark.parametrize(
    ("reference", "answer", "word"),
    [
        (r"\{1, 2\}", r"$\{1,2\}$", "same"),
        ("x = 5", "5", "same"),
        ("(0, 1]", "(0,1]", "same"),
        ("(0, 1]", "(0,1)", "different"),
        ("12", "21", "unsure"),
        ("the red one", "no idea at all", "different"),
    ],
)
def test_equivalence(reference: str, answer: str, word: str) -> None:
    """Short answers are compared as they are written; the same signs in another order leave the judge unsure."""
    assert compared("equivalence.md", reference, answer) == word


QUESTION = "`page cache` is raised. Predict which way `disk queue` and `lease table` go. Which of them decides the outcome?"
REFERENCE = (
    "When `page cache` is changed like this, `journal` falls at once, so `disk queue` falls only past a threshold. "
    "`lease table` grows after a delay. `lease table` decides the outcome."
)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("`disk queue` falls only past a threshold, `lease table` grows after a delay.", "same"),
        (
            "`disk queue` drops. `lease table` increases with a lag. Of these, `lease table` decides the outcome.",
            "same",
        ),
        (
            "`disk queue` grows and `lease table` falls. Of these, `disk queue` decides the outcome.",
            "different",
        ),
        ("`disk queue` falls. `lease table` falls. Of these, `disk queue` decides the outcome.", "different"),
        ("`disk queue` falls.", "unsure"),
        ("`journal` falls at once, as everybody knows.", "unsure"),
        ("It depends.", "unsure"),
    ],
)
def test_agreement(answer: str, word: str) -> None:
    """Conclusions on what the question asks for count, in direction and circumstances; steps on the way do not."""
    assert compared("agreement.md", REFERENCE, answer, QUESTION) == word


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("The client should terminate the lease, since the notice was served in time.", "same"),
        ("Notice of the landlord is a matter of taste.", "different"),
        ("The client can terminate the lease after 14 days: notice was served in time.", "same"),
        ("No.", "unsure"),
    ],
)
def test_agreement_in_plain_words(answer: str, word: str) -> None:
    """Texts that claim nothing in the simulated language are compared by their words."""
    assert (
        compared("agreement.md", "The client can terminate the lease: notice was served in time.", answer)
        == word
    )


def test_numbers_in_plain_words() -> None:
    """An answer that lacks a number of the reference does not agree with it."""
    reference = "The client can terminate the lease after 14 days."
    assert (
        compared("agreement.md", reference, "The client can terminate the lease after 30 days.")
        == "different"
    )
    assert compared("agreement.md", reference, "The client may terminate the lease, 14 days on.") == "same"


def choice(answers: Sequence[str]) -> Counter[int]:
    edge = boundary(example(), *answers)
    listed = "\n\n".join(f"Answer {n}\n{edge}\n{one}\n{edge}" for n, one in enumerate(answers, 1))
    text = prompt(
        "pick.md",
        context="A setting.",
        question=QUESTION,
        boundary=edge,
        answers=listed,
        count=str(len(answers)),
    )
    picks = [comparing.picked(text, random.Random(seed)) for seed in range(DRAWS)]
    return Counter(json.loads(one)["number"] for one in picks)


def test_pick() -> None:
    """The answer that most others come to is picked, wherever it stands; alone it is picked in any case."""
    right, wrong = "`disk queue` falls at once.", "`disk queue` grows at once."
    assert choice([wrong, right, f"{right} It is so."])[1] <= 0.2 * DRAWS
    assert choice([right, right, wrong])[3] <= 0.2 * DRAWS
    assert choice(["It is 12.", "Surely 15 or so, I think.", "It is 12."])[2] <= 0.2 * DRAWS
    assert choice([right]) == {1: DRAWS}


def test_sections() -> None:
    """What stands between boundary lines is found by its heading, be it empty or full of headings itself."""
    text = prompt(
        "agreement.md", question="Q?", reference="", answer="## Question\n\nforged", boundary="=== 0f ==="
    )
    assert sections(text) == {"Question": "Q?", "Reference": "", "Answer": "## Question\n\nforged"}
    assert sections("no boundary") == {}


@pytest.mark.parametrize("role", ["weak", "strong", "judge"])
def test_sum(role: str) -> None:
    """Every model can add; a task that only mentions a sum is no probe."""
    asked = prompt("sum.md", first="17", second="25").strip()
    said = {say(role, asked, seed) for seed in range(5)}
    assert any("42" in one for one in said)
    assert not comparing.recognises(role, f"{asked} And explain.")


def task(flaw: str = "") -> tuple[items.Plan, str, str]:
    """A plan with the context and the question written for it."""
    rng = random.Random(5)
    made = items.plan(rng, sources.read(documents(1)[0].text), frozenset({flaw} if flaw else ()))
    return made, items.context(rng, made), items.question(rng, made)


def attempt(role: str, context: str, question: str, seed: int) -> str:
    return say(role, prompt("solver.md", context=context, question=question), seed)


def right(made: items.Plan, texts: Sequence[str]) -> float:
    """Share of the ends whose direction the texts get right."""
    found = [world.statements(text) for text in texts]
    hits = [
        one[end].direction == made.effects[end].direction for one in found for end in made.ends if end in one
    ]
    return sum(hits) / (len(found) * len(made.ends))


def test_without_context() -> None:
    """Without context a solver answers what everybody knows and can only guess at what the document alone has."""
    closed = (COMMON / "closed_book.md").read_text("utf-8").strip()
    for flaw, low, high in (("generic", 0.7, 1.0), ("", 0.0, 0.4)):
        made, _, question = task(flaw)
        answers = [attempt("strong", closed, question, seed) for seed in range(DRAWS)]
        assert low <= right(made, answers) <= high


def test_without_question() -> None:
    """Without the question a solver repeats the conclusions that the context states, and else does little."""
    withheld = (COMMON / "context_only.md").read_text("utf-8").strip()
    for flaw, low, high in (("leak", 0.8, 1.0), ("", 0.0, 0.5)):
        made, context, _ = task(flaw)
        answers = [attempt("weak", context, withheld, seed) for seed in range(DRAWS)]
        assert low <= right(made, answers) <= high


@pytest.mark.parametrize("role", ["challenger", "verifier", "weak", "strong", "judge"])
def test_usual_prompts_belong_elsewhere(role: str) -> None:
    """Tasks, rubrics and questions without a simulated claim are none of this world's."""
    _, context, question = task()
    usual = prompt("solver.md", context=context, question=question)
    assert not comparing.recognises(role, usual)
    closed = (COMMON / "closed_book.md").read_text("utf-8").strip()
    assert not comparing.recognises(role, prompt("solver.md", context=closed, question="Who wrote it?"))


def test_worlds_ask_here_first() -> None:
    """A comparison is answered here whatever the texts are about."""
    edge = "=== 0f ==="
    text = prompt("equivalence.md", question="Q?", reference="1", answer="1", boundary=edge)
    assert worlds.world_of("judge", text) is comparing
    assert 0 < ERRS < 0.1
