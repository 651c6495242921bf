"""The budget: what is reserved, what is settled, who waits, who is refused."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from fakes import models
from hypothesis import given
from hypothesis import strategies as st

from harness.budget import Budget, BudgetLimits, Limits, Spent, refuse_unpriced
from harness.errors import BudgetSpent, UsageError
from harness.types import Role

ONE = Spent(1, 100, 0.5, 0.0)


def budget(spent: Mapping[Role, Spent] | None = None, **limits: object) -> Budget:
    return Budget(BudgetLimits(**limits), spent or {})


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("limits", "name"), [({"calls": 2}, "calls"), ({"tokens": 250}, "tokens"), ({"cost": 1.2}, "cost")]
)
def test_each_limit_refuses(limits: dict[str, Any], name: str) -> None:
    """Calls, tokens and money each stop the next call that would cross the limit, and the message names it."""

    async def main() -> None:
        held = budget(**limits)
        for _ in range(2):
            await held.reserve("weak", ONE)
            held.settle("weak", ONE, ONE)
        with pytest.raises(BudgetSpent, match=f"{name} limit .* reached; everything so far is recorded"):
            await held.reserve("weak", ONE)

    asyncio.run(main())


def test_exactly_at_the_limit_is_allowed() -> None:
    """A call that just fits is made."""

    async def main() -> None:
        held = budget(calls=1, tokens=100, cost=0.5)
        await held.reserve("weak", ONE)

    asyncio.run(main())


def test_settling_gives_back() -> None:
    """A reservation is replaced by what was used: a cheap call leaves room for the next, a failed one all of it."""

    async def main() -> None:
        held = budget(tokens=150)
        for actual in (Spent(1, 20, 0, 0), Spent(), Spent(1, 30, 0, 0)):
            await held.reserve("weak", ONE)
            held.settle("weak", ONE, actual)
        assert held.total.settled.tokens == 50 and held.total.reserved == Spent()
        await held.reserve("weak", ONE)

    asyncio.run(main())


def test_waits_while_calls_in_flight_may_give_back() -> None:
    """A call that does not fit beside a reservation waits, and is made when that one used less."""

    async def main() -> None:
        held = budget(tokens=150)
        await held.reserve("weak", ONE)
        second = asyncio.create_task(held.reserve("strong", ONE))
        await settled()
        assert not second.done()
        held.settle("weak", ONE, Spent(1, 40, 0, 0))
        await asyncio.wait_for(second, 5)

    asyncio.run(main())


def test_waiting_ends_in_refusal_if_nothing_was_given_back() -> None:
    """All who wait are refused once what was in flight has used its reservation up."""

    async def main() -> None:
        held = budget(tokens=150)
        await held.reserve("weak", ONE)
        waiting = [asyncio.create_task(held.reserve("strong", ONE)) for _ in range(3)]
        await settled()
        held.settle("weak", ONE, ONE)
        results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
        assert [type(one) for one in results] == [BudgetSpent] * 3

    asyncio.run(main())


def test_hopeless_call_does_not_wait() -> None:
    """A call that no settlement can make fit is refused at once, though others are in flight."""

    async def main() -> None:
        held = budget(tokens=150)
        await held.reserve("weak", Spent(1, 50, 0, 0))
        with pytest.raises(BudgetSpent, match="tokens limit 150"):
            await asyncio.wait_for(held.reserve("weak", Spent(1, 151, 0, 0)), 5)

    asyncio.run(main())


def test_spent_is_spent_for_all() -> None:
    """After the first refusal every call is refused, even a smaller one: the stop is orderly, not a trickle."""

    async def main() -> None:
        held = budget(tokens=50)
        with pytest.raises(BudgetSpent):
            await held.reserve("weak", ONE)
        with pytest.raises(BudgetSpent, match="tokens limit 50"):
            await held.reserve("judge", Spent(1, 1, 0, 0))

    asyncio.run(main())


def test_cancelled_waiter_holds_nothing() -> None:
    """Who stops waiting leaves no reservation behind."""

    async def main() -> None:
        held = budget(tokens=150)
        await held.reserve("weak", ONE)
        waiter = asyncio.create_task(held.reserve("weak", ONE))
        await settled()
        waiter.cancel()
        await settled()
        held.settle("weak", ONE, Spent())
        assert held.in_flight == 0 and held.total.reserved == Spent()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["calls", "tokens", "cost", "seconds"])
def test_role_limits(name: str) -> None:
    """A role's own limit stops that role's calls and is named with the role; others count in the whole only."""
    values: dict[str, float] = {"calls": 1, "tokens": 100, "cost": 0.5, "seconds": 2.0}

    async def main() -> None:
        held = budget(roles={"strong": Limits(**{name: values[name]})})
        used = Spent(1, 100, 0.5, 2.5)
        for role in ("weak", "weak", "strong"):
            await held.reserve(role, ONE)
            held.settle(role, ONE, used)
        await held.reserve("weak", ONE)
        held.settle("weak", ONE, used)
        with pytest.raises(BudgetSpent, match=f"strong {name} limit"):
            await held.reserve("strong", ONE)

    asyncio.run(main())


def test_wall_clock() -> None:
    """The seconds of the whole run are wall time from its start; call time does not count there."""
    now = [100.0]

    async def main() -> None:
        held = Budget(BudgetLimits(seconds=10), {"weak": Spent(5, 5, 0, 999.0)}, clock=lambda: now[0])
        now[0] = 109.9
        await held.reserve("weak", ONE)
        held.settle("weak", ONE, Spent(1, 1, 0, 999.0))
        now[0] = 110.0
        with pytest.raises(BudgetSpent, match="seconds limit 10"):
            await held.reserve("weak", ONE)

    asyncio.run(main())


def test_restored_from_the_journal() -> None:
    """What earlier starts of the run spent counts, in the whole and for its role."""

    async def main() -> None:
        before: dict[Role, Spent] = {"weak": Spent(3, 300, 1.5, 1.0), "judge": Spent(1, 100, 0.5, 1.0)}
        with pytest.raises(BudgetSpent, match="calls limit 4"):
            await budget(before, calls=4).reserve("strong", ONE)
        with pytest.raises(BudgetSpent, match="weak tokens limit 399"):
            await budget(before, roles={"weak": Limits(tokens=399)}).reserve("weak", ONE)
        await budget(before, calls=5, tokens=500, cost=2.5, roles={"weak": Limits(calls=4)}).reserve(
            "weak", ONE
        )

    asyncio.run(main())


@given(
    st.integers(0, 600),
    st.lists(st.tuples(st.integers(1, 200), st.integers(0, 100), st.integers(0, 3)), min_size=1, max_size=15),
)
def test_limit_is_never_crossed(limit: int, calls: list[tuple[int, int, int]]) -> None:
    """However calls overlap, settled plus reserved never exceeds the limit, and everybody ends."""

    async def main() -> None:
        held = budget(tokens=limit)

        async def call(worst: int, share: int, steps: int) -> None:
            wanted = Spent(1, worst, 0, 0)
            await held.reserve("weak", wanted)
            assert held.total.settled.tokens + held.total.reserved.tokens <= limit
            for _ in range(steps):
                await asyncio.sleep(0)
            held.settle("weak", wanted, Spent(1, worst * share // 100, 0, 0))

        tasks = [asyncio.create_task(call(*one)) for one in calls]
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert all(one is None or isinstance(one, BudgetSpent) for one in results)
        assert held.total.settled.tokens <= limit and held.total.reserved == Spent() and held.in_flight == 0
        if sum(worst for worst, _, _ in calls) <= limit:
            assert results == [None] * len(calls)

    asyncio.run(main())


def test_money_cannot_be_limited_where_prices_are_unknown() -> None:
    """A limit in dollars, for all or for one role, needs the prices it counts with; zero is a price."""
    unpriced = models()
    free = models(input_price=0.0, output_price=0.0)
    half = unpriced | {"weak": free["weak"]}
    refuse_unpriced(BudgetLimits(calls=3), unpriced)
    refuse_unpriced(BudgetLimits(cost=3.0), free)
    refuse_unpriced(BudgetLimits(roles={"weak": Limits(cost=1.0)}), half)
    with pytest.raises(UsageError, match=r"challenger, verifier, strong, judge.*input_price"):
        refuse_unpriced(BudgetLimits(cost=3.0), half)
    with pytest.raises(UsageError, match="prices of strong are unknown"):
        refuse_unpriced(BudgetLimits(roles={"strong": Limits(cost=1.0)}), unpriced)
