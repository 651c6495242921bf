"""The functions that answers use, on numbers: name to rule. Where a function has no value, it says why."""

from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import Any

from harness.answers.numbers.arithmetic import Arithmetic, NotReal, Number, TooHard, Undefined

LARGEST_FACTORIAL = 5_000
LARGEST_ARGUMENT = 10**15
MOST_DIGITS = 500
Rule = Callable[..., Number]


def apply(numbers: Arithmetic, name: str, arguments: list[Number]) -> Number:
    """The value of the function `name`.

    Raises:
        NoValue: it has none there.
        TooHard: the function is not known, has another number of arguments, or the value is too large.
    """
    rule, count = RULES.get(name, (None, 0))
    if rule is None or (count and count != len(arguments)):
        raise TooHard(f"{name} of {len(arguments)} arguments")
    return numbers.plain(rule(numbers, *arguments))


def _real(numbers: Arithmetic, one: Number) -> Number:
    if not numbers.is_real(one):
        raise NotReal
    return one


def _float(numbers: Arithmetic, one: Number) -> Any:
    lifted = numbers.lift(one)
    if abs(lifted) > LARGEST_ARGUMENT:
        raise TooHard("an argument too large")
    return lifted


def _costly(numbers: Arithmetic, one: Number) -> Any:
    """The argument of a function that takes seconds if there are many digits."""
    if numbers.digits > MOST_DIGITS:
        raise TooHard("too many digits of a special function")
    return _float(numbers, one)


def _snapped(numbers: Arithmetic, value: Number, argument: Any) -> Number:
    """Zero where a function that oscillates cancels to nothing."""
    if not numbers.snapping or abs(value) > numbers.loose * abs(argument):
        return value
    numbers.snapped = numbers.snapped or bool(argument)
    return Fraction(0)


def _sin(numbers: Arithmetic, one: Number) -> Number:
    argument = _float(numbers, one)
    return _snapped(numbers, numbers.context.sin(argument), argument)


def _cos(numbers: Arithmetic, one: Number) -> Number:
    argument = _float(numbers, one)
    return _snapped(numbers, numbers.context.cos(argument), argument)


def _ratio(top: Rule, bottom: Rule | None) -> Rule:
    def rule(numbers: Arithmetic, one: Number) -> Number:
        below = top(numbers, one) if bottom is None else bottom(numbers, one)
        if below == 0:
            raise Undefined
        above = Fraction(1) if bottom is None else top(numbers, one)
        return numbers.lift(above) / numbers.lift(below)

    return rule


def _hyperbolic(name: str) -> Rule:
    def rule(numbers: Arithmetic, one: Number) -> Number:
        argument = _float(numbers, one)
        return _snapped(numbers, getattr(numbers.context, name)(argument), argument)

    return rule


def _inverse(name: str, low: int | None = None, high: int | None = None) -> Rule:
    """An inverse function that is real from `low` to `high`."""

    def rule(numbers: Arithmetic, one: Number) -> Number:
        outside = (
            (low is not None and one < low) or (high is not None and one > high)
            if numbers.is_real(one)
            else True
        )
        if numbers.real and outside:
            raise NotReal
        if name == "atanh" and one in (1, -1):
            raise Undefined
        return getattr(numbers.context, name)(_float(numbers, one))

    return rule


def _inverted(rule: Rule) -> Rule:
    """The inverse of a reciprocal: acot x = atan 1/x, and so on; acot 0 is a quarter turn."""

    def inverted(numbers: Arithmetic, one: Number) -> Number:
        if one == 0:
            raise Undefined
        return rule(numbers, Fraction(1) / one if isinstance(one, Fraction) else 1 / one)

    return inverted


def _acot(numbers: Arithmetic, one: Number) -> Number:
    """Between 0 and pi. Some take acot x = atan 1/x, so that below 0 it is ambiguous."""
    argument = _float(numbers, _real(numbers, one))
    numbers.ambiguous = numbers.ambiguous or argument < 0
    return numbers.context.pi / 2 - numbers.context.atan(argument)


def _ln(numbers: Arithmetic, one: Number) -> Number:
    if one == 0:
        raise Undefined
    if numbers.real and (not numbers.is_real(one) or one < 0):
        raise NotReal
    return Fraction(0) if one == 1 else numbers.context.ln(numbers.lift(one))


def _abs(numbers: Arithmetic, one: Number) -> Number:
    return abs(one)


def _floor(numbers: Arithmetic, one: Number) -> Number:
    whole = numbers.whole(_real(numbers, one))
    if whole is not None:
        return Fraction(whole)
    return Fraction(int(numbers.context.floor(_float(numbers, one))))


def _ceil(numbers: Arithmetic, one: Number) -> Number:
    return -_floor(numbers, -one)


def _sign(numbers: Arithmetic, one: Number) -> Number:
    return Fraction(0) if one == 0 else Fraction(1 if _real(numbers, one) > 0 else -1)


def _extreme(choose: Callable[[Any, Any], Any]) -> Rule:
    def rule(numbers: Arithmetic, *several: Number) -> Number:
        found = _real(numbers, several[0])
        for one in several[1:]:
            found = choose(found, _real(numbers, one))
        return found

    return rule


def _greater(one: Any, other: Any) -> Any:
    return one if one >= other else other


def _smaller(one: Any, other: Any) -> Any:
    return one if one <= other else other


def _gamma(numbers: Arithmetic, one: Number) -> Number:
    whole = numbers.whole(one)
    if whole is not None and whole <= 0:
        raise Undefined
    if whole is not None and whole <= LARGEST_FACTORIAL:
        return Fraction(factorial(whole - 1))
    return numbers.context.gamma(_costly(numbers, one))


def _factorial(numbers: Arithmetic, one: Number) -> Number:
    return _gamma(numbers, numbers.total([one, Fraction(1)]))


def _double_factorial(numbers: Arithmetic, one: Number) -> Number:
    whole = numbers.whole(one)
    if whole is None or not -1 <= whole <= LARGEST_FACTORIAL:
        raise Undefined
    found = 1
    for factor in range(whole, 1, -2):
        found *= factor
    return Fraction(found)


def _binomial(numbers: Arithmetic, top: Number, bottom: Number) -> Number:
    count, chosen = numbers.whole(top), numbers.whole(bottom)
    if chosen is not None and 0 <= chosen <= LARGEST_FACTORIAL:
        found: Number = Fraction(1)
        for step in range(chosen):
            found = numbers.product([found, numbers.total([top, Fraction(-step)]), Fraction(1, step + 1)])
        return found
    if count is not None and count >= 0 and chosen is not None:
        return Fraction(0) if chosen < 0 else numbers.context.binomial(_costly(numbers, top), chosen)
    return numbers.context.binomial(_costly(numbers, top), _costly(numbers, bottom))


def _zeta(numbers: Arithmetic, one: Number) -> Number:
    if one == 1:
        raise Undefined
    return numbers.context.zeta(_costly(numbers, one))


def _lambertw(numbers: Arithmetic, one: Number) -> Number:
    value = numbers.context.lambertw(_costly(numbers, one))
    if numbers.real and numbers.is_real(one) and numbers.lift(one) < -numbers.context.exp(-1):
        raise NotReal
    return value


def _library(name: str) -> Rule:
    return lambda numbers, *several: getattr(numbers.context, name)(
        *(_costly(numbers, one) for one in several)
    )


def _part(name: str) -> Rule:
    return lambda numbers, one: getattr(numbers.context, name)(numbers.lift(one))


RULES: dict[str, tuple[Rule, int]] = {
    "sin": (_sin, 1),
    "cos": (_cos, 1),
    "tan": (_ratio(_sin, _cos), 1),
    "cot": (_ratio(_cos, _sin), 1),
    "sec": (_ratio(_cos, None), 1),
    "csc": (_ratio(_sin, None), 1),
    "sinh": (_hyperbolic("sinh"), 1),
    "cosh": (_hyperbolic("cosh"), 1),
    "tanh": (_hyperbolic("tanh"), 1),
    "coth": (_ratio(_hyperbolic("cosh"), _hyperbolic("sinh")), 1),
    "sech": (_ratio(_hyperbolic("cosh"), None), 1),
    "csch": (_ratio(_hyperbolic("sinh"), None), 1),
    "asin": (_inverse("asin", -1, 1), 1),
    "acos": (_inverse("acos", -1, 1), 1),
    "atan": (_inverse("atan"), 1),
    "acot": (_acot, 1),
    "asec": (_inverted(_inverse("acos", -1, 1)), 1),
    "acsc": (_inverted(_inverse("asin", -1, 1)), 1),
    "asinh": (_inverse("asinh"), 1),
    "acosh": (_inverse("acosh", 1), 1),
    "atanh": (_inverse("atanh", -1, 1), 1),
    "acoth": (_inverted(_inverse("atanh", -1, 1)), 1),
    "atan2": (_library("atan2"), 2),
    "ln": (_ln, 1),
    "abs": (_abs, 1),
    "floor": (_floor, 1),
    "ceil": (_ceil, 1),
    "sign": (_sign, 1),
    "max": (_extreme(_greater), 0),
    "min": (_extreme(_smaller), 0),
    "gamma_function": (_gamma, 1),
    "factorial": (_factorial, 1),
    "factorial2": (_double_factorial, 1),
    "binomial": (_binomial, 2),
    "beta_function": (_library("beta"), 2),
    "erf": (_library("erf"), 1),
    "erfc": (_library("erfc"), 1),
    "zeta_function": (_zeta, 1),
    "lambertw": (_lambertw, 1),
    "re": (_part("re"), 1),
    "im": (_part("im"), 1),
    "conj": (_part("conj"), 1),
    "arg": (_part("arg"), 1),
}
