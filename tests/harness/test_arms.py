"""The one-shot arm: one question, one submission, the task cut out of whatever stands around it."""

import ast
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.arms import FOLDER, cot_files
from harness.domains import ARM, domain
from harness.errors import UsageError

TASK = json.dumps({"question": "What follows {in braces}?", "rubric": [{"criterion": "a", "weight": 3}]})


@pytest.fixture
def agent(tmp_path: Path) -> ModuleType:
    """The arm's program as the host lays it out, with a short prompt."""
    for name, content in cot_files(domain("cs")).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / ARM).write_text("Read {{document}} of {{name}} with {{notes}}.")
    spec = importlib.util.spec_from_file_location("cot_agent", tmp_path / "agent.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Document:
    name = "queues"
    text = "A queue keeps {{name}} in order."
    notes: dict[str, Any] = {"issues": ["ties"]}  # noqa: RUF012  # what the guest hands over looks like this


class Env:
    """Keeps what it is asked and handed, and refuses every task."""

    def __init__(self, reply: str) -> None:
        self.reply = reply
        self.asked: list[str] = []
        self.submitted: list[object] = []

    def ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        return self.reply

    def submit(self, example: object) -> dict[str, object]:
        self.submitted.append(example)
        return {"accepted": False, "submissions_left": 2}


def submitted(agent: ModuleType, reply: str) -> list[object]:
    env = Env(reply)
    agent.create(Document(), env)
    assert len(env.asked) == 1
    return env.submitted


def test_it_asks_once_and_submits_once(agent: ModuleType) -> None:
    """However many submissions are left; and what stands in the document is no place to fill in."""
    env = Env(TASK)
    agent.create(Document(), env)
    assert env.asked == [
        'Read A queue keeps {{name}} in order. of queues with {\n "issues": [\n  "ties"\n ]\n}.'
    ]
    assert env.submitted == [TASK]


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "I think of three {candidates}. The second is best.\n\n{}",
        "```json\n{}\n```",
        '<think>{"question": "a draft that is longer than the whole task below it, by far and far"}</think>\n{}',
        'A draft: {"question": "first?"}\n\nNow the task.\n{}\nThat is all, with {"weight": 3} for each.',
    ],
)
def test_the_task_is_cut_out(agent: ModuleType, around: str) -> None:
    """Thoughts, fences, drafts and remarks around it are left behind; it is handed in letter by letter."""
    assert submitted(agent, around.replace("{}", TASK)) == [TASK]


@pytest.mark.parametrize("reply", ["No task can be made of this.", TASK[:-1]])
def test_an_answer_without_a_whole_task_is_handed_in_as_it_is(agent: ModuleType, reply: str) -> None:
    """So the host finds it unreadable, and says so."""
    (one,) = submitted(agent, reply)
    assert isinstance(one, str)
    with pytest.raises(ValueError, match="JSON"):
        domain("cs").read(one)


def test_it_imports_the_standard_library_alone() -> None:
    """As every scaffold does."""
    tree = ast.parse((FOLDER / "cot" / "agent.py").read_text("utf-8"))
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_the_prompt_of_the_arm_measures_nothing() -> None:
    """It is no part of the instrument; the arm's files have it as the domain has it."""
    assert ARM not in domain("cs").measuring_prompts
    assert b"{{document}}" in cot_files(domain("cs"))[ARM]


def test_a_domain_without_the_prompt_has_no_such_arm(tmp_path: Path) -> None:
    """The message says where it looked."""
    with pytest.raises(UsageError, match=r"has no prompt 'cot\.md'; looked for .*cot\.md"):
        cot_files(replace(domain("cs"), prompts=tmp_path))
