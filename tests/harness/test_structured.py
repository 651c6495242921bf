"""Answers with a form, from the judge down to the wire and the journal: unlike servers give one and the same result."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from fakes import DRAW, completion, criteria, example, judgement
from gateways import Rig, ok, played

from harness.domains.cs import DOMAIN as CS
from harness.errors import InvalidMeasurement
from harness.judge import judge
from harness.types import Sampling

THREE = example(rubric=criteria(9, 3, -7))
GOOD = judgement([True, False, True])


def server(*refused: str, say: str = GOOD) -> Any:
    """A server that refuses these forms and otherwise judges."""

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        form = body.get("response_format", {}).get("type", "text")
        if form in refused:
            error = {"message": f"response_format {form} is not supported", "type": "invalid_request_error"}
            return httpx2.Response(400, json={"error": error})
        return ok(text=say)

    return respond


async def judged(rig: Rig) -> tuple[tuple[bool, ...], str]:
    async with rig.open() as gateway:
        return await judge(gateway, CS, THREE, "an answer", DRAW)


@pytest.mark.parametrize(
    ("refused", "form"),
    [
        ((), "json_schema"),
        (("json_schema",), "json_object"),
        (("json_schema", "json_object"), "text"),
    ],
)
def test_one_result_from_unlike_servers(tmp_path: Path, refused: tuple[str, ...], form: str) -> None:
    """The judgement and its identity are the same whatever the server takes; the way it went is on record."""
    rig = Rig(tmp_path, server(*refused))
    same = Rig(tmp_path / "same", server())
    same.path.parent.mkdir()

    async def main() -> None:
        hits, key = await judged(rig)
        assert hits == (True, False, True)
        assert (hits, key) == await judged(same)
        sent = len(rig.wire.bodies)
        assert await judged(rig) == (hits, key) and len(rig.wire.bodies) == sent, "the journal answers"
        async with rig.open() as gateway:
            reply = await gateway.journal.get(key)
            assert reply is not None and reply.form == form
            assert gateway.budget.total.settled.calls == 1

    played(main)
    assert len(rig.wire.bodies) == 1 + len(refused)
    assert len(rig.rows()) == 1 and rig.rows("failures") == [], "a step down is no failed attempt"


def test_a_server_that_takes_the_schema_and_ignores_it(tmp_path: Path) -> None:
    """What does not parse is drawn again, each time as another draw, and is missing in the end; never a score."""
    rig = Rig(tmp_path, server(say='{"criteria": [{"number": 1}]}'))

    async def main() -> None:
        with pytest.raises(InvalidMeasurement, match=r"judge: .*criteria\.0\.met"):
            await judged(rig)

    played(main)
    assert len({body["seed"] for body in rig.wire.bodies}) == len(rig.wire.bodies) == 4
    assert {body["response_format"]["type"] for body in rig.wire.bodies} == {"json_schema"}


@pytest.mark.parametrize("reported", [True, False])
def test_thought_that_uses_up_every_limit(tmp_path: Path, reported: bool) -> None:
    """A model that thinks up to its limit gets twice the room until it has said something, reported or not."""

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        room = body["max_tokens"]
        answer = completion(*(("", "length") if room < 16_384 else (GOOD, "stop")), said=room)
        answer["choices"][0]["message"]["reasoning_content"] = "Let me think. " * 10
        answer["usage"]["completion_tokens_details"] = {"reasoning_tokens": room - 5}
        return httpx2.Response(200, json=answer if reported else answer | {"usage": None})

    rig = Rig(tmp_path, respond)

    async def main() -> None:
        assert (await judged(rig))[0] == (True, False, True)
        async with rig.open() as gateway:
            (total,) = await gateway.journal.totals()
            assert total.calls == 3
            thought = 4096 + 8192 + 16_384 - 3 * 5
            assert total.reasoning_tokens == (thought if reported else 0)

    played(main)
    assert [body["max_tokens"] for body in rig.wire.bodies] == [4096, 8192, 16_384]


@pytest.mark.parametrize("limit", [32_768, 100_000])
def test_a_limit_above_the_cap_is_kept(tmp_path: Path, limit: int) -> None:
    """A model whose own limit is at or above the cap is drawn again with that limit, never with less."""

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        return ok(text="half", finish="length", said=limit)

    rig = Rig(tmp_path, respond, sampling=Sampling(max_tokens=limit))

    async def main() -> None:
        with pytest.raises(InvalidMeasurement, match=f"length after {limit} tokens"):
            await judged(rig)

    played(main)
    assert [body["max_tokens"] for body in rig.wire.bodies] == [limit] * 4


@pytest.mark.parametrize(
    ("completed", "total"),
    [(120, 140), (20, 140)],
    ids=["included", "beside"],
)
def test_thought_is_billed_once(tmp_path: Path, completed: int, total: int) -> None:
    """Whether a provider includes thought in its count or not, the same is paid, recorded and taken from the budget."""

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        answer = completion(GOOD)
        answer["usage"] = {
            "prompt_tokens": 20,
            "completion_tokens": completed,
            "total_tokens": total,
            "completion_tokens_details": {"reasoning_tokens": 100},
        }
        return httpx2.Response(200, json=answer)

    rig = Rig(tmp_path, respond, input_price=1.0, output_price=10.0)

    async def main() -> None:
        _, key = await judged(rig)
        async with rig.open() as gateway:
            reply = await gateway.journal.get(key)
            assert reply is not None
            assert (reply.completion_tokens, reply.reasoning_tokens, reply.tokens) == (120, 100, 140)
            assert reply.cost == pytest.approx((20 + 1200) / 1e6)
            spent = gateway.budget.total.settled
            assert (spent.tokens, spent.cost) == (140, pytest.approx(reply.cost))

    played(main)


def test_a_settings_form_reaches_the_wire(tmp_path: Path) -> None:
    """`structured` of the role's model decides how its answer is asked for."""
    rig = Rig(tmp_path, server(), structured="json_object")
    played(lambda: judged(rig))  # type: ignore[arg-type]  # its result is not needed
    (body,) = rig.wire.bodies
    assert (
        body["response_format"] == {"type": "json_object"}
        and "JSON schema" in body["messages"][-1]["content"]
    )
