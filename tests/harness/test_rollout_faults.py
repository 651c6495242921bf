"""Whose fault becomes which score: challenger, scaffold, instrument, and ours."""

import asyncio
from pathlib import Path

import pytest
from fakes import (
    DOCUMENT,
    DRAW,
    Env,
    Play,
    PlayedSandbox,
    ScriptedModels,
    instrument,
    measuring,
    reply,
    submission,
)
from rollouts import STRONG, WEAK, rolled, submits

from harness.errors import (
    BudgetSpent,
    CandidateFault,
    InvalidMeasurement,
    ProviderError,
    SandboxError,
    Stalled,
    StorageError,
)
from harness.rollout import Place, roll_out
from harness.types import Reply, Role


@pytest.mark.parametrize("said", [reply(""), reply("", "refused: too long"), reply("x", "content_filter")])
def test_bad_challenger_is_the_candidates_business(said: Reply) -> None:
    """An empty or refused challenger reply goes to the scaffold as it is; it is not drawn again for it."""
    models = ScriptedModels(challenger=said)

    async def play(env: Env) -> None:
        assert await env.submit((await env.ask("write"))["text"])

    done = rolled(models, play)
    assert (len(models.asked), done.score, done.outcome) == (1, 0.0, "stopped")
    assert done.steps[1].report is not None and done.steps[1].report.stage == "malformed"


@pytest.mark.parametrize("role", ["verifier", "weak", "strong", "judge"])
def test_instrument_failure_is_missing_never_zero(role: Role) -> None:
    """If an instrument role gives no usable answer the score is None, the reason named, the trajectory kept."""
    models = measuring(WEAK, STRONG)
    models.roles[role] = reply("", "length")

    async def play(env: Env) -> None:
        await env.ask("write")
        await env.submit(submission())
        raise AssertionError("the host has ended this scaffold")

    done = rolled(models, play)
    assert (done.outcome, done.score) == ("missing", None)
    assert done.detail.startswith(f"{role}: no usable answer") and len(done.steps) == 1


def after(submitted: object, error: Exception) -> Play:
    """A scaffold that submits and then ends with this error."""

    async def play(env: Env) -> None:
        await env.submit(submitted)
        raise error

    return play


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("crashed", "crashed"),
        ("hung", "hung"),
        ("bad_request", "bad_request"),
        ("over_limit", "over_limit"),
        ("new", "crashed"),
    ],
)
def test_candidates_faults_score_zero(kind: str, outcome: str) -> None:
    """Each fault of the scaffold is recorded under its name with score 0 and everything up to it."""
    done = rolled(ScriptedModels(), after("nonsense", CandidateFault(kind, "at line 3")))
    assert (done.outcome, done.score, done.detail, len(done.steps)) == (outcome, 0.0, "at line 3", 1)


def test_accepted_example_stands_after_a_crash() -> None:
    """What was accepted before the scaffold failed, or the instrument did, is not taken back."""
    for error in (CandidateFault("crashed", "x"), Stalled("x"), InvalidMeasurement("x")):
        done = rolled(measuring(WEAK, STRONG), after(submission(), error))
        assert (done.outcome, done.score) == ("accepted", 1.0) and done.example is not None


def test_stall_is_measured_again() -> None:
    """A wall-clock stall counts for nothing if a later run goes well; the calls are the same draws again."""
    models = measuring(WEAK, STRONG)
    stalls = after("x", Stalled("busy machine"))
    sandbox = PlayedSandbox(stalls, stalls, submits(submission()))
    done = asyncio.run(roll_out(Place(models, sandbox, instrument()), Path("s"), DOCUMENT, DRAW))
    assert (done.outcome, done.score, done.submissions) == ("accepted", 1.0, 1)
    assert len(sandbox.openings) == 3 and sandbox.openings[0] == sandbox.openings[2]


def test_three_stalls_are_a_hang() -> None:
    """A scaffold that stalls every time has hung: score 0."""
    sandbox = PlayedSandbox(after("x", Stalled("60 s without a request")))
    done = asyncio.run(roll_out(Place(ScriptedModels(), sandbox, instrument()), Path("s"), DOCUMENT, DRAW))
    assert (done.outcome, done.score, len(sandbox.openings)) == ("hung", 0.0, 3)
    assert "60 s without a request" in done.detail


def test_stalls_repeat_the_same_calls() -> None:
    """A rollout measured again asks as the same draws, so that the journal answers and nothing is paid twice."""

    async def play(env: Env) -> None:
        await env.ask("write")
        await env.submit(submission())
        raise Stalled("busy")

    models = measuring((0.9,) * 3)
    rolled(models, play)
    third = len(models.asked) // 3
    rounds = [{(one.role, one.draw) for one in models.asked[n * third : (n + 1) * third]} for n in range(3)]
    assert rounds[0] == rounds[1] == rounds[2]


@pytest.mark.parametrize("error", [ProviderError, BudgetSpent, SandboxError, StorageError])
def test_our_faults_are_not_recorded(error: type[Exception]) -> None:
    """A failing provider, sandbox or disk and a spent budget end the rollout without a score for anybody."""

    def down(request: object) -> str:
        raise error("down")

    with pytest.raises(error, match="down"):
        rolled(ScriptedModels(weak=down), submits(submission()))
    with pytest.raises(error, match="down"):
        rolled(ScriptedModels(), after("x", error("down")))
