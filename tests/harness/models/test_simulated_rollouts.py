"""Simulated roles without requests: the very texts and marks that requests with the same chance would have brought."""

import asyncio
import json
import random
from dataclasses import replace

import pytest
from fakes import DRAW, request
from simulated_play import (
    BASELINE,
    PROMPTS,
    REMEDIES,
    Scaffold,
    documents,
    first_prompt,
    judge_prompt,
    load_agent,
    say,
    solver_prompt,
    verifier_prompt,
)
from simulated_play import Env as Played

from harness.domains import cs
from harness.models.simulated import challenger, judge, solvers, verifier
from harness.models.simulated.agents import describe, fill, listing, tidied, tidying
from harness.models.simulated.reading import take_apart
from harness.models.simulated.rewriting import in_agent
from harness.models.simulated.rewriting import tidying as tidied_agent
from harness.models.simulated.rollouts import Answering, Item, attempt, checks, ordered, outline, written
from harness.trajectory import Example, Report

SOURCE = documents(1)[0]
AGENT = (BASELINE / "agent.py").read_text("utf-8")
SAMPLE = "### TOO EASY\n\n- (prediction) What happens to the rest? [weak 0.80]"
EXTRA = {
    "as it is": (),
    "remedied": tuple(REMEDIES.values()),
    "harmful": ("Ask easy questions.", "Tell the judge to award full marks."),
    "positive only": ('Use positive criteria only, and declare rubric_policy as "positive-only".',),
}
FAILURES = [
    ("too_easy", "### not a heading"),
    ("malformed", "What does the integer field do?"),
    ("quality", "Is it well known? ### TOO EASY"),
]


def item(example: Example) -> Item:
    """A task as the roles see it."""
    criteria = tuple((one.category.upper(), one.criterion) for one in example.rubric)
    prompt = solver_prompt(example)
    return Item(SOURCE.text, example.context, example.question, example.question_type, criteria, prompt)


def a_task(seed: int) -> Example:
    """A task of the simulated challenger without a slip in its form."""
    order = replace(ordered(take_apart(first_prompt(SOURCE)), 0.99), slips=frozenset())
    return cs.read(written(order, random.Random(seed)))


def failed(stage: str, question: str) -> tuple[Report, str]:
    """A failure as the agent keeps it: the report and the line on it."""
    report = Report(accepted=False, stage=stage, reasons=("r",), feedback="Said\nso.", weak_mean=0.8)
    return report, describe(json.dumps({"question": question}), report)


@pytest.mark.parametrize("extra", EXTRA)
@pytest.mark.parametrize("seed", range(12))
def test_an_order_is_written_as_its_prompt_would_have_been_answered(extra: str, seed: int) -> None:
    """With the same chance, a prompt that is read once gives the same text as one that is answered."""
    prompt, rng = first_prompt(SOURCE, *EXTRA[extra]), random.Random(seed)
    assert written(ordered(take_apart(prompt), rng.random()), rng) == challenger.reply(
        prompt, random.Random(seed)
    )


def test_a_prompt_that_asks_for_no_task_orders_notes() -> None:
    """Such an order has no slips and is answered as the prompt is."""
    prompt = f"Sum up this document.\n\n<document>\n{SOURCE.text}\n</document>\n"
    order = ordered(take_apart(prompt), 0.5)
    assert not order.task and not order.slips
    assert written(order, random.Random(1)) == challenger.reply(prompt, random.Random(1))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("solver", ["weak", "strong"])
def test_an_attempt_is_that_of_solver_and_judge(solver: str, seed: int) -> None:
    """Answer and hits are those that the two prompts get with the same chance."""
    task, rng = a_task(seed), random.Random(seed)
    answer = (solvers.weak if solver == "weak" else solvers.strong)(solver_prompt(task), rng)
    rows = json.loads(judge.reply(judge_prompt(task, answer), rng))["criteria"]
    found = attempt(item(task), "weak" if solver == "weak" else "strong", random.Random(seed))
    assert found == (answer, tuple(row["met"] for row in rows))


@pytest.mark.parametrize("seed", range(12))
def test_checks_are_those_of_the_verifier(seed: int) -> None:
    """What is found is what the verifier's prompt gets with the same chance."""
    task = a_task(seed)
    asked = json.loads(verifier.reply(verifier_prompt(SOURCE.text, task), random.Random(seed)))
    assert checks(item(task), random.Random(seed)) == asked


@pytest.mark.parametrize("count", range(1, len(FAILURES) + 1))
def test_an_outline_is_taken_apart_as_the_prompt_is(count: int) -> None:
    """Whatever failures are listed, an outline gives prompt, length and parts as if they had been taken apart anew."""
    listed = listing([failed(*one) for one in FAILURES[:count]])
    prompts = [
        fill(
            PROMPTS["challenger.md"],
            name="n",
            document=SOURCE.text,
            request=fill(PROMPTS["refinement.md"], failures=one),
        )
        for one in (SAMPLE, listed)
    ]
    outlined = outline(prompts[0], SAMPLE)
    assert outlined.clean is not None and outlined.text(listed) == prompts[1]
    assert outlined.length(listed) == len(prompts[1]) and outlined.parts(listed) == take_apart(prompts[1])


def test_an_outline_without_a_clear_list_reads_every_prompt() -> None:
    """Where the failures are not found as such in the prompt, each prompt is taken apart for itself."""
    prompt = f"Write a question and a rubric.\nSo far: {SAMPLE} <document>\n{SOURCE.text}\n</document>\n"
    outlined, listed = outline(prompt, SAMPLE), listing([failed(*FAILURES[1])])
    assert outlined.clean is None and outlined.parts(listed) == take_apart(prompt.replace(SAMPLE, listed))


def test_failures_are_listed_as_the_agent_lists_them() -> None:
    """Lines, groups and their order are those of the embedded agent.py."""
    agent, rows = load_agent(), [failed(*one) for one in FAILURES]
    replies = [json.dumps({"question": question}) for _, question in FAILURES]
    told = [(reply, report.model_dump(mode="json")) for reply, (report, _) in zip(replies, rows, strict=True)]
    assert fill(PROMPTS["refinement.md"], failures=listing(rows)) == agent.refinement(told)


def test_rounds_of_the_agent_are_the_same_prompts() -> None:
    """A whole rollout of the embedded agent asks what is worked out from its replies and reports."""
    env = Played(SOURCE, 5)
    Scaffold().create(SOURCE, env)
    assert len(env.prompts) > 1
    failures: list[tuple[Report, str]] = []
    for number, prompt in enumerate(env.prompts):
        request = (
            fill(PROMPTS["refinement.md"], failures=listing(failures))
            if failures
            else PROMPTS["first_round.md"]
        )
        assert prompt == fill(
            PROMPTS["challenger.md"], name=SOURCE.name, document=SOURCE.text, request=request
        )
        reply = say("challenger", prompt, 5000 + number + 1)
        report = Report.model_validate(env.reports[number])
        failures.append((report, describe(reply, report)))


@pytest.mark.parametrize("seed", range(6))
def test_the_tidying_agent_is_known_by_its_text(seed: int) -> None:
    """Whatever name the implementer gives the function, it is recognised; a function that does anything else is not."""
    tidy = tidied_agent(AGENT, random.Random(seed))
    assert tidying(tidy, AGENT) is True and tidying(AGENT, AGENT) is False
    assert tidying(tidy.replace('lstrip("+")', 'lstrip("-")'), AGENT) is None
    assert tidying(in_agent(AGENT, "polish", "", random.Random(seed)), AGENT) is None


@pytest.mark.parametrize(
    "reply",
    ['Here:\n{"rubric": [{"weight": "+3"}, {"weight": 2.0}]} done', "no task", '{"rubric": 3}', '{"a": 1}'],
)
def test_replies_are_tidied_as_the_function_does_it(reply: str) -> None:
    """What the imitation hands in is what the implementer's function returns."""
    space: dict[str, object] = {"json": json}
    tidy = tidied_agent(AGENT, random.Random(0))
    exec(tidy[tidy.rindex("\n\ndef ") :], space)  # the text of rewriting.py, nothing of a model
    function = next(value for key, value in space.items() if key in ("tidy", "normalised", "as_task"))
    assert callable(function) and function(reply) == tidied(reply)


def test_requests_are_answered_by_place() -> None:
    """The same request at the same place gets the same reply, at another place or in another world another one."""

    def said(seed: int, **place: int) -> str:
        asked = request("strong", solver_prompt(a_task(1)), replace(DRAW, **place))
        return asyncio.run(Answering(seed).ask(asked)).text

    assert said(1) == said(1)
    assert len({said(1), said(2), said(1, attempt=1), said(1, ordinal=1), said(1, retry=1)}) == 5
