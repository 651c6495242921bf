"""The challenger's replies: cut-off ones get more room, failing endpoints are nobody's fault, all tokens count."""

import asyncio
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from fakes import (
    DOCUMENT,
    DRAW,
    Env,
    Play,
    PlayedSandbox,
    ScriptedModels,
    instrument,
    key_of,
    measuring,
    reply,
    submission,
)
from rollouts import STRONG, WEAK, rolled, submits

from harness.measuring import LARGEST_REPLY
from harness.rollout import Place, roll_out
from harness.trajectory import Rollout
from harness.types import Reply, Sampling

CUT = reply("half a ta", "length", asked=10, said=4096)


def asks(times: int = 1) -> Play:
    async def play(env: Env) -> None:
        for _ in range(times):
            await env.ask("write")

    return play


def challenger(*replies: Reply) -> ScriptedModels:
    """A challenger whose n-th draw of a prompt is the n-th reply, with the key of its request."""
    return ScriptedModels(
        challenger=lambda request: replies[request.draw.retry].model_copy(update={"key": key_of(request)})
    )


def tokens(done: Rollout, models: ScriptedModels) -> None:
    """Every call of the rollout stands in its trajectory, once."""
    calls = [key for step in done.steps for key in (*step.earlier, step.call)]
    assert sorted(calls) == sorted(key_of(one) for one in models.of("challenger"))


def test_a_cut_off_reply_is_drawn_again_with_more_room() -> None:
    """The second draw has twice the room and is what the scaffold gets; it is one ask, and all tokens count."""
    models = challenger(CUT, reply("a task", asked=10, said=5000))
    done = rolled(models, asks())
    assert [(one.draw.retry, one.max_tokens) for one in models.asked] == [(0, None), (1, 8192)]
    (step,) = done.steps
    assert (step.reply, step.finish_reason, step.call) == ("a task", "stop", "challenger 0.0.1")
    assert (step.earlier, done.asks, done.tokens) == (("challenger 0.0.0",), 1, 10 + 4096 + 10 + 5000)


def test_twice_at_most() -> None:
    """After the third cut the scaffold gets what there is."""
    models = challenger(CUT, CUT, reply("still half", "length"))
    done = rolled(models, asks())
    assert [one.max_tokens for one in models.asked] == [None, 8192, 16_384]
    assert (done.steps[0].reply, done.steps[0].finish_reason, done.score) == ("still half", "length", 0.0)
    tokens(done, models)


@pytest.mark.parametrize(
    ("limit", "rooms"),
    [
        (LARGEST_REPLY, [None]),
        (65_536, [None]),
        (20_000, [None, LARGEST_REPLY]),
        (1000, [None, 2000, 4000]),
    ],
)
def test_room_is_bounded(limit: int, rooms: list[int | None]) -> None:
    """The room doubles from the model's own limit to the cap; at the cap there is no more to give and no other draw."""
    models = challenger(CUT, CUT, CUT)
    roomy = replace(instrument(tokens=10**6), models=fakes.models(sampling=Sampling(max_tokens=limit)))
    asyncio.run(roll_out(Place(models, PlayedSandbox(asks()), roomy), Path("s"), DOCUMENT, DRAW))
    assert [one.max_tokens for one in models.asked] == rooms


def test_tokens_bound_the_draws() -> None:
    """Nothing is drawn again for a rollout whose tokens are used."""
    models = challenger(CUT, CUT, reply("a task"))
    done = rolled(models, asks(), tokens=8000)
    assert len(models.asked) == 2 and done.tokens == 2 * 4106
    tokens(done, models)


def test_room_that_is_refused() -> None:
    """If the larger room is refused the scaffold gets the cut-off reply; the call stays in the trajectory."""
    models = challenger(CUT, reply("", "refused: max_tokens is too large", asked=0, said=0))
    done = rolled(models, asks())
    assert (done.steps[0].reply, done.steps[0].finish_reason) == ("half a ta", "length")
    tokens(done, models)


def test_every_ask_has_its_own_draws() -> None:
    """No two calls of a rollout are the same draw, however often each was cut off."""
    models = challenger(CUT, CUT, reply("a task"))
    done = rolled(models, asks(3), tokens=10**6)
    assert len({one.draw for one in models.asked}) == len(models.asked) == 9
    assert [one.ordinal for one in done.steps] == [0, 1, 2]
    tokens(done, models)


def test_a_failing_endpoint_costs_no_candidate_anything() -> None:
    """A prompt at which the endpoint fails again and again makes the measurement missing; the trajectory shows it."""
    models = measuring(WEAK, STRONG, challenger=reply("", "failed: HTTP 500", asked=0, said=0))

    async def play(env: Env) -> None:
        await env.ask("write")
        raise AssertionError("the host has ended this scaffold")

    done = rolled(models, play)
    assert (done.outcome, done.score, len(done.steps)) == ("missing", None, 1)
    assert "challenger" in done.detail and "HTTP 500" in done.detail


def test_what_was_accepted_stands_though_the_endpoint_fails_later() -> None:
    """A failing challenger after acceptance takes nothing back."""
    models = measuring(WEAK, STRONG, challenger=reply("", "failed: HTTP 500"))

    async def play(env: Env) -> None:
        await submits(submission())(env)
        await env.ask("more")

    assert rolled(models, play).outcome == "accepted"
