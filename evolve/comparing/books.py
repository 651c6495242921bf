"""What a comparison spent, from its journal: for each arm and document, exactly. And which calls are shared by all arms."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import BaseModel

from evolve.comparing.best_of import AGAIN
from evolve.comparing.values import Bill, Paid
from harness.gateway import Models
from harness.journal import Journal
from harness.types import Reply, Request

SHARED = 0  # number of what is asked once for all arms; arms are numbered from 1
SUMS = f"""SELECT iteration, document, trial, ordinal >= {AGAIN},
    role = 'challenger' OR (role = 'verifier' AND attempt = 0),
    count(*), total(prompt_tokens + completion_tokens), total(cost)
    FROM calls GROUP BY 1, 2, 3, 4, 5"""


class Sharing:
    """Models of an arm: what an extractor says of a document is asked once, and holds for all arms alike."""

    def __init__(self, models: Models, extraction: type[BaseModel] | None) -> None:
        self.models = models
        self.extraction = extraction

    async def ask(self, request: Request) -> Reply:
        """See `Models.ask`."""
        if self.extraction is not None and request.schema is self.extraction:
            request = replace(request, draw=replace(request.draw, iteration=SHARED, trial=0))
        return await self.models.ask(request)


@dataclass(frozen=True)
class Post:
    """Some calls of one arm on one document. again: those at the chosen task of best of k. made: of making tasks."""

    arm: int
    document: str
    trial: int
    again: bool
    made: bool
    paid: Paid


@dataclass(frozen=True)
class Books:
    """All posts of a comparison."""

    posts: tuple[Post, ...]

    def bill(self, arm: int, document: str, *, one_shot: bool) -> Bill:
        """What an arm spent on a document, what is shared included; making a task is all of it but for `one_shot`."""
        own = [one for one in self.posts if one.document == document and one.arm in (arm, SHARED)]
        every = total(own)
        return Bill(every, total(one for one in own if one.made or one.arm == SHARED) if one_shot else every)

    def best_bill(self, arm: int, document: str, upto: int, chosen: int | None) -> Bill:
        """The same of best of k: the first `upto` generations, and the chosen one once more; all of it is making."""
        every = total(
            one
            for one in self.posts
            if one.document == document
            and (
                one.arm == SHARED
                or (one.arm == arm and (one.trial == chosen if one.again else one.trial <= upto))
            )
        )
        return Bill(every, every)

    def spent(self, arm: int, *, made: bool | None = None, trial: int | None = None) -> Paid:
        """What an arm spent in all, or on one trial; of making tasks or of measuring them."""
        return total(
            one
            for one in self.posts
            if one.arm == arm and made in (None, one.made) and trial in (None, one.trial) and not one.again
        )


def total(posts: Iterable[Post]) -> Paid:
    """The sum."""
    return sum((one.paid for one in posts), Paid())


async def books(journal: Journal) -> Books:
    """Everything that the journal holds.

    Raises:
        StorageError: it cannot be read.
    """

    def read(connection: sqlite3.Connection) -> list[tuple[int, str, int, int, int, int, float, float]]:
        return connection.execute(SUMS).fetchall()

    rows = await journal.do(read)
    return Books(
        tuple(
            Post(arm, document, trial, bool(again), bool(made), Paid(calls, int(tokens), cost))
            for arm, document, trial, again, made, calls, tokens, cost in rows
        )
    )
