"""The baseline scaffold: the paper's inner loop in plain code, prompts filled in faithfully, nothing it may not use."""

import ast
import importlib.util
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BASELINE = Path(__file__).parents[1] / "baseline_repo" / "cs"
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
    "too_easy": {"weak_mean": 0.812, "weak_best": 0.9, "reasons": ["weak_mean_high"]},
    "failed_on_strong": {"weak_mean": 0.4, "weak_best": 0.5, "strong_mean": 0.45, "gap": 0.05},
    "quality": {"feedback": "The context\nleaks.", "reasons": ["leak"]},
    "malformed": {"feedback": "rubric.0.weight: not an integer", "reasons": ["malformed"]},
}
TITLES = {
    "too_easy": "TOO EASY",
    "failed_on_strong": "FAILED ON STRONG",
    "quality": "FAILED QUALITY CHECK",
    "malformed": "UNREADABLE",
}


@dataclass(frozen=True)
class Document:
    name: str = "queues"
    text: str = "A queue keeps order. {{name}} {{request}} {{unknown}}"


@dataclass
class Env:
    """Answers every ask with a numbered task and every submission with the next stage of the script."""

    stages: list[str]
    prompts: list[str] = field(default_factory=list)
    submitted: list[object] = field(default_factory=list)
    reply: str = ""

    @property
    def submissions_left(self) -> int:
        return len(self.stages)

    def ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.reply or json.dumps(
            {"question_type": "prediction", "question": f"Question {len(self.prompts)}?"}
        )

    def submit(self, example: object) -> dict[str, Any]:
        self.submitted.append(example)
        stage = self.stages.pop(0)
        return REPORT | FAILURES.get(stage, {}) | {"stage": stage, "accepted": stage == "accepted"}


def agent() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scaffold_agent", BASELINE / "agent.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def played(*stages: str, reply: str = "", document: Document | None = None) -> Env:
    env = Env(list(stages), reply=reply)
    agent().create(document or Document(), env)
    return env


def test_it_stops_when_a_task_is_accepted() -> None:
    """After an accepted submission nothing more is asked or submitted."""
    env = played("too_easy", "accepted", "too_easy")
    assert len(env.prompts) == len(env.submitted) == 2


def test_it_uses_up_its_submissions() -> None:
    """It goes on until no submission is left, one ask for each."""
    env = played("too_easy", "quality", "malformed")
    assert len(env.prompts) == len(env.submitted) == 3


def test_it_hands_in_what_the_challenger_wrote() -> None:
    """A reply is submitted as it is: the host reads it."""
    assert played("accepted", reply="no task at all").submitted == ["no task at all"]


def test_every_prompt_holds_the_document_once_and_untouched() -> None:
    """The document stands in each prompt exactly once, and what looks like a placeholder in it stays as it is."""
    env = played("too_easy", "quality", "accepted")
    assert all(prompt.count(Document().text) == 1 for prompt in env.prompts)
    rest = [prompt.replace(Document().text, "") for prompt in env.prompts]
    assert not any("{{" in prompt for prompt in rest) and all('name="queues"' in prompt for prompt in rest)


def test_the_first_round_speaks_of_no_failures() -> None:
    """Without failures the refinement prompt is not used."""
    assert not any(title in played("accepted").prompts[0] for title in ("### ", "entirely new question"))


@pytest.mark.parametrize("stage", FAILURES)
def test_a_failure_is_listed_under_its_group_and_empty_groups_are_left_out(stage: str) -> None:
    """Each stage has its heading; headings of stages that did not occur are absent."""
    prompt = played(stage, "accepted").prompts[1]
    found = [title for title in TITLES.values() if f"### {title}\n" in prompt]
    assert found == [TITLES[stage]]
    assert "- (prediction) Question 1?" in prompt and "entirely new question" in prompt


def test_all_failures_are_listed_with_what_was_measured() -> None:
    """Later rounds list every earlier failure with its scores or reason on one line each."""
    prompt = played("too_easy", "failed_on_strong", "quality", "malformed", "accepted").prompts[4]
    assert "- (prediction) Question 1? [weak 0.81]\n" in prompt
    assert "- (prediction) Question 2? [weak 0.40, strong 0.45, gap 0.05]\n" in prompt
    assert "- (prediction) Question 3? [The context leaks.]\n" in prompt
    assert "- (prediction) Question 4? [rubric.0.weight: not an integer]" in prompt
    assert (
        prompt.index("TOO EASY\n\n- ")
        < prompt.index("FAILED ON STRONG\n\n- ")
        < prompt.index("UNREADABLE\n\n- ")
    )


@pytest.mark.parametrize(
    "reply", ["", "no JSON", "} {", "[1]", '{"question": ["a list"]}', "{broken", '{"a": {"b": 1}']
)
def test_unreadable_replies_do_not_stop_it(reply: str) -> None:
    """Whatever the challenger wrote, the failure is recorded and the next round is asked for."""
    env = played("malformed", "accepted", reply=reply or "\n")
    assert len(env.prompts) == 2 and "UNREADABLE" in env.prompts[1]


def test_a_long_question_is_cut_in_the_record() -> None:
    """A failure takes a bounded part of the next prompt however long its question was."""
    env = played("too_easy", "accepted", reply=json.dumps({"question": "why " * 5000}))
    assert len(env.prompts[1]) < len(env.prompts[0]) + 4000


def test_it_uses_the_standard_library_only() -> None:
    """Every import of the scaffold is of the standard library, and nothing evaluates text as code."""
    for path in BASELINE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        modules = [
            name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
        ]
        modules += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert {name.split(".")[0] for name in modules} <= sys.stdlib_module_names
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"eval", "exec", "compile", "__import__", "open", "print"}


def test_the_folder_holds_what_may_be_edited_and_its_readme() -> None:
    """Agent, three prompts and the README, as the README says."""
    files = {
        path.relative_to(BASELINE).as_posix() for path in BASELINE.rglob("*") if path.suffix in (".py", ".md")
    }
    assert files == {
        "README.md",
        "agent.py",
        "prompts/challenger.md",
        "prompts/first_round.md",
        "prompts/refinement.md",
    }
    readme = (BASELINE / "README.md").read_text("utf-8")
    assert all(f"`{name}`" in readme for name in files - {"README.md"})
