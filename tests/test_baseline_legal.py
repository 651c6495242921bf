"""The scaffold of the legal domain: write, improve with what was said, keep the record, use nothing it may not."""

import ast
import importlib.util
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BASELINE = Path(__file__).parents[1] / "baseline_repo" / "legal"
REPORT: dict[str, Any] = {
    "accepted": False,
    "reasons": ["judge_improve"],
    "feedback": "",
    "weak_mean": None,
    "weak_best": None,
    "strong_mean": None,
    "gap": None,
}
SAID: dict[str, dict[str, Any]] = {
    "improve": {
        "weak_mean": 0.41,
        "strong_mean": 0.52,
        "gap": 0.11,
        "feedback": "The gap is small. Sharpen claim 2.\n\n# Diagnostic packet\n\nWeak 0.41, strong 0.52.",
    },
    "quality": {"feedback": "The message states the rule.", "reasons": ["leak"]},
    "malformed": {"feedback": "rubric.0.weight: not an integer", "reasons": ["malformed"]},
}
NOTES = {
    "document_type": "statute",
    "keywords": ["deposit", "lease"],
    "issues": ["When is it owed?"],
    "facts": ["The tenant left."],
    "holdings": [{"rule": "It is owed.", "reasoning": "No damage was shown."}],
}


@dataclass(frozen=True)
class Document:
    name: str = "deposits"
    text: str = "A deposit is owed back. {{name}} {{request}} {{case}}"
    notes: dict[str, Any] = field(default_factory=lambda: NOTES)


@dataclass
class Env:
    """Answers every ask with a numbered case and every submission with the next stage of the script."""

    stages: list[str]
    prompts: list[str] = field(default_factory=list)
    submitted: list[object] = field(default_factory=list)
    reply: str = ""

    @property
    def submissions_left(self) -> int:
        return len(self.stages)

    def ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.reply or json.dumps({"question": f"Client {len(self.prompts)} asks?", "rubric": []})

    def submit(self, example: object) -> dict[str, Any]:
        self.submitted.append(example)
        stage = self.stages.pop(0)
        return REPORT | SAID.get(stage, {}) | {"stage": stage, "accepted": stage == "accepted"}


def agent() -> ModuleType:
    spec = importlib.util.spec_from_file_location("legal_agent", BASELINE / "agent.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def played(*stages: str, reply: str = "", document: Document | None = None) -> Env:
    env = Env(list(stages), reply=reply)
    agent().create(document or Document(), env)
    return env


def test_it_stops_when_a_case_is_accepted() -> None:
    """After an accepted submission nothing more is asked or submitted."""
    env = played("improve", "accepted", "improve")
    assert len(env.prompts) == len(env.submitted) == 2


def test_it_uses_up_its_submissions() -> None:
    """It goes on until no submission is left, one ask for each."""
    env = played(*["improve"] * 16)
    assert len(env.prompts) == len(env.submitted) == 16


def test_what_the_extractor_found_is_in_every_prompt() -> None:
    """Kind, topics, issues, facts and rules with their reasons; a document without notes says so."""
    for prompt in played("improve", "accepted").prompts:
        for part in (
            "statute",
            "deposit, lease",
            "When is it owed?",
            "The tenant left.",
            "It is owed. Reason: No damage",
        ):
            assert part in prompt
    assert "Nothing was noted." in played("accepted", document=Document(notes={})).prompts[0]


def test_every_prompt_holds_the_source_once_and_untouched() -> None:
    """The source stands in each prompt exactly once, and what looks like a placeholder in it stays as it is."""
    env = played("improve", "quality", "accepted")
    assert all(prompt.count(Document().text) == 1 for prompt in env.prompts)
    rest = [prompt.replace(Document().text, "") for prompt in env.prompts]
    assert not any("{{" in prompt for prompt in rest)


def test_the_first_round_speaks_of_no_earlier_case() -> None:
    """Without failures the improvement prompt is not used."""
    assert "Your last case" not in played("accepted").prompts[0]


def test_a_later_round_shows_the_last_case_and_all_that_was_said_of_it() -> None:
    """The case itself, the judge's words and the packet; of earlier rounds the verdicts alone."""
    second, third = played("improve", "quality", "accepted").prompts[1:]
    assert (
        '{"question": "Client 1 asks?"' in second and "Sharpen claim 2." in second and "Weak 0.41" in second
    )
    assert '{"question": "Client 2 asks?"' in third and "The message states the rule." in third
    assert "Sharpen claim 2." not in third and '{"question": "Client 1 asks?"' not in third
    assert (
        "1. improve (judge_improve) [weak 0.41, strong 0.52, gap 0.11] Client 1 asks?\n2. quality (leak) Client 2"
        in third
    )


def test_a_report_without_words_is_told_by_its_reasons() -> None:
    """Where a bound of the gate ended a submission there is no feedback; the names of the reasons stand in for it."""
    assert "## What was said about it\n\njudge_improve\n" in played("failed_on_strong", "accepted").prompts[1]


@pytest.mark.parametrize(
    "reply", ["", "no JSON", "} {", "[1]", '{"question": ["a list"]}', "{broken", '{"a": {"b": 1}']
)
def test_unreadable_replies_do_not_stop_it(reply: str) -> None:
    """Whatever the challenger wrote, the failure is recorded and the next round is asked for."""
    env = played("malformed", "accepted", reply=reply or "\n")
    assert len(env.prompts) == 2 and "1. malformed (malformed)" in env.prompts[1]


def test_a_long_reply_is_cut_in_the_record() -> None:
    """A round takes a bounded part of the next prompt however long its case was."""
    env = played("improve", "accepted", reply=json.dumps({"question": "why " * 50_000}))
    assert len(env.prompts[1]) < len(env.prompts[0]) + 16_000


def test_it_uses_the_standard_library_only() -> None:
    """Every import of the scaffold is of the standard library, and nothing evaluates text as code."""
    tree = ast.parse((BASELINE / "agent.py").read_text("utf-8"))
    modules = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    modules += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in modules} <= sys.stdlib_module_names
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"eval", "exec", "compile", "__import__", "open", "print"}


def test_the_folder_holds_what_may_be_edited_and_its_readme() -> None:
    """Agent, three prompts and the README, which names them all and states the bands of the weights."""
    files = {
        path.relative_to(BASELINE).as_posix() for path in BASELINE.rglob("*") if path.suffix in (".py", ".md")
    }
    assert files == {
        "README.md",
        "agent.py",
        "prompts/writer.md",
        "prompts/first_round.md",
        "prompts/improvement.md",
    }
    readme = (BASELINE / "README.md").read_text("utf-8")
    assert all(f"`{name}`" in readme for name in files - {"README.md"})
    for band in ("| `decisive` | 8 to 10 |", "| `substantial` | 5 to 7 |", "| `supporting` | 2 to 4 |"):
        assert band in readme
