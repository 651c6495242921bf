"""Prompts that an endpoint cannot or will not answer, and endpoints that change their model: what a run makes of them."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fakes import DRAW, completion, request
from gateways import Rig, in_turn, ok, played

from harness.circuit import Patience
from harness.errors import ProviderError
from harness.gateway import Terms
from harness.trying import CONTROL_ROOM, FUTILE

POISON = "poison"


def asked(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"])


@pytest.mark.parametrize("alone", [True, False])
def test_one_prompt_does_not_stop_a_run(tmp_path: Path, alone: bool) -> None:
    """A call on which a server fails while it answers others, or a control question, ends as failed, and is recorded."""

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        return httpx2.Response(500) if asked(body) == POISON else ok()

    async def main() -> None:
        rig = Rig(tmp_path, respond)
        async with rig.open() as gateway:
            if not alone:
                await gateway.ask(request())
            reply = await gateway.ask(request(text=POISON))
            assert reply.finish_reason.startswith("failed: HTTP 500")
            assert not reply.whole and not reply.refused
            assert len(rig.rows("failures")) >= FUTILE and len(rig.wire.bodies) < 2 * FUTILE
            controls = [one for one in rig.wire.bodies if asked(one) not in (POISON, "Question?")]
            assert controls and reply.tokens == 30 * len(controls), (
                "what the control questions took is charged"
            )
            assert all(one["max_tokens"] <= CONTROL_ROOM for one in controls)
            assert gateway.budget.total.reserved.calls == 0 and gateway.notice == ""
        async with rig.open() as gateway:
            assert await gateway.ask(request(text=POISON)) == reply and gateway.replayed == 1

    played(main)


def test_an_outage_is_not_blamed_on_the_calls_it_struck(tmp_path: Path) -> None:
    """Calls that failed often and for long because all did, and now and then afterwards, still get their answers."""
    rng, down = random.Random(1), 1500.0

    async def main() -> None:
        rig = Rig(tmp_path)
        async with rig.open() as gateway:
            await gateway.ask(request())
            began = gateway.clock()

            async def respond(body: dict[str, Any]) -> httpx2.Response:
                outage = gateway.clock() - began < down
                return httpx2.Response(503) if outage or rng.random() < 0.4 else ok()

            rig.wire.respond = respond
            draws = [DRAW.at(attempt=number) for number in range(1, 65)]
            replies = await asyncio.gather(*[gateway.ask(request(draw=draw)) for draw in draws])
            assert gateway.clock() - began > down and all(one.whole for one in replies)

    played(main)


def test_a_dead_model_beside_live_ones_stops_the_run(tmp_path: Path) -> None:
    """Where a model answers nothing, not even the control question, it is given up, though its endpoint answers others."""

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        return httpx2.Response(500) if body["model"] == "judge-model" else ok()

    async def main() -> None:
        rig = Rig(tmp_path, respond)
        rig.terms = Terms(7, Patience(seconds=600.0))
        async with rig.open() as gateway:
            dead = asyncio.create_task(gateway.ask(request("judge")))
            number = 0
            while not dead.done():
                number += 1
                await gateway.ask(request(draw=DRAW.at(attempt=number)))
            with pytest.raises(
                ProviderError, match=r"'judge-model' at .* no answer for 6\d\d s, not even to a control"
            ):
                await dead

    played(main)


@pytest.mark.parametrize("status", [400, 403, 422])
def test_an_objection_to_one_prompt_is_a_refusal(tmp_path: Path, status: int) -> None:
    """A prompt refused in unknown words, while the control question is answered, ends as refused; the run goes on."""

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        odd = httpx2.Response(status, json={"error": {"message": "this input was flagged"}})
        return odd if asked(body) == POISON else ok()

    async def main() -> None:
        rig = Rig(tmp_path, respond)
        async with rig.open() as gateway:
            reply = await gateway.ask(request(text=POISON))
            assert reply.refused and "flagged" in reply.finish_reason and len(rig.wire.bodies) == 2

    played(main)


def test_an_objection_to_everything_stops(tmp_path: Path) -> None:
    """Where the control question is refused as well it is the account: no call is recorded, the next start goes on."""
    credit = httpx2.Response(400, json={"error": {"message": "Your credit balance is too low"}})
    rig = Rig(tmp_path, in_turn(ok(), credit))

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.ask(request())
            with pytest.raises(ProviderError, match=r"credit balance.*run the same command"):
                await gateway.ask(request(text="after"))
            assert len(rig.wire.bodies) == 3 and len(rig.rows()) == 1 and gateway.pauses == ()

    played(main)


def test_a_control_question_is_no_way_around_an_outage(tmp_path: Path) -> None:
    """While nothing is answered the control questions fail too, and the endpoint is given up, not the prompt."""
    rig = Rig(tmp_path, in_turn(ok(), httpx2.Response(503)))
    rig.terms = Terms(7, Patience(seconds=1000.0))

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.ask(request())
            with pytest.raises(ProviderError, match="no answer for"):
                await gateway.ask(request(text="after"))
            assert len(rig.rows()) == 1

    played(main)


def named(name: str) -> httpx2.Response:
    return httpx2.Response(200, json=completion() | {"model": name})


def test_another_model_name_is_noticed(tmp_path: Path) -> None:
    """An endpoint that reports another model than before, also before a restart, is named once; or stops the run."""
    rig = Rig(tmp_path, in_turn(ok(), named("m-2"), named("m-1"), named("m-2")))

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.ask(request())
            assert gateway.warnings == ()
        async with rig.open() as gateway:
            for number in range(4):
                await gateway.ask(request(draw=DRAW.at(attempt=number + 1)))
            (warning,) = gateway.warnings
            assert "'m-2'" in warning and "'m-1'" in warning
        rig.terms = Terms(7, model_change="stop")
        async with rig.open() as gateway:
            with pytest.raises(ProviderError, match=r"provider\.model_change"):
                await gateway.ask(request(text="one more"))
        assert len(rig.rows()) == 6

    played(main)


def test_a_refusal_says_nothing_about_the_model_name(tmp_path: Path) -> None:
    """A first call without an answer has only the name that was asked for: the first answer after it is no change."""
    long = httpx2.Response(400, json={"error": {"message": "context length exceeded"}})
    rig = Rig(tmp_path, in_turn(long, ok()))
    rig.terms = Terms(7, model_change="stop")

    async def main() -> None:
        async with rig.open() as gateway:
            assert (await gateway.ask(request())).refused
        async with rig.open() as gateway:
            assert (await gateway.ask(request(text="short"))).whole and gateway.warnings == ()

    played(main)
