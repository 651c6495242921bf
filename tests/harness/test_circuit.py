"""An endpoint's circuit by itself, with a clock that only waiting moves."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.circuit import FAILURES, FIRST_PAUSE, GRACE, LONGEST_PAUSE, Circuit, Passage, Patience
from harness.errors import ProviderError


class Time:
    """A clock and the waiting that moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def played(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(main())  # type: ignore[arg-type]  # a coroutine function's result


def fallen(time: Time, patience: Patience | None = None) -> Circuit:
    """A circuit that answered once and has just opened."""
    circuit = Circuit("https://x.example/v1", patience or Patience(), lambda: time.now)
    circuit.answered()
    for _ in range(FAILURES):
        circuit.failed("call", "HTTP 503")
    assert circuit.pause == FIRST_PAUSE
    return circuit


def test_a_few_failures_change_nothing() -> None:
    """Below the limit calls go on at once, and an answer in between starts the count again."""
    time = Time()
    circuit = Circuit("x", Patience(), lambda: time.now)

    async def main() -> None:
        for _ in range(3):
            for _ in range(FAILURES - 1):
                circuit.failed("call", "reset")
            assert await circuit.admit(time.wait) == "call"
            circuit.answered()
        assert time.waited == [] and circuit.notice == ""

    played(main)


def test_one_probe_at_a_time() -> None:
    """When the pause is over one call goes, the others only when that one was answered."""
    time = Time()
    circuit = fallen(time)
    passed: list[Passage] = []

    async def call() -> None:
        passed.append(await circuit.admit(time.wait))

    async def main() -> None:
        calls = [asyncio.create_task(call()) for _ in range(4)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert passed == ["probe"] and "probing now" in circuit.notice
        circuit.answered()
        await asyncio.gather(*calls)
        assert passed == ["probe", "call", "call", "call"] and circuit.notice == ""

    played(main)


@pytest.mark.parametrize("ending", ["released", "failed"])
def test_a_probe_that_ends_makes_room_for_the_next(ending: str) -> None:
    """A probe that is cancelled or fails blocks nobody: the next one goes when its time has come."""
    time = Time()
    circuit = fallen(time)

    async def main() -> None:
        assert await circuit.admit(time.wait) == "probe"
        waiting = asyncio.create_task(circuit.admit(time.wait))
        await asyncio.sleep(0)
        assert not waiting.done()
        if ending == "failed":
            circuit.failed("probe", "HTTP 502")
            assert circuit.pause == 2 * FIRST_PAUSE
        else:
            circuit.released("probe")
        assert await waiting == "probe"

    played(main)


def test_late_failures_of_others_do_not_end_a_probe() -> None:
    """Calls that were under way when the circuit opened neither let a second probe through nor lengthen the pause."""
    time = Time()
    circuit = fallen(time)

    async def main() -> None:
        await circuit.admit(time.wait)
        circuit.failed("call", "HTTP 503")
        circuit.released("call")
        assert circuit.probing and circuit.pause == FIRST_PAUSE

    played(main)


def test_pauses_double_to_a_minute_and_end_with_the_patience() -> None:
    """Probes are 2, 4, 8 ... 60 seconds apart; after the patience every caller gets the last problem."""
    time = Time()
    circuit = fallen(time, Patience(seconds=500))

    async def main() -> None:
        with pytest.raises(ProviderError, match=r"x\.example.*for 5\d\d s; the last problem: HTTP 504"):
            while True:
                circuit.failed(await circuit.admit(time.wait), "HTTP 504")
        assert time.waited[:6] == [2, 4, 8, 16, 32, 60] and max(time.waited) == LONGEST_PAUSE
        with pytest.raises(ProviderError):
            await circuit.admit(time.wait)
        circuit.answered()
        assert await circuit.admit(time.wait) == "call"

    played(main)


def test_who_never_answered_gets_less_time() -> None:
    """An address nobody lives at is given up after half a minute, a rate limit is not."""
    time = Time()

    async def main() -> None:
        circuit = Circuit("x", Patience(), lambda: time.now)
        with pytest.raises(ProviderError, match="not once since the start"):
            while True:
                circuit.failed(await circuit.admit(time.wait), "refused")
        assert GRACE <= sum(time.waited) < 3 * GRACE
        busy = Circuit("x", Patience(), lambda: time.now)
        for _ in range(10):
            busy.limited(await busy.admit(time.wait), "HTTP 429", 20.0)
        assert await busy.admit(time.wait) == "call"

    played(main)


@pytest.mark.parametrize("sign", ["busy", "limited"])
def test_who_says_that_it_is_busy_is_there(sign: str) -> None:
    """A server that is loading its model (503), or had a rate limit first, is waited for as long as one that answered."""
    time = Time()
    circuit = Circuit("x", Patience(), lambda: time.now)

    async def main() -> None:
        if sign == "limited":
            circuit.limited(await circuit.admit(time.wait), "HTTP 429", None)
            time.now += GRACE + 1
        for _ in range(11):
            circuit.failed(await circuit.admit(time.wait), "HTTP 503", there=sign == "busy")
        assert sum(time.waited) > 4 * GRACE and not circuit.given_up

    played(main)


def test_a_probe_that_meets_a_rate_limit_closes_the_circuit() -> None:
    """The endpoint is up again: calls go, each with its own wait, instead of probing without any."""
    time = Time()
    circuit = fallen(time)

    async def main() -> None:
        circuit.limited(await circuit.admit(time.wait), "HTTP 429", None)
        assert await circuit.admit(time.wait) == "call" and circuit.pause == 0

    played(main)


def test_the_retry_budget_refills_with_answers() -> None:
    """Ten answers pay for one retry; what is not paid for comes after a minute's rest that says why."""
    time = Time()
    circuit = Circuit("x", Patience(retries=0.1, burst=2), lambda: time.now)

    async def main() -> None:
        circuit.retry()
        circuit.retry()
        assert await circuit.admit(time.wait) == "call" and time.waited == []
        circuit.retry()
        assert "retries" in circuit.notice
        assert await circuit.admit(time.wait) == "call" and time.waited == [LONGEST_PAUSE]
        for _ in range(20):
            circuit.answered()
        for _ in range(3):
            circuit.retry()
        assert await circuit.admit(time.wait) == "call" and time.waited == [LONGEST_PAUSE]

    played(main)
