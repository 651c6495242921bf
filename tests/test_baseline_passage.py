"""The baseline scaffold for questions on a passage: picks real passages, asks about them, and uses nothing it may not."""

import ast
import importlib.util
import json
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.domains.passage import LONGEST_PASSAGE, SHORTEST_PASSAGE, problems, read
from harness.place import Subject, misquoted
from harness.types import Document

BASELINE = Path(__file__).parents[1] / "baseline_repo" / "passage"
TITLES = {
    "too_easy": "TOO EASY",
    "failed_on_strong": "FAILED ON STRONG",
    "quality": "FAILED QUALITY CHECK",
    "malformed": "UNREADABLE",
}
REPORT = {
    "reasons": [],
    "feedback": "",
    "weak_mean": None,
    "weak_best": None,
    "strong_mean": None,
    "gap": None,
}
FOUND: dict[str, dict[str, Any]] = {
    "too_easy": {"weak_mean": 2 / 3, "weak_best": 1.0},
    "failed_on_strong": {"weak_mean": 0.0, "weak_best": 0.0, "strong_mean": 1 / 3, "gap": 1 / 3},
    "quality": {"feedback": "The answer\ncan be guessed.", "reasons": ["too_easy"]},
    "malformed": {"feedback": "answer_kind: missing", "reasons": ["malformed"]},
}
PARAGRAPH = (
    "The size of the NAME is SIZE bytes, and it is read\nas a whole. Nobody but the supervisor may write to the NAME; "
    "whoever else tries\nis turned away with an error. {{passage}} {{request}} {{unknown}} It is checked once an hour."
)
DEVICES = {"disk": "512", "tape": "80", "drum": "4096", "card": "72"}
PARAGRAPHS = [PARAGRAPH.replace("NAME", name).replace("SIZE", size) for name, size in DEVICES.items()]
TEXT = "# Devices\n\nMenu\n\n" + "\n\n".join(PARAGRAPHS) + "\n\nx = 1; y = {2}; z[3] = (4)\n"
QUESTION = {
    "question_type": "fact",
    "question": "How many bytes?",
    "reference_answer": "512",
    "answer_kind": "number",
}


@dataclass(frozen=True)
class Source:
    name: str = "devices"
    text: str = TEXT


@dataclass
class Env:
    """Answers every ask with a question and every submission with the next stage of the script."""

    stages: list[str]
    reply: str = json.dumps(QUESTION)
    prompts: list[str] = field(default_factory=list)
    submitted: list[Any] = field(default_factory=list)

    @property
    def submissions_left(self) -> int:
        return len(self.stages)

    def ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.reply

    def submit(self, submission: object) -> dict[str, Any]:
        self.submitted.append(submission)
        stage = self.stages.pop(0)
        return REPORT | FOUND.get(stage, {}) | {"stage": stage, "accepted": stage == "accepted"}


def agent() -> ModuleType:
    spec = importlib.util.spec_from_file_location("passage_agent", BASELINE / "agent.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def played(*stages: str, source: Source | None = None, **more: Any) -> Env:
    env = Env(list(stages), **more)
    random.seed(1)
    agent().create(source or Source(), env)
    return env


def test_it_stops_at_the_first_accepted_question() -> None:
    """Nothing is asked after acceptance, and a failure leads to another round while submissions are left."""
    assert len(played("accepted", "accepted").prompts) == 1
    assert len(played("too_easy", "quality", "accepted", "accepted").prompts) == 3
    assert len(played("too_easy", "too_easy").prompts) == 2


def test_what_it_submits_is_the_models_question_with_the_documents_own_passage() -> None:
    """The passage stands in the document word for word, and the submission is one that the domain can read."""
    (submitted,) = played("accepted").submitted
    example = read(submitted)
    document = Document("0" * 16, "devices", TEXT)
    assert misquoted(Subject(document, example)) == () and submitted == QUESTION | {
        "passage": submitted["passage"]
    }
    assert SHORTEST_PASSAGE <= len(example.passage) <= LONGEST_PASSAGE
    assert not [name for name in problems(example) if name.startswith("passage")]


def test_every_round_takes_another_passage() -> None:
    """No passage is used twice, and when there are no more it ends."""
    env = played(*["too_easy"] * 9)
    shown = [one["passage"] for one in env.submitted]
    assert len(shown) == len(set(shown)) == len(PARAGRAPHS)


def test_only_prose_is_asked_about() -> None:
    """Headings, menus and code are no passages; a text without prose is cut into pieces all the same."""
    found = agent().passages(TEXT)
    assert len(found) == len(PARAGRAPHS) and not any("Menu" in one or "x = 1" in one for one in found)
    table = "a,b,c\n" * 200
    assert agent().passages(table) == [] or all(
        one in " ".join(table.split()) for one in agent().passages(table)
    )
    long = "This sentence is one of very many that all look the same to a reader. " * 60
    assert all(200 <= len(one) <= 450 for one in agent().passages(long)) and len(agent().passages(long)) > 5


def test_a_document_without_a_passage_is_left_alone() -> None:
    """Nothing is asked about an empty document."""
    assert played("accepted", source=Source(text="")).prompts == []


def test_the_passage_is_filled_in_once_and_never_read_as_a_template() -> None:
    """The passage stands in each prompt exactly once, and what looks like a place in it stays as it is."""
    env = played("too_easy", "malformed", "accepted")
    for prompt, submitted in zip(env.prompts, env.submitted, strict=True):
        passage = submitted["passage"]
        assert prompt.count(passage) == 1 and "{{passage}} {{request}} {{unknown}}" in passage
        assert "{{" not in prompt.replace(passage, "") and '<passage name="devices">' in prompt


@pytest.mark.parametrize("stage", FOUND)
def test_a_failure_is_listed_under_its_group(stage: str) -> None:
    """Each stage has its heading; headings of stages that did not occur are absent, and round one speaks of none."""
    first, second = played(stage, "accepted").prompts
    assert [title for title in TITLES.values() if f"### {title}\n" in second] == [TITLES[stage]]
    assert "- How many bytes? -> 512 [" in second and "### " not in first


def test_failures_are_listed_with_what_was_measured() -> None:
    """Shares of right answers where there are any, else what was said about the question."""
    prompt = played("too_easy", "failed_on_strong", "quality", "malformed", source=Source()).prompts[-1]
    assert "[weak right 67%]" in prompt and "[weak right 0%, strong right 33%]" in prompt
    assert "[The answer can be guessed.]" in prompt


@pytest.mark.parametrize(
    "reply", ["no JSON", "} {", "[1]", "{broken", '{"a": {"b": 1}', '{"question": ["a list"]}']
)
def test_unreadable_replies_do_not_stop_it(reply: str) -> None:
    """What cannot be read is submitted as it is, so that the host names it, and the next round is asked for."""
    env = played("malformed", "accepted", reply=reply)
    assert len(env.prompts) == 2 and "UNREADABLE" in env.prompts[1]
    assert env.submitted[0] == reply or env.submitted[0]["passage"]


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
    """Agent, three prompts and the README, which names each of them and every rule that the host enforces."""
    files = {
        path.relative_to(BASELINE).as_posix() for path in BASELINE.rglob("*") if path.suffix in (".py", ".md")
    }
    prompts = {f"prompts/{name}.md" for name in ("challenger", "first_round", "refinement")}
    assert files == {"README.md", "agent.py", *prompts}
    readme = (BASELINE / "README.md").read_text("utf-8")
    assert all(f"`{name}`" in readme for name in files - {"README.md"})
    for rule in (
        "passage_not_in_document",
        "answer_not_in_passage",
        "answer_in_question",
        "choice_not_offered",
    ):
        assert f"`{rule}`" in readme
