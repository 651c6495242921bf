"""Problems of the simulated maths world: a chain of polynomials, each made from earlier ones, and one question."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from harness.models.simulated import maths_algebra as algebra
from harness.models.simulated.maths_algebra import Matrix, Poly, Surd

STEPS: Mapping[str, int] = {
    "value": 1,
    "expand": 1,
    "integral": 2,
    "tangent": 2,
    "bound": 2,
    "between": 2,
    "solve": 2,
    "cases": 2,
    "matrix": 2,
}
KINDS: Mapping[str, str] = {
    "value": "number",
    "integral": "number",
    "expand": "expression",
    "tangent": "equation",
    "bound": "inequality",
    "between": "interval",
    "solve": "set",
    "cases": "piecewise",
    "matrix": "matrix",
}
QUADRATIC = ("bound", "between", "solve", "cases")
STOCK: frozenset[Poly] = frozenset(
    tuple(map(Fraction, one))
    for one in ((6, -5, 1), (-4, 0, 1), (-2, -1, 1), (1, 2, 1), (-1, 0, 1), (3, -4, 1))
)
LARGEST = 20_000


@dataclass(frozen=True)
class Definition:
    """How one polynomial is made. op: `given`, `shift`, `derivative` ...; one, other: numbers of earlier polynomials."""

    op: str
    one: int = 0
    other: int = 0
    number: Fraction = Fraction(0)
    factor: Fraction = Fraction(1)
    given: Poly = ()
    symbol: str = ""


@dataclass(frozen=True)
class Problem:
    """A problem as its text gives it. asked: a key of `KINDS`; symbol: a name that is used but not given."""

    letter: str
    chain: tuple[Definition, ...]
    asked: str
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)
    matrix: Matrix = algebra.IDENTITY

    @property
    def kind(self) -> str:
        return KINDS[self.asked]

    @property
    def steps(self) -> int:
        """How many steps lead to the answer."""
        return len(self.chain) - 1 + STEPS[self.asked]

    @property
    def symbol(self) -> str:
        """A name that is used but not given; empty if there is none."""
        return next((one.symbol for one in self.chain if one.symbol), "")

    @property
    def stock(self) -> bool:
        """True for an exercise that stands in every collection."""
        return self.chain[0].given in STOCK and len(self.chain) <= 2


@dataclass(frozen=True)
class Solution:
    """An answer. curve: the polynomial of an expression, of the right side of an equation, or inside |...|.

    values: the number, the elements, the ends of an interval, the bound, or where the cases change, ascending.
    upwards: the bound is from below; the polynomial is positive outside the places where the cases change.
    """

    kind: str
    curve: Poly = ()
    values: tuple[Surd, ...] = ()
    upwards: bool = True
    matrix: Matrix = algebra.IDENTITY
    at: Fraction = Fraction(0)


Slip = Callable[[Poly], Poly]


def solve(problem: Problem, slip: Slip) -> Solution:
    """The answer, with a chance for `slip` to spoil the polynomial after every step.

    Raises:
        ValueError, IndexError: what is asked does not exist for the last polynomial.
    """
    made: list[Poly] = []
    for one in problem.chain:
        found = one.given if one.op == "given" else slip(made_by(one, made))
        made.append(found)
    last = made[-1]
    for _ in range(STEPS[problem.asked] - 1):
        last = slip(last)
    return _answered(problem, last)


def worked_out(problem: Problem, slip: Slip) -> Solution:
    """The answer of somebody who slips; a slip that leads to no answer at all is noticed, and nothing is spoiled."""
    try:
        return solve(problem, slip)
    except (ValueError, IndexError):
        return solve(problem, lambda one: one)


def made_by(one: Definition, made: list[Poly]) -> Poly:
    """One polynomial from earlier ones."""
    base = made[one.one]
    match one.op:
        case "derivative":
            return algebra.derivative(base)
        case "shift":
            return algebra.inside(base, (one.number, Fraction(1)))
        case "reflect":
            return algebra.inside(base, (Fraction(0), Fraction(-1)))
        case "affine":
            return algebra.plus(algebra.scaled(base, one.factor), algebra.constant(one.number))
        case "times":
            return algebra.times(base, (one.number, Fraction(1)))
        case _:
            return algebra.plus(base, made[one.other])


def _answered(problem: Problem, last: Poly) -> Solution:
    """The answer once the last polynomial is known."""
    kind, low = problem.kind, problem.low
    upwards = bool(last) and last[-1] > 0
    match problem.asked:
        case "value":
            return Solution(kind, values=(Surd(algebra.value(last, low)),))
        case "integral":
            return Solution(kind, values=(Surd(algebra.integral(last, low, problem.high)),))
        case "expand":
            return Solution(kind, curve=last)
        case "tangent":
            slope = algebra.value(algebra.derivative(last), low)
            line = algebra.trimmed([algebra.value(last, low) - slope * low, slope])
            return Solution(kind, curve=line, at=low)
        case "bound":
            extreme = -last[1] / (2 * last[2])
            return Solution(kind, values=(Surd(algebra.value(last, extreme)),), upwards=upwards)
        case "matrix":
            return Solution(kind, matrix=algebra.applied(last, problem.matrix))
        case _:
            inner = algebra.plus(last, algebra.constant(-low))
            return Solution(kind, curve=inner, values=algebra.roots(inner), upwards=upwards)


def compose(rng: random.Random, asked: str, links: int, *, stock: bool = False) -> Problem:
    """A problem of that question with so many links in its chain; retried until its numbers are of bearable size."""
    while True:
        problem = _drawn(rng, asked, links, stock)
        if problem is not None:
            return problem


def _drawn(rng: random.Random, asked: str, links: int, stock: bool) -> Problem | None:
    """One draw; None if it does not suit the question."""
    degree = rng.choice((2, 3)) if links else 2
    first = tuple(Fraction(rng.choice((-5, -4, -3, -2, -1, 1, 2, 3, 4, 5))) for _ in range(degree + 1))
    chain = [Definition("given", given=rng.choice(sorted(STOCK)) if stock else first)]
    made = [chain[0].given]
    for number in range(links):
        chain.append(_link(rng, number))
        made.append(made_by(chain[-1], made))
    last = made[-1]
    fits = len(last) == 3 if asked in QUADRATIC else 2 <= len(last) - 1 <= 3
    if not fits or max(abs(one) for one in last) > LARGEST:
        return None
    point = Fraction(rng.randint(-5, 5), rng.choice((1, 2, 3) if asked == "value" else (1, 2)))
    entries = [Fraction(rng.randint(-3, 3)) for _ in range(4)]
    problem = Problem(
        rng.choice("fghpqu"),
        tuple(chain),
        asked,
        low=point if asked in ("value", "tangent") else Fraction(rng.randint(-2, 1)),
        high=Fraction(rng.randint(2, 3)),
        matrix=((entries[0], entries[1]), (entries[2], entries[3])),
    )
    if asked not in ("between", "solve", "cases"):
        return problem
    level = replace(problem, low=algebra.value(last, point))
    return level if len(solve(level, lambda one: one).values) == 2 else None


def _link(rng: random.Random, number: int) -> Definition:
    """One definition on top of `number` + 1 others."""
    op = rng.choice(("derivative", "shift", "shift", "reflect", "affine", "affine", "times", "sum"))
    if op == "sum" and number == 0:
        op = "shift"
    amount = Fraction(rng.choice((-3, -2, -1, 1, 2, 3)))
    return Definition(
        op,
        number,
        rng.randrange(number) if op == "sum" else 0,
        amount if op in ("shift", "affine", "times") else Fraction(0),
        Fraction(rng.choice((-3, -2, 2, 3))) if op == "affine" else Fraction(1),
    )
