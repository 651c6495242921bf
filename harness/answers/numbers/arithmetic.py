"""Numbers: exact while they are rational, else to many digits. What there is to compute with, and when to stop.

Sums that cancel to nothing at this precision are zero. Where a term was too small to leave a trace in a sum, the
precision that would show it is noted: sqrt(2) + 1/2004! is not taken for sqrt(2) + 1/2006!.
"""

from fractions import Fraction
from functools import cache
from typing import Any

from mpmath import MPContext

Number = Any
"""A Fraction, or a real or complex number of the evaluation's context."""

LARGEST_BITS = 200_000
LARGEST_EXPONENT = 10**15
CANCELLED = 10**-9


@cache
def context_of(digits: int) -> Any:
    """The one context of mpmath for numbers of so many decimal digits; making one takes milliseconds."""
    context = MPContext()
    context.dps = digits
    return context


class NoValue(Exception):
    """There is no value at this point."""


class Undefined(NoValue):
    """A pole, or an indeterminate form."""


class NotReal(NoValue):
    """Reading everything in the real numbers, something in it has no value; in the complex numbers it may have one."""


class NotCovered(NoValue):
    """No case applies."""


class TooHard(Exception):
    """Not worth computing: too large, or too many steps."""


class Arithmetic:
    """Numbers of `digits` decimal digits. real: roots, logarithms and the like of what has none in the reals raise.

    tiny: digits that would show the smallest term lost so far, 0 if none was. ambiguous: an odd root of a negative number
    was taken that was written as a power, which some mean to be complex. undefined: a relation had a side without value.
    loose: the relative size of nothing in a sum, near: between two numbers. snapping: sums as small as that are zero, and
    snapped tells that one was. noise: about the largest error that a sum has left behind whose terms cancelled.
    """

    def __init__(self, digits: int = 80, real: bool = True, snapping: bool = True) -> None:
        self.context = context_of(digits)
        self.digits, self.real, self.snapping = digits, real, snapping
        self.loose = self.near = self.context.mpf(10) ** (-digits * 2 // 3)
        self.tiny = 0
        self.noise = self.context.mpf(0)
        self.snapped = False
        self.ambiguous = self.undefined = False

    def lift(self, number: Number) -> Number:
        """The number as one of the context."""
        if isinstance(number, Fraction):
            return self.context.mpf(number.numerator) / number.denominator
        return self.context.convert(number)

    def plain(self, number: Number) -> Number:
        """Without an imaginary part that is none; what is not finite is undefined."""
        if isinstance(number, Fraction):
            return number
        if self.context.isnan(number) or self.context.isinf(number):
            raise Undefined
        if isinstance(number, self.context.mpc):
            if abs(number.imag) > self.loose * abs(number.real):
                return number
            number = number.real
        return number

    def is_real(self, number: Number) -> bool:
        return not isinstance(number, self.context.mpc)

    def total(self, terms: list[Number]) -> Number:
        """Their sum; zero if that is all that is left of them at this precision."""
        if all(isinstance(one, Fraction) for one in terms):
            return limited(sum(terms, Fraction(0)))
        lifted = [self.lift(one) for one in terms]
        largest = max(abs(one) for one in lifted)
        for one in lifted:
            if one and abs(one) < largest * self.loose:
                self._lost(abs(one) / largest)
        found = self.context.fsum(lifted)
        if abs(found) < largest * CANCELLED:
            self.noise = max(self.noise, largest * self.context.mpf(10) ** (3 - self.digits))
        if abs(found) > largest * self.loose or not self.snapping:
            return self.plain(found)
        self.snapped = self.snapped or bool(largest)
        return Fraction(0)

    def _lost(self, ratio: Number) -> None:
        self.tiny = max(self.tiny, int(-self.context.log10(ratio)) * 11 // 10 + 80)

    def difference(self, one: Number, other: Number) -> Number:
        """one - other, exactly zero if they agree to this precision."""
        if isinstance(one, Fraction) and isinstance(other, Fraction):
            return one - other
        high, low = self.lift(one), self.lift(other)
        gap = high - low
        return Fraction(0) if abs(gap) <= self.near * max(abs(high), abs(low)) else self.plain(gap)

    def whole(self, number: Number) -> int | None:
        """The integer it is, or None."""
        if isinstance(number, Fraction):
            return int(number) if number.denominator == 1 else None
        if not self.is_real(number) or abs(number) > self.context.mpf(10) ** (self.digits // 2):
            return None
        nearest = int(self.context.nint(number))
        return nearest if self.difference(number, Fraction(nearest)) == 0 else None

    def product(self, factors: list[Number]) -> Number:
        exact, found = Fraction(1), None
        for one in factors:
            if isinstance(one, Fraction):
                exact *= one
            else:
                found = one if found is None else found * one
        if found is None or exact == 0:
            return limited(exact)
        return self.plain(found if exact == 1 else found * self.lift(exact))

    def power(self, base: Number, exponent: Number, rooted: bool = False) -> Number:
        """base ** exponent; rooted: written as a root, so that odd roots of negative numbers are real for certain."""
        if base == 0:
            return self._power_of_zero(exponent)
        if (whole := self.whole(exponent)) is not None:
            return self._whole_power(base, whole)
        if isinstance(base, Fraction) and isinstance(exponent, Fraction) and base > 0:
            exact = _exact_root(base, exponent)
            if exact is not None:
                return exact
        if self.is_real(base) and base < 0:
            return self._power_of_negative(base, exponent, rooted)
        if (not self.is_real(exponent) and self.real) or (not self.is_real(base) and self.real):
            raise NotReal
        return self._float_power(base, exponent)

    def _power_of_zero(self, exponent: Number) -> Number:
        if not self.is_real(exponent) or exponent <= 0:
            if exponent == 0:
                return Fraction(1)
            raise Undefined
        return Fraction(0)

    def _whole_power(self, base: Number, exponent: int) -> Number:
        if isinstance(base, Fraction):
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if bits * abs(exponent) <= LARGEST_BITS:
                return base**exponent
        if abs(exponent) > LARGEST_EXPONENT:
            raise TooHard("a power too large")
        return self.plain(self.lift(base) ** exponent)

    def _power_of_negative(self, base: Number, exponent: Number, rooted: bool) -> Number:
        odd = isinstance(exponent, Fraction) and exponent.denominator % 2 == 1
        if self.real and odd:
            self.ambiguous = self.ambiguous or not rooted
            size = self.power(-base, exponent)
            return -size if exponent.numerator % 2 else size
        if self.real:
            raise NotReal
        return self._float_power(base, exponent)

    def _float_power(self, base: Number, exponent: Number) -> Number:
        high, low = self.lift(base), self.lift(exponent)
        if abs(low) > LARGEST_EXPONENT or abs(self.context.log(high) * low) > LARGEST_EXPONENT:
            raise TooHard("a power too large")
        return self.plain(high**low)


def limited(number: Fraction) -> Number:
    """The fraction, unless its digits are too many to go on with exactly."""
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > 4 * LARGEST_BITS:
        raise TooHard("a fraction too large")
    return number


def _exact_root(base: Fraction, exponent: Fraction) -> Fraction | None:
    """base ** exponent if that is rational and easily found."""
    degree = exponent.denominator
    if degree > 12 or abs(exponent.numerator) > 64 or base.numerator.bit_length() > 600:
        return None
    top, bottom = _integer_root(base.numerator, degree), _integer_root(base.denominator, degree)
    if top is None or bottom is None:
        return None
    return Fraction(top, bottom) ** exponent.numerator


def _integer_root(number: int, degree: int) -> int | None:
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**degree <= number:
            low = middle
        else:
            high = middle - 1
    return low if low**degree == number else None
