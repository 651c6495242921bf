"""The budget of a run: reserved before a call, settled after it, for both loops in one ledger. No I/O."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from pydantic import ConfigDict, Field

from harness.errors import BudgetSpent, UsageError
from harness.types import Model, Role, Wire


class Limits(Wire):
    """Upper bounds; None is unlimited."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    calls: int | None = Field(None, ge=0)
    """Model calls."""
    tokens: int | None = Field(None, ge=0)
    """Tokens, prompt and completion together."""
    cost: float | None = Field(None, ge=0)
    """US dollars, by the prices of the models; a model without a price cannot be limited by it."""
    seconds: float | None = Field(None, ge=0)
    """For the whole run the wall time of one start; for a role the sum of its call times."""


class BudgetLimits(Limits):
    """Limits of the whole run, reserved before every call; reaching one stops the run in order, and it can go on."""

    roles: dict[Role, Limits] = Field(default_factory=dict)
    """Limits of single roles, beside those of the whole."""


def refuse_unpriced(limits: BudgetLimits, models: Mapping[Role, Model]) -> None:
    """A limit in money holds only where it is known what every call costs.

    Raises:
        UsageError: names the roles whose models have no price.
    """
    limited = {role for role, one in limits.roles.items() if one.cost is not None}
    unknown = [
        role
        for role, model in models.items()
        if not model.priced and (limits.cost is not None or role in limited)
    ]
    if unknown:
        raise UsageError(
            f"a budget in US dollars cannot hold while the prices of {', '.join(unknown)} are unknown: set input_price "
            "and output_price (US dollars per million tokens, 0 for a model that costs nothing) in [models.default] or "
            "in each role's table, or limit calls or tokens instead (--budget-calls, --budget-tokens)."
        )


@dataclass
class Spent:
    """What has been used: settled, or set aside for calls in flight. cost in US dollars, seconds of call time."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    def add(self, other: "Spent", sign: int = 1) -> None:
        """Add (or with sign -1 take away) another amount."""
        self.calls += sign * other.calls
        self.tokens += sign * other.tokens
        self.cost += sign * other.cost
        self.seconds += sign * other.seconds


@dataclass
class Account:
    """One ledger line: limits, what is settled, what is reserved."""

    limits: Limits
    settled: Spent = field(default_factory=Spent)
    reserved: Spent = field(default_factory=Spent)

    def lacking(self, wanted: Spent, *, with_reserved: bool) -> str:
        """The name and value of the limit that `wanted` would break, or an empty string."""
        for name in ("calls", "tokens", "cost", "seconds"):
            limit = getattr(self.limits, name)
            held = getattr(self.reserved, name) if with_reserved else 0
            if limit is not None and getattr(self.settled, name) + held + getattr(wanted, name) > limit:
                return f"{name} limit {limit:g}"
        return ""


class Budget:
    """Reserve, then settle. A call that does not fit waits while calls in flight may still give something back."""

    def __init__(
        self, limits: BudgetLimits, spent: Mapping[Role, Spent], clock: Callable[[], float] = monotonic
    ) -> None:
        self.limits = limits
        self.clock = clock
        self.started = clock()
        self.wall = limits.seconds
        # call seconds are limited per role only: the whole run is limited by the clock
        self.total = Account(limits.model_copy(update={"seconds": None}))
        self.roles: dict[Role, Account] = {role: Account(one) for role, one in limits.roles.items()}
        for role, amount in spent.items():
            for account in self.accounts(role):
                account.settled.add(amount)
        self.changed = asyncio.Event()
        self.in_flight = 0
        self.over = ""

    def accounts(self, role: Role) -> list[Account]:
        """The ledger lines a call of this role counts in."""
        return [self.total, *([self.roles[role]] if role in self.roles else [])]

    async def reserve(self, role: Role, wanted: Spent) -> None:
        """Set the worst case of one call aside.

        Raises:
            BudgetSpent: it does not fit, and nothing in flight can make it fit. From then on every call is refused.
        """
        while problem := self.problem(role, wanted):
            if self.in_flight == 0 or self.over or self.hopeless(role, wanted):
                self.over = problem
                raise BudgetSpent(f"budget spent: {problem} reached; everything so far is recorded")
            self.changed.clear()
            await self.changed.wait()
        self.in_flight += 1
        for account in self.accounts(role):
            account.reserved.add(wanted)

    @property
    def time_left(self) -> float:
        """Seconds of wall time until this start of the run is over; infinite without a limit."""
        return math.inf if self.wall is None else max(0.0, self.wall - (self.clock() - self.started))

    def check_time(self) -> None:
        """Called before every attempt at a call.

        Raises:
            BudgetSpent: the run's wall time is over.
        """
        if self.wall is not None and self.clock() - self.started >= self.wall:
            self.over = self.over or f"seconds limit {self.wall:g}"
            raise BudgetSpent(f"budget spent: {self.over} reached; everything so far is recorded")

    def settle(self, role: Role, wanted: Spent, actual: Spent) -> None:
        """Replace a reservation by what the call really took (nothing, if it failed)."""
        self.in_flight -= 1
        for account in self.accounts(role):
            account.reserved.add(wanted, -1)
            account.settled.add(actual)
        self.changed.set()

    def hopeless(self, role: Role, wanted: Spent) -> bool:
        """True if `wanted` breaks a limit whatever the calls in flight give back."""
        return any(account.lacking(wanted, with_reserved=False) for account in self.accounts(role))

    def problem(self, role: Role, wanted: Spent) -> str:
        """Which limit stands against one more call right now, or an empty string."""
        if self.over:
            return self.over
        if self.wall is not None and self.clock() - self.started >= self.wall:
            self.over = f"seconds limit {self.wall:g}"
            return self.over
        if lacking := self.total.lacking(wanted, with_reserved=True):
            return lacking
        if role in self.roles and (lacking := self.roles[role].lacking(wanted, with_reserved=True)):
            return f"{role} {lacking}"
        return ""
