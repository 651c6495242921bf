"""How the simulated maths world writes its objects: one plain way for problems and references, many for answers."""

import random
from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

from harness.models.simulated.maths_algebra import Matrix, Poly, Surd, scaled

if TYPE_CHECKING:
    from harness.models.simulated.maths_problems import Solution

NOWHERE = r"\emptyset"


def fraction(number: Fraction) -> str:
    r"""3, -\frac{1}{2}."""
    if number.denominator == 1:
        return str(number.numerator)
    sign = "-" if number < 0 else ""
    return rf"{sign}\frac{{{abs(number.numerator)}}}{{{number.denominator}}}"


def polynomial(one: Poly, variable: str = "x", *, rising: bool = False) -> str:
    """Written out, the highest power first, or last."""
    terms = []
    order = range(len(one)) if rising else range(len(one) - 1, -1, -1)
    for power in order:
        if one[power]:
            terms.append(("-" if one[power] < 0 else "+", _term(abs(one[power]), power, variable)))
    if not terms:
        return "0"
    head = f"{'-' if terms[0][0] == '-' else ''}{terms[0][1]}"
    return " ".join([head, *(f"{sign} {term}" for sign, term in terms[1:])])


def _term(size: Fraction, power: int, variable: str) -> str:
    letter = variable if power == 1 else f"{variable}^{power}" if power else ""
    return letter if letter and size == 1 else f"{fraction(size)}{letter}"


def surd(number: Surd) -> str:
    r"""A rational number, or one such as \frac{3 - \sqrt{5}}{2}."""
    if not number.radicand:
        return fraction(number.part)
    under = lcm(number.part.denominator, number.factor.denominator)
    whole, many = number.part * under, abs(number.factor * under)
    root = rf"{'' if many == 1 else many}\sqrt{{{number.radicand}}}"
    sign = "-" if number.factor < 0 else "+"
    above = f"{whole} {sign} {root}" if whole else f"{'-' if sign == '-' else ''}{root}"
    return above if under == 1 else rf"\frac{{{above}}}{{{under}}}"


def matrix_text(one: Matrix, name: str = "pmatrix") -> str:
    """A 2x2 matrix in LaTeX."""
    (a, b), (c, d) = one
    rows = rf"{fraction(a)} & {fraction(b)} \\ {fraction(c)} & {fraction(d)}"
    return rf"\begin{{{name}}} {rows} \end{{{name}}}"


def plain(solution: "Solution") -> str:
    """The answer as a reference gives it."""
    return WRITERS[solution.kind](solution, None)


def varied(solution: "Solution", rng: random.Random) -> str:
    """The answer in one of many equivalent notations."""
    return WRITERS[solution.kind](solution, rng)


def chosen(rng: random.Random | None, ways: Sequence[str]) -> str:
    """One of the ways; the first where nothing is drawn."""
    return ways[0] if rng is None else rng.choice(ways)


def _number(solution: "Solution", rng: random.Random | None) -> str:
    number = solution.values[0].part
    return chosen(rng, (fraction(number), str(number), fraction(number).replace(r"\frac", r"\dfrac")))


def _expression(solution: "Solution", rng: random.Random | None) -> str:
    curve = solution.curve
    ways = [polynomial(curve), polynomial(curve, rising=True)]
    shared = gcd(*(one.numerator for one in curve)) if curve else 1
    if shared > 1:
        ways.append(f"{shared}({polynomial(scaled(curve, Fraction(1, shared)))})")
    return chosen(rng, ways)


def _equation(solution: "Solution", rng: random.Random | None) -> str:
    constant, slope = (*solution.curve, Fraction(0), Fraction(0))[:2]
    at = solution.at
    height = constant + slope * at
    away = f"(x {'-' if at >= 0 else '+'} {fraction(abs(at))})"
    inclined = f"y {'-' if height >= 0 else '+'} {fraction(abs(height))} = {fraction(slope)}{away}"
    level = f"{polynomial((constant, slope))} - y = 0"
    return chosen(rng, (f"y = {polynomial((constant, slope))}", inclined, level))


def _inequality(solution: "Solution", rng: random.Random | None) -> str:
    bound, up = surd(solution.values[0]), solution.upwards
    ways = (f"c > {bound}", f"{bound} < c") if up else (f"c < {bound}", f"{bound} > c")
    return chosen(rng, ways)


def _interval(solution: "Solution", rng: random.Random | None) -> str:
    if len(solution.values) < 2:
        return NOWHERE
    low, high = map(surd, solution.values)
    return chosen(rng, (f"({low}, {high})", rf"\left({low}, {high}\right)", f"{low} < x < {high}"))


def _set(solution: "Solution", rng: random.Random | None) -> str:
    found = [surd(one) for one in solution.values]
    if not found:
        return NOWHERE
    turned = ", ".join(reversed(found))
    either = r" \text{ or } ".join(f"x = {one}" for one in found)
    return chosen(
        rng, (rf"\{{{', '.join(found)}\}}", rf"\{{{turned}\}}", rf"\left\{{{turned}\right\}}", either)
    )


def _matrix(solution: "Solution", rng: random.Random | None) -> str:
    return chosen(rng, (matrix_text(solution.matrix), matrix_text(solution.matrix, "bmatrix")))


def _piecewise(solution: "Solution", rng: random.Random | None) -> str:
    positive = polynomial(solution.curve)
    negative = polynomial(scaled(solution.curve, Fraction(-1)))
    outside, within = (positive, negative) if solution.upwards else (negative, positive)
    if len(solution.values) < 2:
        return outside
    low, high = map(surd, solution.values)
    rows = [f"{outside}, & x \\le {low}", f"{within}, & {low} < x < {high}", f"{outside}, & x \\ge {high}"]
    together = [f"{within}, & {low} < x < {high}", f"{outside}, & \\text{{otherwise}}"]
    ways = [r" \\ ".join(one) for one in (rows, together, list(reversed(rows)))]
    return rf"\begin{{cases}} {chosen(rng, ways)} \end{{cases}}"


WRITERS = {
    "number": _number,
    "expression": _expression,
    "equation": _equation,
    "inequality": _inequality,
    "interval": _interval,
    "set": _set,
    "matrix": _matrix,
    "piecewise": _piecewise,
}
