"""The simulated world of passages: questions of real sentences, readers that look them up, slips a prompt can prevent."""

import asyncio
import importlib.util
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

import pytest
from fakes import DRAW, PlayedSandbox, instrument
from simulated_play import documents as elsewhere
from simulated_play import first_prompt, say

from harness.answers.compare import compare
from harness.answers.verdicts import Comparison
from harness.domains import AnswerChecks
from harness.domains.passage import DOMAIN, final, problems, read
from harness.inspection import inspect
from harness.models.simulated import complete, passage_questions, passage_writer, passages
from harness.parsing import Malformed, parse
from harness.place import Place, Subject
from harness.prompting import render
from harness.solvers import prompt_of
from harness.trajectory import Example, Report
from harness.types import Document, Reply, Request
from harness.verifier import filled

BASELINE = Path(__file__).parents[3] / "baseline_repo" / "passage"
PROMPTS = {path.name: path.read_text("utf-8") for path in (BASELINE / "prompts").glob("*.md")}
WORDS = "journal page cursor lease ledger bucket shard replica token quota epoch segment digest filter ring barrier"
KEPT = WORDS.split()
RULES = (
    "The {a}_{b}() routine returns the number of entries that the {c} has seen since it was opened.",
    "A {a} of the {b} may hold {n} entries at most, and whoever writes more than that is turned away with an error.",
    "Since version {n} the {a} is written to the disk instead of the {b}, because of what was found in the {c}.",
    "The {A}_{B} option depends on the kind of {c} in use, and it is used to tell one {a} from another one.",
    "Everything that the {a} keeps is thrown away according to the rules of the {b}, unless {A}_{C} has been set before.",
    "The {a} supervisor reads the {b} once in {n} seconds, and it does so before any other {c} gets a turn at all.",
)
REMEDIES = {
    "generic": "Rest the question on a detail that only this document has. Throw away any question that general knowledge "
    "could answer.",
    "leak": "Hold the conclusion back: the context never states the outcome. If somebody could answer by quoting the "
    "context, rewrite it.",
    "underspecified": "The context must be self-contained. Give every premise and definition that the solver needs.",
    "format": "Return strict JSON and nothing else, with exactly these fields.",
}


def sources(count: int) -> list[Document]:
    """Made-up manuals of made-up systems."""
    return [
        Document(f"{number:016x}", f"manual {number}", manual(random.Random(number)))
        for number in range(count)
    ]


def manual(rng: random.Random) -> str:
    paragraphs = []
    for _ in range(8):
        a, b, c = rng.sample(KEPT, 3)
        words = {
            "a": a,
            "b": b,
            "c": c,
            "A": a.upper(),
            "B": b.upper(),
            "C": c.upper(),
            "n": rng.randint(3, 9999),
        }
        paragraphs.append("\n".join(rule.format(**words) for rule in rng.sample(RULES, 3)))
    return "\n\n".join(paragraphs)


def agent() -> ModuleType:
    spec = importlib.util.spec_from_file_location("passage_agent", BASELINE / "agent.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def passage(number: int = 0) -> str:
    return str(agent().passages(sources(number + 1)[number].text)[0])


def challenge(shown: str, *more: str) -> str:
    """The baseline's prompt for a passage, with sentences added to what it says of the question."""
    text = PROMPTS["challenger.md"].replace(
        "# The form of your answer", "\n".join((*more, "", "# The form of your answer"))
    )
    return agent().fill(text, name="manual", passage=shown, request=PROMPTS["first_round.md"])  # type: ignore[no-any-return]


def example(shown: str, question: str, answer: str, kind: str = "string") -> Example:
    return read(
        {
            "question_type": "f",
            "passage": shown,
            "question": question,
            "reference_answer": answer,
            "answer_kind": kind,
        }
    )


class Talk:
    """The simulated models, without a wire."""

    async def ask(self, request: Request) -> Reply:
        draw = request.draw
        seed = crc32(repr(draw).encode())
        prompt = request.messages[0].content
        body = {
            "model": f"simulated-{request.role}",
            "messages": [{"role": "user", "content": prompt}],
            "seed": seed,
            "max_tokens": max(request.max_tokens or 0, request.limit or 4096),
        }
        answer = complete(body, 0)
        choice, usage = answer["choices"][0], answer["usage"]
        return Reply(
            key=f"{request.role} {seed}",
            text=choice["message"]["content"],
            finish_reason=choice["finish_reason"],
            model=answer["model"],
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
        )


class Here:
    """The checker without its processes."""

    async def compare(self, reference: str, answer: str, kind: Any) -> Comparison:
        return compare(reference, answer, kind)

    async def problem(self, reference: str, kind: str) -> str:
        return ""


def place() -> Place:
    chosen = replace(instrument(), preset="few", domain=DOMAIN, source="passage")
    return Place(Talk(), PlayedSandbox(), chosen, Here())  # type: ignore[arg-type]  # a checker in little


class Env:
    """What the scaffold is handed: everything real but the pipe and the processes."""

    def __init__(self, document: Document, trial: int, sentences: tuple[str, ...] = ()) -> None:
        self.document, self.draw, self.sentences = (
            document,
            replace(DRAW, document=document.id, trial=trial),
            sentences,
        )
        self.submissions_left, self.ordinal = 3, 0
        self.reports: list[Report] = []

    def ask(self, prompt: str) -> str:
        self.ordinal += 1
        text = prompt.replace(
            "# The form of your answer", "\n".join((*self.sentences, "# The form of your answer"))
        )
        return say("challenger", text, 1000 * self.draw.trial + int(self.document.id, 16) * 10 + self.ordinal)

    def submit(self, submission: object) -> dict[str, Any]:
        self.submissions_left -= 1
        self.ordinal += 1
        self.reports.append(asyncio.run(self.measured(submission)))
        return self.reports[-1].model_dump(mode="json")

    async def measured(self, submission: object) -> Report:
        try:
            found = read(submission)
        except Malformed as problem:
            return Report(accepted=False, stage="malformed", reasons=("malformed",), feedback=str(problem))
        step = await inspect(place(), Subject(self.document, found), replace(self.draw, ordinal=self.ordinal))
        assert step.report is not None
        return step.report


def played(count: int, *sentences: str, trial: int = 1) -> list[Env]:
    """The baseline, with sentences added to its prompt, on made-up documents."""
    found = []
    for document in sources(count):
        random.seed(document.id)
        env = Env(document, trial, sentences)
        agent().create(document, env)
        found.append(env)
    return found


def rate(found: list[Env]) -> float:
    return sum(any(one.accepted for one in env.reports) for env in found) / len(found)


def solver_prompts(task: Example) -> tuple[str, str]:
    """What weak and strong are asked."""
    where = place()
    subject = Subject(sources(1)[0], task)
    modes = (where.instrument.mode("weak"), where.instrument.mode("strong"))
    return prompt_of(where, subject, modes[0]), prompt_of(where, subject, modes[1])


def test_it_knows_its_own_prompts_and_no_others() -> None:
    """Prompts of the domain are recognised for every role, those of research questions are not."""
    shown = passage()
    asked = passage_questions.good(shown)[0]
    task = example(shown, asked.text, asked.answer, asked.kind)
    weak, strong = solver_prompts(task)
    check = filled(DOMAIN.prompt("verifier.md"), Subject(sources(1)[0], task))
    own = {"challenger": challenge(shown), "weak": weak, "strong": strong, "verifier": check}
    assert all(passages.recognises(role, prompt) for role, prompt in own.items())
    other = first_prompt(elsewhere(1)[0])
    assert not any(passages.recognises(role, other) for role in own)
    assert not passages.recognises("judge", check)


def test_every_good_question_has_its_answer_in_the_passage() -> None:
    """What is asked of a passage breaks no rule of form, and a careful reader finds exactly the answer."""
    kinds: Counter[str] = Counter()
    for number in range(20):
        shown = passage(number)
        for asked in passage_questions.good(shown):
            task = example(shown, asked.text, asked.answer, asked.kind)
            assert problems(task) == (), (asked, problems(task))
            found = passage_questions.found_in(shown, asked.text)
            assert found is not None and final(task, found).casefold() == task.reference_answer.casefold(), (
                asked
            )
            kinds[asked.kind] += 1
    assert kinds["string"] > 20 and kinds["number"] > 5


def test_who_is_shown_the_passage_knows_and_who_is_not_does_not() -> None:
    """The strong solver is mostly right with the passage; without it nobody is, whoever it is."""
    right: Counter[str] = Counter()
    total = 0
    for number in range(20):
        shown = passage(number)
        for asked in passage_questions.good(shown)[:4]:
            task = example(shown, asked.text, asked.answer, asked.kind)
            blind, seeing = solver_prompts(task)
            total += 1
            for role, prompt in (("weak", blind), ("strong", blind), ("strong", seeing), ("weak", seeing)):
                said = final(task, say(role, prompt, total))
                right[f"{role} {prompt is seeing}"] += (
                    compare(task.reference_answer, said, "string").verdict == "equal"
                )
    assert right["strong True"] > right["weak True"] > 0.4 * total and right["strong True"] > 0.7 * total
    assert right["weak False"] < 0.1 * total and right["strong False"] < 0.1 * total


def test_what_grammar_fills_in_needs_no_passage() -> None:
    """A gap where one word only can stand is filled by the weak solver without the passage, who says why."""
    found = [(number, one) for number in range(20) for one in passage_questions.forced(passage(number))][:20]
    assert len(found) == 20
    said = [
        say("weak", solver_prompts(example(passage(number), one.text, one.answer))[0], number)
        for number, one in found
    ]
    right = sum(text.endswith(f"Answer: {one.answer}") for text, (_, one) in zip(said, found, strict=True))
    assert right > 15 and any("Everybody knows" in text for text in said)


def test_a_choice_is_guessed_half_of_the_time() -> None:
    """With two options and no passage about half of the guesses are right."""
    rng = random.Random(1)
    shown = passage(3)
    asked = passage_questions.offered(shown, passage_questions.good(shown)[0], rng)
    task = example(shown, asked.text, asked.answer, "choice")
    blind, _ = solver_prompts(task)
    right = sum(final(task, say("weak", blind, seed)) == task.reference_answer for seed in range(100))
    assert asked.kind == "choice" and 30 < right < 70


def test_slips_are_what_the_domain_refuses_or_the_solvers_show() -> None:
    """Among many questions there are all kinds of slips, and plain good ones."""
    seen: Counter[str] = Counter()
    for number in range(300):
        shown = passage(number % 20)
        text = say("challenger", challenge(shown), number)
        try:
            task = read(agent().task(text, shown))
        except Malformed:
            seen["malformed"] += 1
            continue
        seen.update(problems(task) or ("in order",))
        seen[str(task.answer_kind)] += 1
        seen["vague"] += "is meant?" in task.question
        seen["forced"] += passage_questions.guess(task.question) is not None
    for name in (
        "malformed",
        "answer_in_question",
        "answer_not_in_passage",
        "answer_long",
        "vague",
        "forced",
        "choice",
    ):
        assert seen[name] > 2, (name, seen)
    assert 60 < seen["in order"] < 280


@pytest.mark.parametrize("cause", list(passage_writer.CARELESS))
def test_instructions_that_insist_lower_a_slip(cause: Any) -> None:
    """Each slip becomes rarer when the prompt speaks against it, and no other becomes more frequent."""
    prompts = [passage_writer.TAGGED.sub("", challenge("x", *more)) for more in ((), (REMEDIES[cause],))]
    plain, told = (passage_writer.risks(passage_writer.brief(one), "") for one in prompts)
    assert told[cause] < 0.75 * plain[cause]
    assert all(told[other] <= plain[other] + 1e-9 for other in plain)


def test_the_passage_instructs_nobody() -> None:
    """What stands in the passage is material: the same words there change no slip."""
    shown = f"{passage()} {' '.join(REMEDIES.values())}"
    prompts = [passage_writer.TAGGED.sub("", challenge(one)) for one in (passage(), shown)]
    assert prompts[0] == prompts[1]


def test_the_verifier_sees_what_is_wrong() -> None:
    """It reports a leak, a guessable gap and an unclear question far more often than their absence."""
    shown = passage()
    asked, easy = passage_questions.good(shown)[0], passage_questions.forced(shown)[0]
    tasks = {
        "fine": example(shown, asked.text, asked.answer, asked.kind),
        "leak": example(shown, f"{asked.text} It is {asked.answer}.", asked.answer),
        "easy": example(shown, easy.text, easy.answer),
        "vague": example(shown, "Which string is meant?", asked.answer),
    }
    found = {name: [checked(task, seed) for seed in range(80)] for name, task in tasks.items()}
    faults = {
        name: Counter(
            fault
            for one in checks
            for fault, there in (
                ("leak", one.leak), ("easy", one.quality != "GOOD"), ("vague", not one.single_answer)
            )
            if there
        )
        for name, checks in found.items()
    }  # fmt: skip
    assert sum(faults["fine"].values()) < 12
    assert faults["leak"]["leak"] > 50 and 8 < faults["easy"]["easy"] < 50 and faults["vague"]["vague"] > 20


def checked(task: Example, seed: int) -> AnswerChecks:
    """The first usable answer of the verifier."""
    prompt = filled(DOMAIN.prompt("verifier.md"), Subject(sources(1)[0], task))
    for again in range(5):
        try:
            return parse(say("verifier", prompt, seed + 1000 * again), AnswerChecks)
        except Malformed:
            continue
    raise AssertionError("no usable reply")


def test_the_baseline_leaves_room_and_better_prompts_use_it() -> None:
    """Played for real, the baseline is accepted on 10 to 60 % of the documents, and much more with all remedies."""
    plain, told = rate(played(40)), rate(played(40, *REMEDIES.values()))
    assert 0.1 <= plain <= 0.6
    assert told >= plain + 0.2


def test_failures_are_of_every_kind() -> None:
    """The baseline's submissions end at every stage, so that there is something to learn."""
    stages = Counter(one.stage for env in played(40, trial=2) for one in env.reports)
    assert {"malformed", "quality", "too_easy", "failed_on_strong", "accepted"} <= stages.keys()


def test_a_prompt_that_asks_for_no_question_gets_notes() -> None:
    """Whoever asks for something else gets prose and no task."""
    text = passages.reply(
        "challenger", "Read the passage. Passage and answer_kind and passage.", random.Random(0)
    )
    assert "{" not in text


def test_prompts_without_a_passage_do_not_break_it() -> None:
    """A scaffold that forgets the passage still gets a question, which the domain then refuses."""
    text = render(PROMPTS["challenger.md"], name="x", passage="", request="Go.")
    task = json.loads(passages.reply("challenger", text, random.Random(0)))
    assert task["question"]
