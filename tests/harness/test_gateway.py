"""The one door to models: what identifies a call, made once, journalled before use, replayed."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from fakes import DRAW, URL, Wire, completion, models, request
from gateways import Held, Rig, in_turn, played, until

from harness.budget import Budget, BudgetLimits, Spent
from harness.gateway import Gateway, Terms
from harness.journal import Journal
from harness.types import Draw, Message, Model, Request


def test_reply(tmp_path: Path) -> None:
    """Text, tokens, price, latency and the model that answered, recorded before they are returned."""
    rig = Rig(tmp_path, input_price=3.0, output_price=15.0)

    async def main() -> None:
        async with rig.open() as gateway:
            reply = await gateway.ask(request())
            assert (reply.text, reply.finish_reason, reply.model) == ("answer 1", "stop", "m-1")
            assert (reply.prompt_tokens, reply.completion_tokens, reply.estimated) == (10, 20, False)
            assert reply.cost == pytest.approx((10 * 3 + 20 * 15) / 1e6) and reply.seconds > 0
            assert [row[0] for row in rig.rows()] == [reply.key]
            spent = gateway.spent["weak"]
            assert (spent.calls, spent.tokens, spent.cost) == (1, 30, reply.cost)
            assert gateway.budget.total.settled == spent and gateway.budget.total.reserved == Spent()

    played(main)


def test_missing_usage_is_estimated(tmp_path: Path) -> None:
    """Without a count of tokens one is estimated from the texts, marked, and charged."""
    body = completion(text="x" * 400) | {"usage": None}
    rig = Rig(tmp_path, in_turn(httpx2.Response(200, json=body)), output_price=1.0)

    async def main() -> None:
        async with rig.open() as gateway:
            reply = await gateway.ask(request(text="y" * 800))
            assert reply.estimated and (reply.prompt_tokens, reply.completion_tokens) == (201, 101)
            assert gateway.budget.total.settled.tokens == 302 and reply.cost > 0

    played(main)


def test_replay_makes_no_call(tmp_path: Path) -> None:
    """A recorded call is answered from the journal, in the same run and after a restart, and costs nothing."""
    rig = Rig(tmp_path)

    async def main() -> None:
        async with rig.open() as gateway:
            first = await gateway.ask(request())
            assert await gateway.ask(request()) == first
            assert gateway.replayed == 1
        async with rig.open(calls=1) as gateway:
            assert await gateway.ask(request()) == first
            assert gateway.replayed == 1 and gateway.spent == {}
        assert len(rig.wire.bodies) == 1

    played(main)


def test_same_call_in_flight_is_made_once(tmp_path: Path) -> None:
    """Any number of callers of one call share one answer and one charge."""
    rig = Rig(tmp_path)

    async def main() -> None:
        async with rig.open() as gateway:
            replies = await asyncio.gather(*[gateway.ask(request()) for _ in range(20)])
            assert len(rig.wire.bodies) == 1 and len({one.text for one in replies}) == 1
            assert gateway.budget.total.settled.calls == 1 and gateway.flying == {}

    played(main)


PARTS: dict[str, Draw] = {
    "iteration": replace(DRAW, iteration=4),
    "side": replace(DRAW, side="child"),
    "document": replace(DRAW, document="f" * 16),
    "trial": replace(DRAW, trial=1),
    "ordinal": DRAW.at(ordinal=1),
    "attempt": DRAW.at(attempt=1),
    "retry": DRAW.again(1),
}


def test_draw_is_part_of_the_key(tmp_path: Path) -> None:
    """Each single part of the draw makes another call with another seed for the model."""
    assert set(PARTS) == set(DRAW.__dataclass_fields__)
    rig = Rig(tmp_path)

    async def main() -> None:
        async with rig.open() as gateway:
            draws = [DRAW, *PARTS.values()]
            replies = [await gateway.ask(request(draw=draw)) for draw in draws]
            assert len({one.key for one in replies}) == len(draws)
            seeds = {body["seed"] for body in rig.wire.bodies}
            assert len(seeds) == len(draws) and all(0 <= seed < 2**31 for seed in seeds)

    played(main)


def keyed(gateway: Gateway, asked: Request) -> str:
    return gateway.identify(asked).key


def test_request_is_part_of_the_key(tmp_path: Path) -> None:
    """Role, model, sampling, limit and every message make the key; prices, slots and deadlines do not."""
    rig = Rig(tmp_path)
    system = (Message(role="system", content="Question?"),)

    async def main() -> None:
        async with rig.open() as gateway:
            base = keyed(gateway, request())
            others = [
                request("strong"),
                request(text="Question!"),
                request(max_tokens=8192),
                replace(request(), messages=system),
                replace(request(), messages=request().messages * 2),
            ]
            keys = [keyed(gateway, one) for one in others]
            for changes in ({"name": "other"}, {"sampling": {"temperature": 0.0}}):
                gateway.models = models(**changes)
                keys.append(keyed(gateway, request()))
            assert len({base, *keys}) == 8
            gateway.models = models(
                input_price=1.0, slots=1, deadline=9.0, key_variable="K", name="weak-model"
            )
            assert keyed(gateway, request()) == base
            gateway.models = models(name="one for all")
            assert keyed(gateway, request("weak")) != keyed(gateway, request("strong"))

    played(main)


def test_keys_do_not_depend_on_order(tmp_path: Path) -> None:
    """The same calls in another order, in another process, have the same keys and seeds."""
    asked = [request(draw=draw) for draw in PARTS.values()]

    async def calls(folder: Path, order: list[Request]) -> dict[str, int]:
        folder.mkdir()
        rig = Rig(folder)
        async with rig.open() as gateway:
            for one in order:
                await gateway.ask(one)
            return {gateway.identify(one).key: gateway.identify(one).question.seed for one in order}

    async def main() -> None:
        forward = await calls(tmp_path / "a", asked)
        assert await calls(tmp_path / "b", asked[::-1]) == forward

    played(main)


def test_run_seed_changes_the_model_seeds(tmp_path: Path) -> None:
    """Another seed of the run draws other answers for the same calls."""

    async def main() -> None:
        async with Rig(tmp_path).open() as gateway:
            first = gateway.identify(request()).question.seed
            gateway.terms = Terms(8)
            assert gateway.identify(request()).question.seed != first

    played(main)


def test_a_retry_never_has_less_room(tmp_path: Path) -> None:
    """A request with a limit of its own gets it only if it is more than the role's."""
    rig = Rig(tmp_path)

    async def main() -> None:
        async with rig.open() as gateway:
            for number, most in enumerate((None, 8192, 100)):
                await gateway.ask(request(draw=DRAW.again(number), max_tokens=most))
        assert [body["max_tokens"] for body in rig.wire.bodies] == [4096, 8192, 4096]

    played(main)


def test_cancelled_caller_does_not_lose_the_reply(tmp_path: Path) -> None:
    """A call goes on when its caller is gone; its reply is journalled, charged and replayed."""

    async def main() -> None:
        held = Held()
        rig = Rig(tmp_path, held)
        async with rig.open() as gateway:
            caller = asyncio.create_task(gateway.ask(request()))
            await until(lambda: held.under_way == 1)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            held.go.set()
            await until(lambda: not gateway.flying)
            assert gateway.budget.total.settled.calls == 1
            assert (await gateway.ask(request())).text == "an answer"
            assert gateway.replayed == 1 and len(rig.wire.bodies) == 1

    played(main)


def test_one_cancelled_caller_does_not_disturb_another(tmp_path: Path) -> None:
    """Of two callers of one call, the other still gets the answer."""

    async def main() -> None:
        held = Held()
        async with Rig(tmp_path, held).open() as gateway:
            first, second = (asyncio.create_task(gateway.ask(request())) for _ in range(2))
            await until(lambda: held.under_way == 1)
            first.cancel()
            held.go.set()
            assert (await second).text == "an answer"

    played(main)


def test_close_waits_for_calls_in_flight(tmp_path: Path) -> None:
    """What is under way at the end is recorded before the door closes."""
    rig = Rig(tmp_path)

    async def main() -> None:
        rig.wire.respond = held = Held()
        async with rig.open() as gateway:
            caller = asyncio.create_task(gateway.ask(request()))
            await until(lambda: held.under_way == 1)
            caller.cancel()
            asyncio.get_running_loop().call_soon(held.go.set)
        assert len(rig.rows()) == 1

    played(main)


def test_closing_buys_nothing_more(tmp_path: Path) -> None:
    """What only waits for a slot when the door closes is never sent; what is under way is recorded."""

    async def main() -> None:
        held = Held()
        rig = Rig(tmp_path, held, slots=1)
        async with rig.open() as gateway:
            callers = [
                asyncio.create_task(gateway.ask(request(text=f"Question {number}?"))) for number in range(3)
            ]
            await until(lambda: held.under_way == 1 and len(gateway.flying) == 3)
            asyncio.get_running_loop().call_soon(held.go.set)
            await gateway.close()
            ended = await asyncio.gather(*callers, return_exceptions=True)
        assert [isinstance(one, asyncio.CancelledError) for one in ended] == [False, True, True]
        assert len(rig.rows()) == len(rig.wire.bodies) == 1

    played(main)


def models_at(*urls: str) -> Iterator[Model]:
    """The models of all roles, at these places in turn."""
    for number, one in enumerate(models().values()):
        yield one.model_copy(update={"base_url": urls[number % len(urls)]})


def test_each_role_goes_to_its_endpoint(tmp_path: Path) -> None:
    """A role's call goes to the endpoint and the model of that role, and endpoints do not share slots."""
    other = "http://other.invalid/v1"
    wires = {URL: Wire(), other: Wire()}
    placed = dict(zip(models(), models_at(URL, other), strict=True))

    async def main() -> None:
        with closing(Journal(tmp_path / "calls.db")) as journal:
            endpoints = {url: wire.endpoint(base_url=url) for url, wire in wires.items()}
            gateway = Gateway(placed, endpoints, journal, Budget(BudgetLimits(), {}), Terms(7))
            for role in placed:
                await gateway.ask(request(role))
            await gateway.close()
            assert gateway.lines[URL] is not gateway.lines[other]
        for url, wire in wires.items():
            assert [body["model"] for body in wire.bodies] == [
                one.name for one in placed.values() if one.base_url == url
            ]

    played(main)
