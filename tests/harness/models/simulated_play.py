"""The inner loop played inside one process on the simulated models, and documents that are the same everywhere."""

import importlib.util
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import gate
from harness.domains import RubricChecks as Checks
from harness.domains import cs
from harness.judge import read as read_judgement
from harness.models.simulated import complete
from harness.parsing import Malformed, parse
from harness.prompting import load, numbered, render
from harness.trajectory import Example, Report
from harness.verifier import conclude, malformed

BASELINE = Path(__file__).parents[3] / "baseline_repo" / "cs"
PROMPTS = {path.name: path.read_text("utf-8") for path in (BASELINE / "prompts").glob("*.md")}
WORDS = {
    "nouns": "journal page cursor lease ledger bucket shard replica token quota epoch segment index digest filter ring"
    " barrier snapshot tombstone manifest checkpoint mailbox horizon watermark ticket envelope registry gossip beacon",
    "kinds": "pending shared stale sealed remote lazy ordered sparse frozen hidden local primary volatile nested",
    "verbs": "keeps defers merges refuses publishes trims replays shields splits renews",
}
NOUNS, KINDS, VERBS = (words.split() for words in WORDS.values())

REMEDIES = {
    "generic": "Rest the question on a finding, mechanism or trade-off that only this document has. Throw away any "
    "question that general knowledge of the field could answer.",
    "shallow": "Answering must take a chain of at least three dependent steps in which several factors interact. "
    "Never accept a question that can be answered in one step.",
    "leak": "Hold the conclusion back: the context gives premises and never states the outcome. If somebody could "
    "answer by quoting the context, rewrite it.",
    "underspecified": "The context must be self-contained. Give every premise, definition and quantity that the "
    "solver needs.",
    "misfire": "Each negative criterion names one specific wrong claim, so narrow that a correct answer can never "
    "trigger it. Avoid vague negative criteria.",
    "lenient": "Every positive criterion tests one specific claim with its direction and condition. Never give credit "
    "for merely mentioning the topic.",
    "format": "Return strict JSON and nothing else, with exactly these fields. Weights are integers, never strings "
    "and never decimals.",
}


@dataclass(frozen=True)
class Source:
    """A document as a scaffold sees it."""

    name: str
    text: str


def documents(count: int) -> list[Source]:
    """Made-up documentation of made-up systems, at least 3,000 characters each."""
    return [Source(f"system {number}", _text(random.Random(number))) for number in range(count)]


def _text(rng: random.Random) -> str:
    terms = [f"{rng.choice(KINDS)} {noun}" for noun in rng.sample(NOUNS, 24)]
    lines = []
    while sum(map(len, lines)) < 3000:
        one, other, third = rng.sample(terms, 3)
        lines.append(
            f"The {one} {rng.choice(VERBS)} the {other} before any {third} gets through to the disk."
        )
    return "\n".join(lines)


def say(role: str, prompt: str, seed: int) -> str:
    """One reply of a simulated role."""
    messages = [{"role": "user", "content": prompt}]
    body = {"model": f"simulated-{role}", "messages": messages, "seed": seed, "max_tokens": 4096}
    text: str = complete(body, 0)["choices"][0]["message"]["content"]
    return text


class Env:
    """What a scaffold is handed: the real rules of parsing, counting and the gate, with no pipe in between."""

    def __init__(self, document: Source, seed: int) -> None:
        self.document = document
        self.seed = seed * 1000
        self.submissions_left = 3
        self.prompts: list[str] = []
        self.reports: list[dict[str, Any]] = []

    def ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return say("challenger", prompt, self.seed + len(self.prompts))

    def submit(self, submission: object) -> dict[str, Any]:
        self.submissions_left -= 1
        self.reports.append(self.measured(submission).model_dump(mode="json"))
        return self.reports[-1]

    @property
    def accepted(self) -> bool:
        return any(report["accepted"] for report in self.reports)

    def measured(self, submission: object) -> Report:
        try:
            example = cs.read(submission)
        except Malformed as problem:
            return Report(accepted=False, stage="malformed", reasons=("malformed",), feedback=str(problem))
        start = self.seed + 100 * (1 + self.submissions_left)
        broken = cs.problems(example)
        verified = malformed(example, broken) if broken else conclude(example, self._checks(example, start))
        if not verified.passed:
            return Report(
                accepted=False, stage="quality", reasons=verified.reasons, feedback=verified.feedback
            )
        weak = [attempt(example, "weak", start + 10 + number) for number in range(3)]
        decided = gate.weak_verdict(gate.PRESETS["meta"], weak)
        means = {"weak_mean": sum(weak) / 3, "weak_best": max(weak)}
        if not decided.accepted:
            return Report(accepted=False, stage="too_easy", reasons=decided.reasons, feedback="", **means)
        strong = [attempt(example, "strong", start + 20 + number) for number in range(3)]
        decided = gate.verdict(gate.PRESETS["meta"], weak, strong)
        means |= {"strong_mean": sum(strong) / 3, "gap": (sum(strong) - sum(weak)) / 3}
        stage: Any = "accepted" if decided.accepted else "failed_on_strong"
        return Report(accepted=decided.accepted, stage=stage, reasons=decided.reasons, feedback="", **means)

    def _checks(self, example: Example, seed: int) -> Checks:
        prompt = verifier_prompt(self.document.text, example)
        return usable("verifier", prompt, seed, lambda text: parse(text, Checks))


LINE = "=== 0123456789abcdef ==="


def verifier_prompt(document: str, example: Example) -> str:
    """The frozen prompt of the verifier, filled in."""
    return render(
        load("harness", "verifier.md"),
        boundary=LINE,
        document=document,
        context=example.context,
        question=example.question,
        question_type=example.question_type,
        criteria=numbered(example.rubric),
    )


def solver_prompt(example: Example) -> str:
    """The frozen prompt of both solvers, filled in."""
    return render(load("harness", "solver.md"), context=example.context, question=example.question)


def judge_prompt(example: Example, answer: str) -> str:
    """The frozen prompt of the judge, filled in."""
    return render(
        load("harness", "judge.md"),
        question=example.question,
        answer=answer,
        boundary=LINE,
        criteria=numbered(example.rubric),
        count=str(len(example.rubric)),
    )


def attempt(example: Example, solver: str, seed: int) -> float:
    """The score of one attempt."""
    prompt = judge_prompt(example, say(solver, solver_prompt(example), seed))
    hits = usable("judge", prompt, seed, lambda text: read_judgement(text, len(example.rubric)))
    return gate.rubric_score(example.rubric, hits)


def usable(role: str, prompt: str, seed: int, read: Callable[[str], Any]) -> Any:
    """The first usable reply of an instrument role."""
    for again in range(6):
        try:
            return read(say(role, prompt, seed + again * 10**6))
        except Malformed:
            continue
    raise AssertionError(f"no usable reply of {role}")


@dataclass
class Scaffold:
    """The baseline agent with other prompts. Sentences are added to the section on the task."""

    sentences: Iterable[str] = ()
    replaced: Mapping[str, str] = field(default_factory=dict)

    def create(self, document: Source, env: Env) -> None:
        agent = load_agent()
        prompts = dict(PROMPTS)
        text = prompts["challenger.md"]
        for old, new in self.replaced.items():
            assert old in text, old
            text = text.replace(old, new)
        rows = "".join(f"- {sentence}\n" for sentence in self.sentences)
        prompts["challenger.md"] = text.replace("\n# The rubric\n", f"{rows}\n# The rubric\n")
        agent.read = prompts.__getitem__  # type: ignore[attr-defined]  # a module of the scaffold, loaded just now
        agent.create(document, env)


def load_agent() -> ModuleType:
    """A fresh copy of the baseline's agent.py as a module."""
    spec = importlib.util.spec_from_file_location("baseline_agent", BASELINE / "agent.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def play(create: Callable[[Source, Env], None], sources: list[Source], trials: int = 1) -> list[Env]:
    """Every document, `trials` times."""
    played = []
    for trial in range(trials):
        for number, source in enumerate(sources, 1):
            env = Env(source, trial * 10_000 + number)
            create(source, env)
            played.append(env)
    return played


def rate(played: list[Env]) -> float:
    """Which part of the rollouts ended with an accepted example."""
    return sum(env.accepted for env in played) / len(played)


def first_prompt(source: Source, *sentences: str) -> str:
    """What the baseline asks in its first round, with sentences added."""

    class Asked(Exception):
        pass

    class Once(Env):
        def ask(self, prompt: str) -> str:
            self.prompts.append(prompt)
            raise Asked

    env = Once(source, 1)
    with suppress(Asked):
        Scaffold(sentences).create(source, env)
    return env.prompts[0]
