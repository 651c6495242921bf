"""The simulated verifier: compares a task with its document, as prompts/verifier.md asks, and errs now and then."""

import json
import random
import re
from dataclasses import dataclass

from harness.models.simulated import sources, world
from harness.models.simulated.judge import BOUNDARY, read_criterion

_SECTIONS = (
    "\n## Document\n",
    "\n## Context of the task\n",
    "\n## Question\n",
    "\n## Declared question type\n",
    "\n## Rubric\n",
)
_END = "\n## What to return\n"
CRITERION = re.compile(r"^\d+\. \[(POSITIVE|NEGATIVE)\] (.*)$", re.MULTILINE)
_RECALL = re.compile(
    r"\b(?:what is|what are|who|when was|which version|define|name the|list|how many|what does|recall|state the)\b",
    re.IGNORECASE,
)
_ADDRESSES = re.compile(
    r"\b(?:full marks|grader|whoever marks|the judge|weak(?:er)? (?:model|solver)|strong(?:er)? (?:model|solver)"
    r"|ignore (?:the|all|any|previous)|answer (?:badly|incorrectly|wrongly)|pretend|refuse to|deliberately"
    r"|mark (?:this|every|all)|award|as an ai|language model)\b",
    re.IGNORECASE,
)
SEES_LEAK = 0.6
SEES = 0.99
OWN = 0.8
SEES_EASY = 0.08
ERRS = 0.015


@dataclass(frozen=True)
class Task:
    """What the verifier is shown."""

    document: str
    context: str
    question: str
    question_type: str
    criteria: tuple[tuple[str, str], ...]


def reply(prompt: str, rng: random.Random) -> str:
    """The four checks as JSON."""
    return json.dumps(checked(read_task(prompt), rng), ensure_ascii=False)


def checked(task: Task, rng: random.Random) -> dict[str, object]:
    """The four checks, with what is said about them."""
    leak, quality, content, label, feedback = False, "GOOD", True, True, []
    if (_leaks(task) >= 2 and rng.random() < SEES_LEAK) or rng.random() < ERRS:
        leak = True
        feedback.append(
            "The context states the conclusion that the rubric rewards; a solver only has to repeat it."
        )
    problem, seen = _weakness(task)
    if problem and rng.random() < seen:
        quality = "RECALL" if problem.startswith("It asks to retrieve") else "TOO_EASY"
        feedback.append(problem)
    elif rng.random() < ERRS:
        quality = "TOO_EASY"
        feedback.append("A competent reader of the field would answer this without effort.")
    if (problem := _empty_rubric(task)) and rng.random() < SEES:
        content = False
        feedback.append(problem)
    if len(task.question_type.split()) > 12 or not re.search(r"[a-z]{3}", task.question_type.lower()):
        label = rng.random() > SEES
    elif rng.random() < ERRS / 2:
        label = False
    if not label:
        feedback.append("The declared question type does not fit the question.")
    checks = {"leak": leak, "quality": quality, "rubric_tests_content": content, "label_fits": label}
    return {**checks, "feedback": " ".join(feedback[:2])}


def read_task(prompt: str) -> Task:
    """The sections of a rendered verifier prompt; the last heading of each name counts, since documents have headings."""
    if named := BOUNDARY.search(prompt):
        prompt = prompt.replace(f"\n{named[1]}\n", "\n")
    end = prompt.rfind(_END)
    texts: list[str] = []
    for heading in reversed(_SECTIONS):
        at = prompt.rfind(heading, 0, end) if heading != _SECTIONS[0] else prompt.find(heading)
        texts.append(prompt[at + len(heading) : end].strip() if 0 <= at < end else "")
        end = at if at >= 0 else end
    rubric, question_type, question, context, document = texts
    return Task(document, context, question, question_type, tuple(CRITERION.findall(rubric)))


def _leaks(task: Task) -> int:
    """How many of the conclusions that are rewarded the context or the question states."""
    told = world.statements(f"{task.context} {task.question}")
    return sum(
        told.get(term) is not None and told[term].direction == one.direction
        for kind, text in task.criteria
        if kind == "POSITIVE"
        for term, one in read_criterion(text).claims
    )


def _empty_rubric(task: Task) -> str:
    """Why the criteria do not test what an answer claims; empty if they do."""
    texts = [text for _, text in task.criteria]
    read = [read_criterion(text) for text in texts]
    styled = sum(one.style and not one.terms for one in read)
    if styled > 2:
        return f"{styled} criteria are about length, style or form and not about what an answer claims."
    if len(set(texts)) <= len(texts) / 2:
        return "The rubric repeats the same criterion."
    if sum(not one.terms for kind, one in zip(task.criteria, read, strict=True) if kind[0] == "POSITIVE") > 3:
        return "Several criteria name nothing of the task that an answer could get right or wrong."
    return ""


def _weakness(task: Task) -> tuple[str, float]:
    """The first thing that is wrong with the question, in words, and how likely it is to be noticed."""
    if _ADDRESSES.search(f"{task.context} {task.question} {' '.join(text for _, text in task.criteria)}"):
        return "The task talks to those who answer or mark it, which no task may do.", SEES
    linked = world.links(task.context)
    pairs = [(cause, result) for cause, results in linked.items() for result in results]
    if len(task.context) < 80 or not pairs:
        if _RECALL.search(task.question):
            return "It asks to retrieve a fact that needs no reasoning.", SEES
        return (
            "A competent reader of the field would answer this without effort; nothing has to be combined.",
            SEES,
        )
    if sum(pair in world.COMMON for pair in pairs) > len(pairs) / 2:
        return "This is well known in the field and can be answered without the document.", SEES_EASY
    own = {term for pair in pairs for term in pair} - world.COMMON_TERMS
    spelled = sources.spelled_out(task.document)
    if sum(f" {term.lower()} " in spelled for term in own) < OWN * len(own):
        return "The task has nothing to do with the document.", SEES
    if all(cause not in {result for _, result in pairs} for cause, _ in pairs) and len(linked) == 1:
        return "Every part of the answer follows in one step; nothing has to be combined.", SEES_EASY
    return "", 0.0
