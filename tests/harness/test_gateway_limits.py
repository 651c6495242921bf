"""The one door to models under faults and limits: patience, slots and budget."""

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fakes import DRAW, URL, Wire, completion, models, request
from gateways import Held, Rig, Swift, in_turn, ok, played, until

from harness.budget import Budget, BudgetLimits, Limits, Spent
from harness.circuit import FIRST_WAIT, GRACE, LONGEST_WAIT, Patience, backoff
from harness.errors import BudgetSpent, ProviderError, StorageError
from harness.gateway import Gateway, Terms
from harness.journal import Journal
from harness.types import Reply, Role

FAULTS: list[httpx2.Response | Exception] = [
    httpx2.Response(429),
    httpx2.Response(500, content=b"<html>"),
    httpx2.Response(200, content=b"<html>"),
    httpx2.Response(200, json=completion() | {"choices": []}),
    httpx2.ReadError("reset"),
]


def test_transient_faults_are_tried_again_and_recorded(tmp_path: Path) -> None:
    """After passing faults the answer comes; each failed attempt has a row with its number; one call is charged."""
    rig = Rig(tmp_path, in_turn(*FAULTS, ok()))

    async def main() -> None:
        async with rig.open() as gateway:
            reply = await gateway.ask(request())
            assert reply.text == "an answer" and len(gateway.pauses) == len(FAULTS)
            assert gateway.budget.total.settled.calls == 1
        failures = rig.rows("failures")
        assert [row[4] for row in failures] == [1, 2, 3, 4, 5] and {row[1] for row in failures} == {reply.key}
        assert "HTTP 429" in failures[0][5] and "reset" in failures[4][5]
        assert len({body["seed"] for body in rig.wire.bodies}) == 1

    played(main)


def test_refusal_ends_at_once(tmp_path: Path) -> None:
    """What will not pass is asked once, recorded, charged nothing, and the next caller asks again."""
    rig = Rig(tmp_path, in_turn(httpx2.Response(401, json={"error": {"message": "bad key"}}), ok()))

    async def main() -> None:
        async with rig.open() as gateway:
            with pytest.raises(ProviderError, match=r"401.*bad key"):
                await gateway.ask(request())
            assert gateway.pauses == () and gateway.flying == {} and gateway.budget.total.settled == Spent()
            assert gateway.budget.in_flight == 0 and len(rig.rows("failures")) == 1 and rig.rows() == []
            assert (await gateway.ask(request())).text == "an answer"

    played(main)


def test_patience_ends(tmp_path: Path) -> None:
    """An endpoint that goes down is probed for as long as the terms say, then given up with its last problem."""
    rig = Rig(tmp_path, in_turn(ok(), httpx2.Response(503, content=b"busy")))
    rig.terms = Terms(7, Patience(seconds=600.0))

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.ask(request())
            with pytest.raises(ProviderError, match=r"no answer for 6\d\d s; .*HTTP 503.*nothing is lost"):
                await gateway.ask(request(text="after"))
            assert 600 < sum(gateway.pauses) < 750
            assert len(rig.wire.bodies) == len(rig.rows("failures")) + 1 < 40
            assert gateway.budget.in_flight == 0

    played(main)


def test_an_endpoint_that_was_never_there_is_given_up_soon(tmp_path: Path) -> None:
    """Who mistyped an address need not wait for half an hour."""
    rig = Rig(tmp_path, in_turn(httpx2.ConnectError("refused")))

    async def main() -> None:
        async with rig.open() as gateway:
            with pytest.raises(ProviderError, match=r"not once since the start.*refused"):
                await gateway.ask(request())
            assert GRACE <= sum(gateway.pauses) < 4 * GRACE

    played(main)


def test_while_it_is_down_one_call_probes_for_all(tmp_path: Path) -> None:
    """Calls of a fallen endpoint wait together; attempts in the outage grow with its length, not with the callers."""
    down = 400.0

    async def main() -> None:
        rig = Rig(tmp_path, slots=20)
        async with rig.open() as gateway:
            await gateway.ask(request())
            began = gateway.clock()

            async def respond(body: dict[str, Any]) -> httpx2.Response:
                return httpx2.Response(502) if gateway.clock() - began < down else ok()

            rig.wire.respond = respond
            asked = [request(draw=DRAW.at(attempt=number)) for number in range(1, 21)]
            notices: list[str] = []

            async def look() -> None:
                while len(notices) < 2000:
                    notices.append(gateway.notice)
                    await asyncio.sleep(0)

            looking = asyncio.create_task(look())
            replies = await asyncio.gather(*[gateway.ask(one) for one in asked])
            looking.cancel()
            assert all(one.text == "an answer" for one in replies)
            assert any("is down, next probe in" in one for one in notices)
            assert len(rig.rows("failures")) < 50
            assert gateway.notice == "" and gateway.trouble == {}

    played(main)


def test_a_rate_limit_slows_down_and_recovers(tmp_path: Path) -> None:
    """Calls rest as long as the server asks, fewer go at once for a while, and none counts as a retry."""
    limited = httpx2.Response(429, headers={"retry-after": "20"})
    rig = Rig(tmp_path, in_turn(ok(), limited, ok()), slots=10)

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.ask(request())
            line = gateway.lines[URL]
            credit = line.circuit.credit
            await gateway.ask(request(text="limited"))
            assert line.slots.size == 8 and sum(gateway.pauses) >= 20 and line.circuit.credit >= credit
            for number in range(80):
                await gateway.ask(request(draw=DRAW.at(attempt=number + 1)))
            assert line.slots.size == 10

    played(main)


def test_only_retries_after_failures_are_paid_for(tmp_path: Path) -> None:
    """A call that failed once and then meets rate limits uses one retry of the budget, not one for every limit."""
    rig = Rig(tmp_path, in_turn(ok(), httpx2.Response(500), *[httpx2.Response(429)] * 6, ok()))

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.ask(request())
            circuit = gateway.lines[URL].circuit
            before = circuit.credit
            await gateway.ask(request(text="unlucky"))
            assert circuit.credit == pytest.approx(before - 1 + circuit.patience.retries)

    played(main)


def test_an_outage_that_ends_in_rate_limits_is_not_hammered(tmp_path: Path) -> None:
    """A server that comes back from an outage with 429s is asked at growing distances, not as fast as it answers."""
    turn = iter([httpx2.Response(503)] * 8 + [httpx2.Response(429)] * 12)
    rig = Rig(tmp_path, in_turn(ok(), *turn, ok()))

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.ask(request())
            await gateway.ask(request(text="later"))
            assert sum(gateway.pauses[-8:]) > 60 and gateway.notice == ""

    played(main)


def test_retries_beyond_the_budget_wait(tmp_path: Path) -> None:
    """An endpoint that fails every other time is asked in bursts with rests between, and the notice says why."""
    turn = iter(range(10**6))

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        return httpx2.Response(500) if next(turn) % 2 else ok()

    async def main() -> None:
        rig = Rig(tmp_path, respond, slots=1)
        rig.terms = Terms(7, Patience(retries=0.1, burst=5))
        async with rig.open() as gateway:
            for number in range(60):
                await gateway.ask(request(draw=DRAW.at(attempt=number)))
            rests = [one for one in gateway.pauses if one > 55]
            assert 5 <= len(rests) <= 60 / 6 and "retries than the budget" in gateway.lines[URL].circuit.why

    played(main)


def test_backoff() -> None:
    """Full jitter up to a doubling bound and a cap; a server's own wish is kept up to the cap."""
    for number in range(1, 40):
        bound = min(LONGEST_WAIT, FIRST_WAIT * 2**number)
        drawn = [backoff(number, None) for _ in range(200)]
        assert 0 <= min(drawn) < 0.2 * bound and 0.8 * bound < max(drawn) <= bound
    assert max(backoff(9, 0.0) for _ in range(50)) > 10, "a wish for no wait at all is no leave to hammer"
    for after in (1.0, 5.0, LONGEST_WAIT):
        drawn = [backoff(1, after) for _ in range(50)]
        assert after <= min(drawn) and max(drawn) <= after + FIRST_WAIT and len(set(drawn)) > 40
    for after in (90.0, 3600.0, float("inf")):
        assert backoff(1, after) <= LONGEST_WAIT + FIRST_WAIT


def test_slots_bound_the_calls_of_an_endpoint(tmp_path: Path) -> None:
    """All roles of an endpoint share its slots; no more calls are under way than the largest number says."""

    async def main() -> None:
        held = Held()
        async with Rig(tmp_path, held, slots=3).open() as gateway:
            roles: list[Role] = ["weak", "strong", "judge"]
            asked = [request(role, draw=DRAW.at(attempt=n)) for role in roles for n in range(4)]
            tasks = [asyncio.create_task(gateway.ask(one)) for one in asked]
            await until(lambda: held.under_way == 3)
            await asyncio.sleep(0.01)
            held.go.set()
            await asyncio.gather(*tasks)
            assert held.most == 3 and gateway.lines[URL].slots.free == 3

    played(main)


def test_older_iterations_go_first(tmp_path: Path) -> None:
    """Of the calls that wait for a slot, the one of the oldest iteration is made next."""

    async def main() -> None:
        held = Held()
        rig = Rig(tmp_path, held, slots=1)
        async with rig.open() as gateway:
            tasks = []
            for iteration in (5, 9, 2, 7):
                draw = replace(DRAW, iteration=iteration)
                tasks.append(asyncio.create_task(gateway.ask(request(text=f"of {iteration}", draw=draw))))
                await asyncio.sleep(0)
            await until(lambda: held.under_way == 1)
            held.go.set()
            await asyncio.gather(*tasks)
        assert [body["messages"][0]["content"] for body in rig.wire.bodies] == [
            "of 5",
            "of 2",
            "of 7",
            "of 9",
        ]

    played(main)


def test_slot_is_free_while_a_call_backs_off(tmp_path: Path) -> None:
    """A call that waits to be tried again holds no slot: another call goes ahead on the only one."""
    waiting, go = asyncio.Event(), asyncio.Event()

    class Patient(Swift):
        async def pause(self, seconds: float) -> None:
            waiting.set()
            await go.wait()

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        failing = body["messages"][0]["content"] == "first" and not go.is_set()
        return httpx2.Response(500) if failing else ok()

    async def main() -> None:
        wire = Wire(respond)
        with closing(Journal(tmp_path / "calls.db")) as journal:
            budget = Budget(BudgetLimits(), {})
            gateway = Patient(models(slots=1), {URL: wire.endpoint()}, journal, budget, Terms(7))
            first = asyncio.create_task(gateway.ask(request(text="first")))
            await waiting.wait()
            assert (await gateway.ask(request(text="second"))).text == "an answer"
            go.set()
            assert (await first).text == "an answer"
            await gateway.close()

    played(main)


def test_reply_that_cannot_be_recorded_is_not_used(tmp_path: Path) -> None:
    """If the journal fails, the caller gets its error and no reply; what was bought is charged all the same."""
    rig = Rig(tmp_path)

    async def main() -> None:
        async with rig.open() as gateway:
            await gateway.journal.do(lambda db: db.execute("PRAGMA query_only = ON").fetchall())
            with pytest.raises(StorageError, match="cannot be written"):
                await gateway.ask(request())
            assert gateway.budget.total.settled.calls == 1 and gateway.budget.in_flight == 0
            assert gateway.spent == {} and gateway.flying == {}

    played(main)


def test_budget_stops_before_the_call(tmp_path: Path) -> None:
    """The worst case of a call must fit: a call that might cross the limit is not made."""
    rig = Rig(tmp_path, sampling={"max_tokens": 1000})

    async def main() -> None:
        async with rig.open(tokens=1000) as gateway:
            with pytest.raises(BudgetSpent, match="tokens limit 1000"):
                await gateway.ask(request())
            assert rig.wire.bodies == [] and gateway.flying == {}
        async with rig.open(roles={"strong": Limits(calls=0)}) as gateway:
            await gateway.ask(request())
            with pytest.raises(BudgetSpent, match="strong calls limit 0"):
                await gateway.ask(request("strong"))

    played(main)


@pytest.mark.parametrize("text", ["x" * 3000, "界" * 3000, "\n" * 3000])
def test_reserved_covers_what_is_used(tmp_path: Path, text: str) -> None:
    """While a call is under way its worst case is set aside, at a token for every two bytes and the whole reply."""

    async def main() -> None:
        held = Held()
        async with Rig(tmp_path, held, input_price=1.0, output_price=2.0).open() as gateway:
            caller = asyncio.create_task(gateway.ask(request(text=text)))
            await until(lambda: held.under_way == 1)
            reserved = gateway.budget.total.reserved
            assert reserved.calls == 1 and reserved.tokens >= len(text.encode()) // 2 + 4096
            assert reserved.cost >= (len(text.encode()) // 2 + 2 * 4096) / 1e6
            held.go.set()
            await caller

    played(main)


def test_concurrent_calls_do_not_cross_the_limit(tmp_path: Path) -> None:
    """Calls made at once stay within the limit; a resumed run goes on from what was spent."""
    rig = Rig(tmp_path, in_turn(ok(asked=60, said=40)), sampling={"max_tokens": 40})
    limit = 1000

    async def spend(gateway: Gateway, first: int) -> list[Reply | BaseException]:
        asked = [request(draw=DRAW.at(attempt=first + n)) for n in range(30)]
        return await asyncio.gather(*[gateway.ask(one) for one in asked], return_exceptions=True)

    async def main() -> None:
        async with rig.open(tokens=limit) as gateway:
            results = await spend(gateway, 0)
            made = sum(isinstance(one, Reply) for one in results)
            assert all(isinstance(one, Reply | BudgetSpent) for one in results) and made == len(
                rig.wire.bodies
            )
            assert limit - 200 <= 100 * made <= limit == 1000
        async with rig.open(tokens=limit) as gateway:
            assert gateway.budget.total.settled.tokens == 100 * made
            assert all(isinstance(one, BudgetSpent) for one in await spend(gateway, 100))
        async with rig.open(tokens=limit + 200) as gateway:
            again = await spend(gateway, 0)
            assert sum(isinstance(one, Reply) for one in again) >= made
            assert gateway.replayed == made

    played(main)
