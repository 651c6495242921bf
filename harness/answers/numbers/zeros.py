"""Where an expression in one variable is zero: exactly for ratios of polynomials, else by looking for changes of sign."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from harness.answers.numbers.arithmetic import Arithmetic, NoValue, Number, TooHard
from harness.answers.numbers.numeric import Evaluation, Point
from harness.answers.tree import Node, free

Polynomial = list[Number]
"""Coefficients, of the constant first."""

LARGEST_DEGREE = 16
MOST_CROSSINGS = 10
UNLIKE = 4
FAR = 10**20  # beyond this sqrt(x^2 + 1) = x to all digits there are
GRID = tuple(
    sorted(
        {Fraction(k, 2) for k in range(-14, 15)}
        | {Fraction(k, 13) for k in range(-40, 41, 8)}
        | {sign * Fraction(2) ** k / 3 for k in range(-8, 17, 2) for sign in (1, -1)}
        | {sign * Fraction(10) ** k for k in (-16, -8, 6, 8, 11, 14, 20, 50, 100, 400) for sign in (1, -1)}
    )
)


def zeros(numbers: Evaluation, node: Node, name: str, point: Point) -> list[Number]:
    """Real zeros of the node as a function of the variable `name`, the others as in `point`; also its poles.

    Rational ones are exact Fractions. Of what is no ratio of polynomials, those where the sign changes on a grid.
    """
    ratio = quotient(numbers, node, name, point)
    if ratio is None:
        return _scanned(numbers, node, name, point)
    return [one for part in ratio for one in complex_zeros(numbers, part) if numbers.is_real(one)]


def quotient(
    numbers: Evaluation, node: Node, name: str, point: Point
) -> tuple[Polynomial, Polynomial] | None:
    """The node as a ratio of polynomials in the variable, the others as in `point`; None if it is none."""
    try:
        return _quotient(numbers, node, name, point)
    except (NoValue, TooHard, _NoRatio):
        return None


class _NoRatio(Exception):
    """It is no ratio of polynomials, or one of too high a degree."""


def _quotient(numbers: Evaluation, node: Node, name: str, point: Point) -> tuple[Polynomial, Polynomial]:
    if name not in free(node):
        return [numbers.value(node, point)], [Fraction(1)]
    if node.head in ("sym", "opaque"):
        return [Fraction(0), Fraction(1)], [Fraction(1)]
    if node.head == "pow":
        return _raised(numbers, node, name, point)
    if node.head not in ("add", "mul"):
        raise _NoRatio
    top, bottom = _quotient(numbers, node.args[0], name, point)
    for one in node.args[1:]:
        other, under = _quotient(numbers, one, name, point)
        if node.head == "mul":
            top, bottom = _times(numbers, top, other), _times(numbers, bottom, under)
        elif bottom == under:
            top = _plus(numbers, top, other)
        else:
            top = _plus(numbers, _times(numbers, top, under), _times(numbers, other, bottom))
            bottom = _times(numbers, bottom, under)
    return top, bottom


def _raised(numbers: Evaluation, node: Node, name: str, point: Point) -> tuple[Polynomial, Polynomial]:
    base, exponent = node.args
    if name in free(exponent):
        raise _NoRatio
    times = numbers.whole(numbers.value(exponent, point))
    if times is None or abs(times) > LARGEST_DEGREE:
        raise _NoRatio
    top, bottom = _quotient(numbers, base, name, point)
    found: tuple[Polynomial, Polynomial] = ([Fraction(1)], [Fraction(1)])
    for _ in range(abs(times)):
        found = _times(numbers, found[0], top), _times(numbers, found[1], bottom)
    return found if times >= 0 else (found[1], found[0])


def _plus(numbers: Arithmetic, one: Polynomial, other: Polynomial) -> Polynomial:
    size = max(len(one), len(other))
    padded = [[*each, *[Fraction(0)] * (size - len(each))] for each in (one, other)]
    return _stripped([numbers.total([a, b]) for a, b in zip(*padded, strict=True)])


def _times(numbers: Arithmetic, one: Polynomial, other: Polynomial) -> Polynomial:
    if len(one) + len(other) - 2 > LARGEST_DEGREE:
        raise _NoRatio
    terms: list[list[Number]] = [[] for _ in range(len(one) + len(other) - 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            terms[i + j].append(numbers.product([a, b]))
    return _stripped([numbers.total(each) for each in terms])


def _stripped(polynomial: Polynomial) -> Polynomial:
    while len(polynomial) > 1 and polynomial[-1] == 0:
        polynomial = polynomial[:-1]
    return polynomial


def complex_zeros(numbers: Arithmetic, polynomial: Polynomial) -> list[Number]:
    """The different zeros of a polynomial, real ones as real numbers; none if it has none, is zero, or resists."""
    if all(isinstance(one, Fraction) for one in polynomial):
        polynomial = _square_free(polynomial)
    if len(polynomial) <= 2:
        return [] if len(polynomial) < 2 else [_divided(numbers, -polynomial[0], polynomial[1])]
    if len(polynomial) == 3:
        return _quadratic(numbers, *polynomial)
    context = numbers.context
    leading = [numbers.lift(one) for one in reversed(polynomial)]
    try:
        found = context.polyroots(leading, maxsteps=200, extraprec=context.prec * 2, error=False)
    except (context.NoConvergence, ZeroDivisionError):
        return []
    return different(numbers, [_exact(polynomial, _flat(numbers, one)) for one in found])


def _quadratic(numbers: Arithmetic, c: Number, b: Number, a: Number) -> list[Number]:
    square = numbers.total([numbers.product([b, b]), numbers.product([Fraction(-4), a, c])])
    below = numbers.product([Fraction(2), a])
    if square == 0:
        return [_divided(numbers, -b, below)]
    complex_too = Evaluation(numbers.digits, real=False)
    root = complex_too.power(square, Fraction(1, 2))
    return [_divided(numbers, numbers.total([-b, one]), below) for one in (-root, root)]


def _divided(numbers: Arithmetic, one: Number, other: Number) -> Number:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one / other
    return numbers.lift(one) / numbers.lift(other)


def _flat(numbers: Arithmetic, one: Any) -> Number:
    tolerance = numbers.context.mpf(10) ** (-numbers.digits // 3)
    return one.real if abs(numbers.context.im(one)) <= tolerance * max(1, abs(one)) else one


def _exact(polynomial: Polynomial, root: Number) -> Number:
    """The rational number that the root is, if it is one with a small denominator."""
    if not all(isinstance(one, Fraction) for one in polynomial) or (hasattr(root, "imag") and root.imag != 0):
        return root
    near = _fraction(root).limit_denominator(10**6)
    return near if sum(one * near**k for k, one in enumerate(polynomial)) == 0 else root


def _fraction(root: Number) -> Fraction:
    if isinstance(root, Fraction):
        return root
    sign, mantissa, exponent, _ = root._mpf_
    size = int(mantissa) * Fraction(2) ** int(exponent)
    return -size if sign else size


def _square_free(polynomial: Polynomial) -> Polynomial:
    """The polynomial with each of its zeros once."""
    slope = [one * k for k, one in enumerate(polynomial)][1:]
    common = _common(polynomial, slope)
    return _shared(polynomial, common)[0] if len(common) > 1 else polynomial


def _common(one: Polynomial, other: Polynomial) -> Polynomial:
    while any(other):
        one, other = other, _stripped(_shared(one, _stripped(other))[1] or [Fraction(0)])
    return one


def _shared(one: Polynomial, other: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Quotient and rest of two polynomials with rational coefficients."""
    rest, result = list(one), [Fraction(0)] * max(1, len(one) - len(other) + 1)
    while len(rest) >= len(other) and any(rest):
        factor, shift = rest[-1] / other[-1], len(rest) - len(other)
        result[shift] = factor
        rest = [a - factor * (other[k - shift] if k >= shift else 0) for k, a in enumerate(rest)][:-1]
    return _stripped(result), rest


def different(numbers: Arithmetic, found: Iterable[Number]) -> list[Number]:
    """The numbers without repetitions. Fractions are told apart exactly, others by somewhat less than half their digits,
    which is how well a double zero is known."""
    tolerance = numbers.context.mpf(10) ** (-numbers.digits * 7 // 16)
    kept: list[Number] = []
    for one in found:
        if not any(_agree(numbers, one, other, tolerance) for other in kept):
            kept.append(one)
    return kept


def _agree(numbers: Arithmetic, one: Number, other: Number, tolerance: Number) -> bool:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one == other
    lifted = numbers.lift(one)
    return bool(abs(lifted - numbers.lift(other)) <= tolerance * (1 + abs(lifted)))


def _scanned(numbers: Evaluation, node: Node, name: str, point: Point) -> list[Number]:
    def height(place: Number) -> Number | None:
        return _height(numbers, node, {**point, name: place})

    seen = [(place, value) for place in GRID if (value := height(place)) is not None]
    found: list[Number] = [place for place, value in seen if value == 0 and abs(place) < FAR]
    steps = [(low, high) for low, high in pairwise(seen) if _crosses(low[1], high[1])]
    nearest = sorted(steps, key=lambda step: abs(step[0][0]))[:MOST_CROSSINGS]
    return found[:MOST_CROSSINGS] + [_refined(numbers, height, low, high) for low, high in nearest]


def _crosses(low: Number, high: Number) -> bool:
    return bool(low != 0 and high != 0 and (low < 0) != (high < 0))


def _height(numbers: Evaluation, node: Node, point: Point) -> Number | None:
    try:
        height = numbers.value(node, point)
    except (NoValue, TooHard):
        return None
    return height if numbers.is_real(height) else None


def _refined(
    numbers: Evaluation, height: Any, low: tuple[Number, Number], high: tuple[Number, Number]
) -> Number:
    """The place between `low` and `high`, pairs of place and height, where the sign changes: halving, then secants."""
    for _ in range(16):
        low, high = _halved(numbers, height, low, high)
    near = _fraction(numbers.lift((low[0] + high[0]) / 2)).limit_denominator(60)
    if height(near) == 0:
        return near
    (a, fa), (b, fb) = ((numbers.lift(place), numbers.lift(value)) for place, value in (low, high))
    for _ in range(12):
        if fa == fb:
            break
        c = b - fb * (b - a) / (fb - fa)
        fc = height(c)
        if fc is None:
            break
        a, fa, b, fb = b, fb, c, numbers.lift(fc)
        if fb == 0:
            break
    return b


def _halved(
    numbers: Evaluation, height: Any, low: tuple[Number, Number], high: tuple[Number, Number]
) -> tuple[tuple[Number, Number], tuple[Number, Number]]:
    middle = _middle(numbers, low[0], high[0])
    value = height(middle)
    if value is None:
        return low, high
    return (low, (middle, value)) if value == 0 or (value < 0) != (low[1] < 0) else ((middle, value), high)


def _middle(numbers: Evaluation, low: Number, high: Number) -> Number:
    """Half way between two numbers; by their logarithms if they are of very unlike size."""
    if low * high > 0 and max(low / high, high / low) > UNLIKE:
        size = numbers.context.sqrt(numbers.lift(low) * numbers.lift(high))
        return size if low > 0 else -size
    return (low + high) / 2
