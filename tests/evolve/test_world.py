"""The executor of the simulated world: repeatable, independent, and in agreement with the path through the instrument."""

import asyncio
import random
import shutil
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Env, PlayedSandbox, submission

from evolve.assembly import instrument_of
from evolve.executors.bank import Bank, Entry
from evolve.executors.world import WorldExecutor, create, read_flow
from evolve.layout import embedded_scaffold
from evolve.report.verify_trace import Journal, rollout_problems
from evolve.settings import Settings, validate
from harness.errors import UsageError
from harness.gate import PRESETS
from harness.inspection import inspect
from harness.models.simulated.rewriting import tidying
from harness.models.simulated.rollouts import Answering, Order
from harness.place import Place, Subject
from harness.sandbox import Sandbox
from harness.trajectory import Rollout
from harness.types import Document, Draw

BASELINE = embedded_scaffold("cs")
NOUNS = (
    "journal",
    "page",
    "cursor",
    "lease",
    "ledger",
    "bucket",
    "shard",
    "replica",
    "token",
    "quota",
    "epoch",
    "ring",
)


def text(seed: int) -> str:
    """Documentation of a made-up system."""
    rng = random.Random(seed)
    terms = [f"{rng.choice(('pending', 'stale', 'sealed', 'remote'))} {noun}" for noun in NOUNS]
    three = (rng.sample(terms, 3) for _ in range(40))
    return "\n".join(f"The {a} keeps the {b} before any {c} gets through to the disk." for a, b, c in three)


DOCUMENTS = tuple(Document(f"{n:016x}", f"system {n}", text(n)) for n in range(4))
CHILD = Draw(3, "child")
ORDER = Order(DOCUMENTS[0].text.strip(), frozenset(), True, False, "signed", 10, False)


async def nowhere() -> Sandbox:
    raise AssertionError("this scaffold needs no sandbox")


def world(open_sandbox: Any = nowhere, **measure: Any) -> WorldExecutor:
    """An executor whose sandbox may not be opened."""
    settings = validate({"measure": measure}, "test") if measure else Settings()
    made = create(settings, instrument_of(settings))
    return WorldExecutor(made.bank, made.seed, open_sandbox)


def run(executor: WorldExecutor, draw: Draw = CHILD, scaffold: Path = BASELINE) -> tuple[Rollout, ...]:
    return asyncio.run(executor.run(scaffold, DOCUMENTS, draw))


def scaffold(folder: Path, agent: str) -> Path:
    """The embedded scaffold with another agent.py."""
    shutil.copytree(BASELINE, folder / "scaffold")
    (folder / "scaffold" / "agent.py").write_text(agent, "utf-8")
    return folder / "scaffold"


def test_a_draw_is_the_same_whatever_was_drawn_before() -> None:
    """A rollout depends on world, draw and scaffold alone."""
    busy = world()
    for trial in range(5):
        run(busy, replace(CHILD, trial=trial + 1))
    assert run(busy) == run(world()) == run(busy)


def test_draws_differ_by_trial_side_and_iteration() -> None:
    """Each is a fresh measurement of the same documents."""
    executor, others = world(), [Draw(3, "child", trial=1), Draw(3, "parent"), Draw(4, "child")]
    reports = [
        [step.report for one in run(executor, draw) for step in one.steps] for draw in (CHILD, *others)
    ]
    assert all(one != reports[0] for one in reports[1:])
    assert [one.trial for one in run(executor, others[0])] == [1] * len(DOCUMENTS)


@pytest.mark.parametrize("side", ["minibatch", "child"])
def test_traces_hold_together_and_claim_no_calls(side: Any) -> None:
    """What is verified of a trace holds, with an empty journal; only sides that are read show the tasks themselves."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE TABLE calls (key TEXT, text TEXT, prompt_tokens INTEGER, completion_tokens INTEGER)"
    )
    found = [one for trial in range(6) for one in run(world(), Draw(1, side, trial=trial))]
    assert {one.outcome for one in found} == {"accepted", "exhausted"}
    journal = Journal(connection)
    assert list(rollout_problems(found, journal, PRESETS)) == [] and journal.count == 0
    connection.close()
    assert any(step.kind == "ask" for one in found for step in one.steps) == (side == "minibatch")


def test_both_kinds_of_sides_have_the_same_reports() -> None:
    """A result that is drawn again at length is the one that was kept in short."""
    executor = world()
    entry = Entry(DOCUMENTS[0], ORDER, False, 7)
    short, (_, step) = executor.bank.result(entry), executor.bank.measured(entry)
    assert short.report == step.report and executor.bank.result(entry) is short


def test_tasks_end_where_the_instrument_ends_them() -> None:
    """The shares of the stages are those of the real inspection, in 120 tasks of each."""
    bank = Bank(world().instrument, 0)
    entries = [Entry(DOCUMENTS[0], ORDER, False, number) for number in range(120)]
    steps = [bank.measured(one)[1] for one in entries]

    async def inspected() -> Counter[str]:
        stages: Counter[str] = Counter()
        for number, step in enumerate(steps):
            assert step.example is not None
            place = Place(Answering(number), PlayedSandbox(), bank.instrument)
            found = await inspect(place, Subject(DOCUMENTS[0], step.example), CHILD)
            stages[found.report.stage if found.report else ""] += 1
        return stages

    real, drawn = asyncio.run(inspected()), Counter(one.report.stage for one in steps if one.report)
    assert len(real) > 2
    assert all(abs(real[stage] - drawn[stage]) < 20 for stage in real | drawn), (real, drawn)


def test_a_tidying_agent_is_imitated(tmp_path: Path) -> None:
    """Its submissions are read where those of the plain agent are malformed for their form alone."""
    agent = tidying((BASELINE / "agent.py").read_text("utf-8"), random.Random(1))
    tidy, executor = scaffold(tmp_path, agent), world()

    def malformed(folder: Path) -> int:
        found = [one for n in range(6) for one in run(executor, replace(CHILD, trial=n), folder)]
        return sum(step.report.stage == "malformed" for one in found for step in one.steps if step.report)

    assert 0 < 2 * malformed(tidy) < malformed(BASELINE)


def test_any_other_agent_runs_in_the_sandbox(tmp_path: Path) -> None:
    """Code that is not known is never imitated: the sandbox runs it, on the same simulated models."""

    async def play(env: Env) -> None:
        await env.ask("Anything?")
        await env.submit(submission(rubric_policy="signed"))

    sandbox = PlayedSandbox(play)

    async def opened() -> Sandbox:
        return sandbox

    folder = scaffold(tmp_path, "def create(document, env):\n    env.submit(env.ask('x'))\n")
    found = run(world(opened), replace(CHILD, trial=2), folder)
    assert len(sandbox.openings) == len(DOCUMENTS)
    assert {(one.trial, one.tokens, one.asks, one.submissions) for one in found} == {(2, 0, 1, 1)}
    assert all(step.call == "" for one in found for step in one.steps)


def test_a_missing_prompt_is_not_imitated(tmp_path: Path) -> None:
    """Without one of its prompt files the known agent would crash, so the sandbox has to show it."""
    folder = scaffold(tmp_path, (BASELINE / "agent.py").read_text("utf-8"))
    assert read_flow(folder) is not None
    (folder / "prompts" / "refinement.md").unlink()
    assert read_flow(folder) is None


def test_the_allowance_holds() -> None:
    """No more is submitted than the instrument allows, and nothing where the tokens do not suffice for a question."""
    once = run(world(allowance={"submissions": 1}))
    assert all(one.submissions == one.asks == len(one.steps) == 1 for one in once)
    none = run(world(allowance={"tokens": 100}))
    assert {(one.outcome, one.score, one.asks) for one in none} == {("exhausted", 0.0, 0)}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"measure": {"domain": "math"}}, "domain 'cs' alone, not 'math'"),
        ({"measure": {"preset": "confirmed"}}, "measure.preset = 'confirmed'"),
        ({"measure": {"checks": {"agreement": True}}}, "measure.checks.agreement"),
        ({"measure": {"weak": {"samples": 3, "aggregation": "pick"}}}, "measure.weak"),
        ({"models": {"weak": {"sampling": {"max_tokens": 100}}}}, "models.weak.sampling.max_tokens = 100"),
        (
            {"models": {"weak": {"name": "m", "base_url": "http://m/v1", "simulated": False}}},
            "models.weak is 'm'",
        ),
    ],
)
def test_what_is_not_imitated_is_refused(settings: dict[str, Any], told: str) -> None:
    """Settings under which the world would draw something else than the real path name themselves and the way out."""
    base = Settings()
    changed = {
        role: base.models[role].model_dump() | more for role, more in settings.pop("models", {}).items()
    }
    made = validate(settings, "test") if settings else base
    models = {**made.models, **{role: made.models[role].model_validate(one) for role, one in changed.items()}}
    wanted = made.model_copy(update={"models": models})
    with pytest.raises(UsageError, match="executor 'world'") as refused:
        create(wanted, instrument_of(wanted))
    assert told in str(refused.value) and 'executor = "local"' in str(refused.value)
