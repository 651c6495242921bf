"""The maths scaffold: several prompts at once, screening, the promising problems first, failures listed."""

import ast
import asyncio
import importlib.util
import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evolve.workshop import Stub

BASELINE = Path(__file__).parents[1] / "baseline_repo" / "math"
REPORT = {
    "accepted": False,
    "reasons": [],
    "feedback": "",
    "weak_mean": None,
    "weak_best": None,
    "strong_mean": None,
    "gap": None,
}
FAILURES: dict[str, dict[str, Any]] = {
    "too_easy": {"weak_mean": 0.75, "reasons": ["weak_mean_high"]},
    "failed_on_strong": {"weak_mean": 0.25, "strong_mean": 0.5, "reasons": ["strong_mean_low"]},
    "quality": {"feedback": "The text\nstates it.", "reasons": ["leak"]},
    "malformed": {"feedback": "difficulty: not allowed", "reasons": ["malformed"]},
}
WORDS = (
    "owl",
    "fox",
    "bee",
    "elk",
    "ant",
    "cod",
    "emu",
    "hen",
    "jay",
    "koi",
    "yak",
    "rat",
    "pig",
    "cat",
    "dog",
    "cow",
)


def problem(number: int, **changes: Any) -> dict[str, Any]:
    """A problem that passes the screening and resembles no other."""
    return {
        "question_type": "roots",
        "skills": ["algebra"],
        "context": "",
        "question": f"Consider the {f'{WORDS[number % 16]} ' * 6}number {number}. For which $x$ is it $0$?",
        "reference_answer": r"\{1, \frac{1}{2}\}",
        "answer_kind": "set",
    } | changes


@dataclass(frozen=True)
class Document:
    name: str = "gamma"
    text: str = "The gamma function. {{name}} {{request}} {{angle}} {{unknown}}"


@dataclass
class Env:
    """Answers asks with the replies in turn, else with a good problem, and submissions with the stages in turn."""

    stages: list[str]
    replies: list[str] = field(default_factory=list)
    asks: int = 16
    prompts: list[list[str]] = field(default_factory=list)
    submitted: list[Any] = field(default_factory=list)
    count: int = 0

    class AllowanceSpent(Exception):
        pass

    @property
    def submissions_left(self) -> int:
        return len(self.stages)

    def ask(self, prompts: list[str]) -> list[str]:
        self.asks -= len(prompts)
        if self.asks < 0:
            raise self.AllowanceSpent
        self.prompts.append(prompts)
        return [self.reply() for _ in prompts]

    def reply(self) -> str:
        self.count += 1
        return self.replies.pop(0) if self.replies else json.dumps(problem(self.count))

    def submit(self, example: Any) -> dict[str, Any]:
        self.submitted.append(example)
        stage = self.stages.pop(0)
        return REPORT | FAILURES.get(stage, {}) | {"stage": stage, "accepted": stage == "accepted"}


def agent() -> ModuleType:
    spec = importlib.util.spec_from_file_location("maths_agent", BASELINE / "agent.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def played(*stages: str, replies: tuple[str, ...] = (), document: Document | None = None) -> Env:
    env = Env(list(stages), list(replies))
    agent().create(document or Document(), env)
    return env


def test_several_prompts_are_asked_at_once() -> None:
    """One call asks from three to five angles; the prompts differ in nothing but the angle."""
    prompts = played("accepted").prompts
    assert len(prompts) == 1 and 3 <= len(prompts[0]) <= 5
    angles = agent().angles()
    assert len(set(prompts[0])) == len(angles) == len(prompts[0])
    assert {text.replace(angle, "") for text, angle in zip(prompts[0], angles, strict=True)} == {
        prompts[0][0].replace(angles[0], "")
    }


def test_it_stops_when_a_problem_is_accepted() -> None:
    """After an accepted problem nothing more is asked or submitted."""
    env = played("too_easy", "accepted", "accepted")
    assert len(env.submitted) == 2 and len(env.prompts) == 1


def test_two_problems_of_a_round_are_tried_before_new_ones_are_asked_for() -> None:
    """After two failures all angles are asked again, until no submission is left."""
    env = played("too_easy", "quality", "failed_on_strong")
    assert len(env.submitted) == 3 and [len(one) for one in env.prompts] == [4, 4]


def test_the_promising_problem_goes_first() -> None:
    """Of several, the one that builds on the most definitions is submitted first, then the longer answer."""
    deep = problem(1, question="Let $a = 1$, $b = a + 1$, $c = a b$. What is the set of their roots?")
    rich = problem(2, reference_answer=r"\{1, \frac{1}{2}, \frac{1}{3}, \frac{1}{5}\}")
    env = played(
        "too_easy",
        "too_easy",
        "accepted",
        replies=tuple(map(json.dumps, (problem(3), rich, deep, problem(4)))),
    )
    assert env.submitted[:2] == [deep, rich]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"reference_answer": "12"}, "can be guessed"),
        ({"reference_answer": "$-0.25$"}, "can be guessed"),
        ({"reference_answer": r"\pi \approx 3.14"}, "can be guessed"),
        ({"question": "What is $f$? What is $g$?"}, "more than one question"),
        ({"answer_kind": "theorem"}, "answer_kind"),
        ({"reference_answer": "It is $x$. This follows. As said."}, "longer than one sentence"),
        ({"question": 5}, "no JSON object"),
        ({"question": problem(2)["question"], "skills": ["another"]}, "repeats"),
    ],
)
def test_a_bad_problem_is_screened_out(change: dict[str, Any], reason: str) -> None:
    """What would fail on form is not submitted, and the next prompts say why."""
    replies = (problem(2), problem(3, **change), problem(4), problem(5))
    env = played("too_easy", "too_easy", "accepted", replies=tuple(map(json.dumps, replies)))
    assert replies[1] not in env.submitted
    listed = env.prompts[1][0].split("### UNREADABLE OR UNFIT")[1].split("###")[0]
    assert listed.count("\n- ") == 1 and reason in listed


@pytest.mark.parametrize(
    "reply", ["", "no JSON", "} {", "[1]", "{broken", '{"a": {"b": 1}', '{"question": null}', "null"]
)
def test_unreadable_replies_cost_no_submission(reply: str) -> None:
    """Whatever the challenger wrote, only readable problems are submitted."""
    env = played("accepted", replies=(reply,) * 7)
    assert len(env.submitted) == 1 and len(env.prompts) == 2 and "UNREADABLE OR UNFIT" in env.prompts[1][0]


def test_it_ends_when_the_asks_are_used_up() -> None:
    """If nothing ever passes the screening, the allowance ends it."""
    with pytest.raises(Env.AllowanceSpent):
        played("accepted", replies=("nothing",) * 40)


def test_prose_around_a_problem_is_cut_away() -> None:
    """The object inside a reply is submitted, since the host repairs nothing."""
    wordy = f"Here it is:\n```json\n{json.dumps(problem(1))}\n```\nGood luck."
    assert played("accepted", replies=(wordy, "", "", "")).submitted == [problem(1)]


@pytest.mark.parametrize(
    ("stage", "title", "told"),
    [
        ("too_easy", "TOO EASY", "[weak right 75%]"),
        ("failed_on_strong", "FAILED ON STRONG", "[weak right 25%, strong right 50%]"),
        ("quality", "FAILED QUALITY CHECK", "[The text states it.]"),
        ("malformed", "UNREADABLE OR UNFIT", "[difficulty: not allowed]"),
    ],
)
def test_a_failure_is_listed_under_its_group(stage: str, title: str, told: str) -> None:
    """Every angle's prompt lists the failures with what was measured; groups without any are left out."""
    env = played(stage, stage, "accepted")
    for prompt in env.prompts[1]:
        assert prompt.count("\n### ") == 1 and f"### {title}\n" in prompt
        assert prompt.count(told) == 2 and prompt.count("- (set) Consider") == 2
    assert "### " not in env.prompts[0][0]


def test_every_prompt_holds_the_document_once_and_untouched() -> None:
    """What looks like a placeholder in the document stays as it is, and no place is left open."""
    env = played("too_easy", "quality", "accepted")
    for prompt in [one for several in env.prompts for one in several]:
        assert prompt.count(Document().text) == 1 and 'name="gamma"' in prompt
        assert "{{" not in prompt.replace(Document().text, "")


def test_a_long_document_is_cut() -> None:
    """Only the beginning of the document is shown: it gives the subject."""
    env = played("accepted", document=Document(text="special functions " * 5_000))
    assert all(len(one) < 12_000 for one in env.prompts[0])


def test_it_comes_through_the_stub_rollout() -> None:
    """What every child is started with leads this scaffold through asking, screening and a submission."""
    stub = Stub()

    class Stubbed:
        submissions_left = 3

        def ask(self, prompts: list[str]) -> list[str]:
            found = asyncio.run(stub.answer({"ask": prompts}))
            if "spent" in found:
                raise Env.AllowanceSpent
            texts: list[str] = found["texts"]
            return texts

        def submit(self, example: Any) -> dict[str, Any]:
            found: dict[str, Any] = asyncio.run(stub.answer({"submit": example}))["report"]
            return found

    with suppress(Env.AllowanceSpent):
        agent().create(Document(), Stubbed())
    assert stub.submitted >= 1


def test_it_uses_the_standard_library_only() -> None:
    """Every import of the scaffold is of the standard library, and nothing evaluates text as code."""
    tree = ast.parse((BASELINE / "agent.py").read_text("utf-8"))
    modules = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    modules += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in modules} <= sys.stdlib_module_names
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"eval", "exec", "compile", "__import__", "open", "print"}


def test_the_folder_holds_what_may_be_edited_and_its_readme() -> None:
    """Agent, prompts and the README, which names each of them."""
    found = (path.relative_to(BASELINE).as_posix() for path in BASELINE.rglob("*") if path.is_file())
    files = {one for one in found if "__pycache__" not in one}
    assert files == {"README.md", "agent.py"} | {
        f"prompts/{name}.md" for name in ("challenger", "angles", "first_round", "refinement")
    }
    readme = (BASELINE / "README.md").read_text("utf-8")
    assert all(f"`{name}`" in readme for name in files - {"README.md"})
