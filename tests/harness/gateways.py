"""A gateway over a scripted wire and a journal in a folder, for tests that ask it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx2
from fakes import URL, Respond, Wire, completion, models

from harness.budget import Budget, BudgetLimits
from harness.gateway import Gateway, Terms
from harness.journal import Journal


class Swift(Gateway):
    """A gateway that does not really wait between attempts, but keeps for how long it would have."""

    pauses: tuple[float, ...] = ()

    def clock(self) -> float:
        return super().clock() + sum(self.pauses)

    async def pause(self, seconds: float) -> None:
        self.pauses += (seconds,)
        await asyncio.sleep(0)


def ok(**changes: Any) -> httpx2.Response:
    return httpx2.Response(200, json=completion(**changes))


def in_turn(*responses: httpx2.Response | Exception) -> Respond:
    """Respond with these in order, the last one for ever."""
    left = list(responses)

    async def respond(body: dict[str, Any]) -> httpx2.Response:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Exception):
            raise now
        return httpx2.Response(now.status_code, headers=now.headers, content=now.content)

    return respond


class Rig:
    """A gateway with a wire of its own, over a journal in a folder."""

    def __init__(self, folder: Path, respond: Respond | None = None, **settings: Any) -> None:
        self.path = folder / "calls.db"
        self.wire = Wire(respond)
        self.settings = settings
        self.terms = Terms(7)

    @asynccontextmanager
    async def open(self, **limits: Any) -> AsyncIterator[Swift]:
        """A gateway on the journal as it is; budget restored from it."""
        with closing(Journal(self.path)) as journal:
            spent = {one.role: one.spent for one in await journal.totals()}
            budget = Budget(BudgetLimits(**limits), spent)
            gateway = Swift(models(**self.settings), {URL: self.wire.endpoint()}, journal, budget, self.terms)
            try:
                yield gateway
            finally:
                await gateway.close()

    def rows(self, table: str = "calls") -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(f"SELECT * FROM {table}").fetchall()


def played(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(main())  # type: ignore[arg-type]  # a coroutine function's result


async def until(condition: Callable[[], bool]) -> None:
    """Give way to others until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # of somebody who has no event to wait for
            await asyncio.sleep(0.001)


class Held:
    """Responses that are held back until they are let go."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0
        self.go = asyncio.Event()

    async def __call__(self, body: dict[str, Any]) -> httpx2.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.go.wait()
        self.under_way -= 1
        return ok()
