"""Exact arithmetic of the simulated maths world: polynomials, 2x2 matrices, roots of quadratics. Numbers are Fractions."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import zip_longest
from math import isqrt, sqrt

Poly = tuple[Fraction, ...]  # coefficients, the constant first; no zero at the end
Matrix = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]
IDENTITY: Matrix = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))


@dataclass(frozen=True)
class Surd:
    """part + factor * sqrt(radicand); radicand 0 where the number is rational."""

    part: Fraction
    factor: Fraction = Fraction(0)
    radicand: int = 0

    @cached_property
    def size(self) -> float:
        """Its value, for ordering."""
        return float(self.part) + float(self.factor) * sqrt(self.radicand)


def trimmed(coefficients: list[Fraction]) -> Poly:
    """The polynomial without leading zeros."""
    while coefficients and coefficients[-1] == 0:
        coefficients.pop()
    return tuple(coefficients)


def plus(one: Poly, other: Poly) -> Poly:
    """Their sum."""
    return trimmed([a + b for a, b in zip_longest(one, other, fillvalue=Fraction(0))])


def times(one: Poly, other: Poly) -> Poly:
    """Their product."""
    found = [Fraction(0)] * max(0, len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            found[i + j] += a * b
    return trimmed(found)


def scaled(one: Poly, factor: Fraction) -> Poly:
    """A multiple."""
    return trimmed([factor * a for a in one])


def constant(value: Fraction | int) -> Poly:
    """The constant polynomial."""
    return trimmed([Fraction(value)])


def inside(one: Poly, inner: Poly) -> Poly:
    """one(inner(x)), by Horner's rule."""
    found: Poly = ()
    for coefficient in reversed(one):
        found = plus(times(found, inner), constant(coefficient))
    return found


def derivative(one: Poly) -> Poly:
    """Its derivative."""
    return trimmed([n * a for n, a in enumerate(one)][1:])


def value(one: Poly, at: Fraction) -> Fraction:
    """Its value at a point."""
    return sum((a * at**n for n, a in enumerate(one)), Fraction(0))


def integral(one: Poly, low: Fraction, high: Fraction) -> Fraction:
    """Its integral from low to high."""
    return sum((a * (high ** (n + 1) - low ** (n + 1)) / (n + 1) for n, a in enumerate(one)), Fraction(0))


def roots(one: Poly) -> tuple[Surd, ...]:
    """The real roots of a polynomial of degree 1 or 2, ascending, each once.

    Raises:
        ValueError: it has another degree.
    """
    if len(one) == 2:
        return (Surd(-one[0] / one[1]),)
    if len(one) != 3:
        raise ValueError(f"roots are known for degree 1 and 2, not {len(one) - 1}")
    c, b, a = one
    under = b * b - 4 * a * c
    middle, reach = -b / (2 * a), 1 / (2 * abs(a))
    if under < 0:
        return ()
    if under == 0:
        return (Surd(middle),)
    # sqrt(n/d) = sqrt(n d)/d, and the largest square is taken out of n d
    outside, radicand = square_part(under.numerator * under.denominator)
    factor = reach * outside / under.denominator
    if radicand == 1:
        return Surd(middle - factor), Surd(middle + factor)
    return Surd(middle, -factor, radicand), Surd(middle, factor, radicand)


def square_part(number: int) -> tuple[int, int]:
    """(s, r) with number = s*s*r; r is free of squares of primes below 100, and 1 for a square."""
    if isqrt(number) ** 2 == number:
        return isqrt(number), 1
    outside = 1
    for prime in range(2, 100):
        while number % (prime * prime) == 0:
            number //= prime * prime
            outside *= prime
    return outside, number


def applied(one: Poly, matrix: Matrix) -> Matrix:
    """The polynomial of a matrix, by Horner's rule."""
    found: Matrix = ((Fraction(0), Fraction(0)), (Fraction(0), Fraction(0)))
    for coefficient in reversed(one):
        found = shifted(product(found, matrix), coefficient)
    return found


def product(one: Matrix, other: Matrix) -> Matrix:
    """Rows times columns."""
    (a, b), (c, d) = one
    (e, f), (g, h) = other
    return (a * e + b * g, a * f + b * h), (c * e + d * g, c * f + d * h)


def shifted(one: Matrix, amount: Fraction) -> Matrix:
    """The matrix plus a multiple of the identity."""
    (a, b), (c, d) = one
    return (a + amount, b), (c, d + amount)
