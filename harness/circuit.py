"""One endpoint's circuit: while it fails, all its calls wait and one at a time probes it. Knows nothing of the calls."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Literal

from harness.errors import ProviderError

FAILURES = 5
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
LONGEST_REST = 300.0
GRACE = 30.0
FREE_RETRIES = 20
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0

Passage = Literal["call", "probe"]
Wait = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Patience:
    """What an endpoint is allowed.

    seconds: without one answer before it is given up; at most 30 while there was no sign of it since the start.
    retries: how many each answer pays for. burst: how many are free at the start.
    """

    seconds: float = 1800.0
    retries: float = 0.1
    burst: int = FREE_RETRIES


class Circuit:
    """Closed: calls go. After five failures in a row open: all wait, and one at a time probes, 2 to 60 s apart.

    Besides, all calls rest for as long as a rate limit asks, and for a minute when the retries were more than the
    answers pay for (the retry budget of gRPC's throttling).
    """

    def __init__(self, place: str, patience: Patience, clock: Callable[[], float] = monotonic) -> None:
        """place: the endpoint's name for messages."""
        self.place = place
        self.patience = patience
        self.clock = clock
        self.answers = 0
        self.there = False
        self.failures = 0
        self.credit = float(patience.burst)
        self.since: float | None = None
        self.pause = 0.0
        self.until = 0.0
        self.resting = 0.0
        self.why = self.problem = self.given_up = ""
        self.probing = False
        self.settled = asyncio.Event()

    async def admit(self, wait: Wait) -> Passage:
        """Wait until a call may go; whoever is let through as the probe has to report how it went.

        Raises:
            ProviderError: the endpoint was given up; the same command goes on when it is back.
        """
        while True:
            now = self.clock()
            if self.given_up:
                raise ProviderError(self.given_up)
            if now < self.resting:
                await wait(self.resting - now)
            elif not self.pause:
                return "call"
            elif self.probing:
                await self.settled.wait()
            elif now < self.until:
                await wait(self.until - now)
            else:
                self.probing = True
                self.settled.clear()
                return "probe"

    def answered(self) -> None:
        """An answer came, of whatever kind: the endpoint is up."""
        self.answers += 1
        self.there = True
        self.credit = min(self.patience.burst + 100, self.credit + self.patience.retries)
        self.failures, self.pause, self.since = 0, 0.0, None
        self.given_up = ""
        self.probing = False
        self.settled.set()

    def released(self, passage: Passage) -> None:
        """A call ended without saying anything about the endpoint: it was cancelled, or refused."""
        if passage == "probe":
            self.probing = False
            self.settled.set()

    def failed(self, passage: Passage, problem: str, *, there: bool = False) -> None:
        """An attempt failed in a way that may pass. there: the server itself said that it is busy, or starting."""
        self.there = self.there or there
        self.note(problem)
        self.failures += 1
        if passage == "probe" or (not self.pause and self.failures >= FAILURES):
            self.pause = min(LONGEST_PAUSE, 2 * self.pause) or FIRST_PAUSE
            self.until = self.clock() + self.pause
        self.released(passage)

    def limited(self, passage: Passage, problem: str, after: float | None) -> None:
        """The endpoint is up, but was asked too often; after: seconds it wants to be left alone."""
        self.there = True
        self.note(problem)
        if passage == "probe":  # now calls wait one by one, each longer than before
            self.failures, self.pause = 0, 0.0
        if after:
            self.rest(min(LONGEST_REST, after), "it asked for a pause")
        self.released(passage)

    def retry(self) -> None:
        """One more attempt at a call is about to be made; those that the budget does not cover come after a rest."""
        self.credit -= 1
        if self.credit < 0:
            self.credit += self.patience.burst
            self.rest(LONGEST_PAUSE, f"more retries than the budget for {self.answers:,} answers allows")

    def rest(self, seconds: float, why: str) -> None:
        """No call for so many seconds."""
        if (until := self.clock() + seconds) > self.resting:
            self.resting, self.why = until, why

    def note(self, problem: str) -> None:
        """Remember what went wrong, and since when; give the endpoint up when that is too long ago."""
        now, limit = self.clock(), self.patience.seconds
        limit = limit if self.there else min(GRACE, limit)
        self.problem = problem
        self.since = now if self.since is None else self.since
        if now - self.since >= limit:
            ever = "" if self.answers else ", not once since the start"
            self.given_up = (
                f"{self.place} gave no answer for {now - self.since:.0f} s{ever}; the last problem: {problem}. "
                "Run the same command when it is back: nothing is lost. `evolve models check` tries it."
            )

    @property
    def notice(self) -> str:
        """One line for people on why calls wait, or an empty string."""
        now = self.clock()
        if now < self.resting:
            return (
                f"{self.place}: {self.why}; calls go on in {self.resting - now:.0f} s ({self.problem[:120]})"
            )
        if self.pause:
            probe = f"next probe in {max(0.0, self.until - now):.0f} s"
            return (
                f"{self.place} is down, {'probing now' if self.probing else probe}; no candidate is charged for it "
                f"({self.problem[:120]})"
            )
        return ""


def backoff(number: int, after: float | None) -> float:
    """Seconds to wait after attempt `number`: full jitter, doubling from 0.5 s; a server's own wish up to the cap.

    A wish for no wait at all is none: who obeyed it would ask hundreds of times a second.
    """
    if after:
        return min(LONGEST_WAIT, after) + random.uniform(0, FIRST_WAIT)
    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**number))
